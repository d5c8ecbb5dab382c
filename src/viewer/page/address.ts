/**
 * The page's address: which run, and in it which episode and turn, counted from 1: `/?run=NAME#e0031/t5`; two runs or
 * conditions side by side: `/?compare=NAME:live&compare=NAME:monologue`; the glossary: `/?glossary#influence`; all
 * runs: `/?runs`. `/` alone leads to the run under way.
 */
import { useEffect, useState } from 'preact/hooks';

/** One side of a comparison; without a condition all of them. */
export interface Side {
  run: string;
  condition: string | undefined;
}

export interface Address {
  run: string | undefined;
  episode: string | undefined;
  /** Counted from 0. */
  turn: number | undefined;
  compared: Side[];
  isGlossary: boolean;
  /** Whether the list of runs is asked for, also where there is one alone. */
  isList: boolean;
}

export function readAddress(): Address {
  const query = new URLSearchParams(location.search);
  const place = /^#([A-Za-z0-9_-]+)(?:\/t(\d+))?$/.exec(location.hash);
  return {
    run: query.get('run') ?? undefined,
    episode: place?.[1],
    turn: place?.[2] === undefined ? undefined : Number(place[2]) - 1,
    compared: query.getAll('compare').map(sideOf),
    isGlossary: query.has('glossary'),
    isList: query.has('runs'),
  };
}

function sideOf(text: string): Side {
  const at = text.indexOf(':');
  return at < 0
    ? { run: text, condition: undefined }
    : { run: text.slice(0, at), condition: text.slice(at + 1) || undefined };
}

export const linkTo = (run: string, episode?: string, turn?: number): string =>
  `/?run=${encodeURIComponent(run)}${episode === undefined ? '' : `#${episode}`}${turn === undefined ? '' : `/t${turn + 1}`}`;

export const linkToCompare = (sides: readonly Side[]): string =>
  `/?${new URLSearchParams(
    sides.map(({ run, condition }) => ['compare', condition === undefined ? run : `${run}:${condition}`]),
  ).toString()}`;

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
