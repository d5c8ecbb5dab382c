/** Whether a media query holds, as it changes. */
import { useEffect, useState } from 'preact/hooks';

export function useMedia(text: string): boolean {
  const [query] = useState(() => matchMedia(text));
  const [holds, setHolds] = useState(query.matches);
  useEffect(() => {
    const read = (): void => setHolds(query.matches);
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }, [query]);
  return holds;
}

/** What is painted on a canvas keeps its colours until it is painted anew. */
export const useIsDark = (): boolean => useMedia('(prefers-color-scheme: dark)');

/** Where one panel is shown at a time. */
export const useIsNarrow = (): boolean => useMedia('(max-width: 960px)');
