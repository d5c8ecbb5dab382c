/** The page's address: which run, and in it which episode and turn, counted from 1: `/?run=NAME#e0031/t5`. */
import { useEffect, useState } from 'preact/hooks';

export interface Address {
  run: string | undefined;
  episode: string | undefined;
  /** Counted from 0. */
  turn: number | undefined;
}

export function readAddress(): Address {
  const run = new URLSearchParams(location.search).get('run') ?? undefined;
  const place = /^#([A-Za-z0-9_-]+)(?:\/t(\d+))?$/.exec(location.hash);
  return { run, episode: place?.[1], turn: place?.[2] === undefined ? undefined : Number(place[2]) - 1 };
}

export const linkTo = (run: string, episode?: string, turn?: number): string =>
  `/?run=${encodeURIComponent(run)}${episode === undefined ? '' : `#${episode}`}${turn === undefined ? '' : `/t${turn + 1}`}`;

export function useAddress(): Address {
  const [address, setAddress] = useState(readAddress);
  useEffect(() => {
    const read = (): void => setAddress(readAddress());
    addEventListener('hashchange', read);
    addEventListener('popstate', read);
    return () => {
      removeEventListener('hashchange', read);
      removeEventListener('popstate', read);
    };
  }, []);
  return address;
}
