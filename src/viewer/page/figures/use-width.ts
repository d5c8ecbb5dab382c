/** The width inside an element, without its padding, in CSS pixels, as it changes. */
import { useLayoutEffect, useState } from 'preact/hooks';

const FIRST_PX = 420;

export function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(FIRST_PX);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const read = (): void => {
      const { paddingLeft, paddingRight } = getComputedStyle(element);
      const inside = element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
      setWidth(Math.max(260, Math.floor(inside)));
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}
