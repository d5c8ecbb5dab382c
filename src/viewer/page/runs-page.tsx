/** The list of runs, with the verdict of each. */
import { useEffect, useState } from 'preact/hooks';
import type { RunEntry } from '../view-data.ts';
import { linkTo, linkToCompare } from './address.ts';
import { fetchRuns } from './api.ts';
import { Brand } from './brand.tsx';

const AGAIN_MS = 5000;

/** @param isList whether the list stays, also where only one run is to be looked at */
export function RunsPage({ isList }: { isList: boolean }) {
  const [runs, setRuns] = useState<RunEntry[]>();
  const [fault, setFault] = useState<string>();
  const [picked, setPicked] = useState<readonly string[]>([]);
  const toggle = (run: string): void =>
    setPicked((were) => (were.includes(run) ? were.filter((one) => one !== run) : [...were, run].slice(-2)));
  useEffect(() => {
    const read = async (): Promise<void> => {
      try {
        const found = await fetchRuns();
        const only = isList ? undefined : onlyOne(found);
        if (only) location.replace(linkTo(only.run));
        else setRuns(found);
        setFault(undefined);
      } catch (error) {
        setFault(String(error));
      }
    };
    void read();
    const timer = setInterval(() => void read(), AGAIN_MS);
    return () => clearInterval(timer);
  }, [isList]);
  return (
    <>
      <header class="bar">
        <Brand />
        <h1 class="grow">Runs</h1>
        {picked.length > 0 && (
          <a class="compare-link" href={linkToCompare(picked.map((run) => ({ run, condition: undefined })))}>
            {picked.length === 2 ? 'Compare these two side by side' : 'Compare two conditions of this run'}
          </a>
        )}
        <a href="/?glossary">Glossary</a>
      </header>
      <main class="runs">
        <p class="soft">
          Language models talk with one another, and what they hold in their layers is recorded. Open a run to
          read the talk, and to see whether one acts on the other.
        </p>
        {fault !== undefined && <p class="fault">The viewer does not answer ({fault}): is it running?</p>}
        {runs?.length === 0 && (
          <p class="empty">
            No run yet. Start one with <code>npm start</code>; it appears here by itself.
          </p>
        )}
        <ul>
          {runs?.map((run) => (
            <RunLine
              key={run.run}
              entry={run}
              isPicked={picked.includes(run.run)}
              toggle={() => toggle(run.run)}
            />
          ))}
        </ul>
      </main>
    </>
  );
}

/** The run that is under way, or the only one there is. */
function onlyOne(runs: readonly RunEntry[]): RunEntry | undefined {
  const open = runs.filter(({ state }) => state === 'running' || state === 'scoring');
  const [first] = open.length > 0 ? open : runs;
  return open.length === 1 || runs.length === 1 ? first : undefined;
}

/** As 2026-11-30 06:34, in the reader's time zone. */
const minuteOf = (ms: number): string =>
  new Date(ms).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });

interface RunLineProps {
  entry: RunEntry;
  isPicked: boolean;
  toggle(): void;
}

function RunLine({ entry, isPicked, toggle }: RunLineProps) {
  const { run, study, state, startedAtMs, episodes, finished, conditions, verdict } = entry;
  return (
    <li class="run-item">
      <a class="run-line" href={linkTo(run)}>
        <span class="run-name">{run}</span>
        <span class={`state ${state}`}>{state}</span>
        <span class="soft">
          {study !== run && `${study}: `}
          {conditions.join(', ')} · {finished} of {episodes} episodes · {minuteOf(startedAtMs)}
        </span>
        <span class="run-open" aria-hidden="true">
          Open →
        </span>
        <span class="run-verdict">{verdict}</span>
      </a>
      <label class="pick">
        <input type="checkbox" checked={isPicked} onChange={toggle} /> Compare
        <span class="hidden"> {run}</span>
      </label>
    </li>
  );
}
