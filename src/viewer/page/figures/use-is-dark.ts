/** Whether the page is dark, as it changes: what is painted on a canvas keeps its colours until it is painted anew. */
import { useEffect, useState } from 'preact/hooks';

export function useIsDark(): boolean {
  const [query] = useState(() => matchMedia('(prefers-color-scheme: dark)'));
  const [isDark, setIsDark] = useState(query.matches);
  useEffect(() => {
    const read = (): void => setIsDark(query.matches);
    query.addEventListener('change', read);
    return () => query.removeEventListener('change', read);
  }, [query]);
  return isDark;
}
