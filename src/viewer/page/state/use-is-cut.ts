/** Whether more stands in an element than its box shows, as its size changes. */
import { useLayoutEffect, useState } from 'preact/hooks';

export function useIsCut(place: { current: HTMLElement | null }): boolean {
  const [isCut, setIsCut] = useState(false);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const read = (): void => setIsCut(element.scrollHeight > element.clientHeight + 1);
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return isCut;
}
