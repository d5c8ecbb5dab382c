/**
 * Where one reads among the utterances: at the turn that the address names, at the end of an episode that goes on, or
 * where one has scrolled to. In a wide window the list scrolls by itself, in a narrow one the page does.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { useIsNarrow } from './use-media.ts';

interface Reading {
  list: { current: HTMLElement | null };
  /** The turn that the address names. */
  named: { current: HTMLElement | null };
  turn: number | undefined;
  /** Of utterances. */
  count: number;
  /** Grows with every word. */
  size: number;
  /** Whether the episode goes on. */
  isOpen: boolean;
}

interface Place {
  /** Whether words are spoken below what is seen of the page. */
  isBehind: boolean;
  goToEnd(): void;
}

/** An end that is so near to the edge of the window counts as seen. */
const NEAR_PX = 48;

export function useReadingPlace({ list, named, turn, count, size, isOpen }: Reading): Place {
  const isNarrow = useIsNarrow();
  const isFirst = useRef(true);
  const { isBehind, wasAtEnd } = useEndOfPage(list, { isWatched: isNarrow, size });
  const goToEnd = (): void => list.current?.scrollIntoView({ block: 'end' });
  useEffect(() => {
    const [box, bubble] = [list.current, named.current];
    if (turn === undefined || !box || !bubble) return;
    const { top } = bubble.getBoundingClientRect();
    // Only what scrolls by itself is moved: scrollIntoView would move the page as well.
    if (isNarrow) scrollBy(0, top - innerHeight / 3);
    else box.scrollTop += top - box.getBoundingClientRect().top - box.clientHeight / 3;
  }, [turn, count > 0]);
  useEffect(() => {
    const box = list.current;
    // A finished episode is read from its beginning; one that goes on, or is played, is followed.
    const isRead = !isOpen && isFirst.current;
    isFirst.current = count === 0;
    if (!box || turn !== undefined || isRead) return;
    if (!isNarrow) box.scrollTop = box.scrollHeight;
    else if (wasAtEnd.current) goToEnd();
  }, [size, turn]);
  return { isBehind: isNarrow && isOpen && isBehind, goToEnd };
}

/** Whether the end of the list is below the window. Who has seen it is led on, and nobody else. */
function useEndOfPage(
  list: Reading['list'],
  { isWatched, size }: { isWatched: boolean; size: number },
): { isBehind: boolean; wasAtEnd: { current: boolean } } {
  const [isBehind, setIsBehind] = useState(false);
  const wasAtEnd = useRef(false);
  const read = (): void => {
    const box = list.current;
    // Who has seen nothing yet has not seen its end.
    if (!box?.firstElementChild) return;
    const { bottom } = box.getBoundingClientRect();
    wasAtEnd.current = bottom > 0 && bottom <= innerHeight + NEAR_PX;
    setIsBehind(bottom > innerHeight + NEAR_PX);
  };
  useEffect(() => {
    if (!isWatched) return;
    addEventListener('scroll', read, { passive: true });
    addEventListener('resize', read);
    return () => {
      removeEventListener('scroll', read);
      removeEventListener('resize', read);
    };
  }, [isWatched]);
  useEffect(() => {
    if (isWatched && !wasAtEnd.current) read();
  }, [isWatched, size]);
  return { isBehind, wasAtEnd };
}
