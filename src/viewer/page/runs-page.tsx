/** The list of runs, with the verdict of each. */
import { useEffect, useState } from 'preact/hooks';
import type { RunEntry } from '../view-data.ts';
import { linkTo, linkToCompare } from './address.ts';
import { fetchRuns } from './api.ts';
import { Brand } from './brand.tsx';
import { conditionClass } from './format.ts';

const AGAIN_MS = 5000;

export function RunsPage() {
  const [runs, setRuns] = useState<RunEntry[]>();
  const [fault, setFault] = useState<string>();
  const [picked, setPicked] = useState<readonly string[]>([]);
  const toggle = (run: string): void =>
    setPicked((were) => (were.includes(run) ? were.filter((one) => one !== run) : [...were, run].slice(-2)));
  useEffect(() => {
    const read = async (): Promise<void> => {
      try {
        setRuns(await fetchRuns());
        setFault(undefined);
      } catch (error) {
        setFault(String(error));
      }
    };
    void read();
    const timer = setInterval(() => void read(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
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
        {fault !== undefined && (
          <p class="fault">The viewer does not answer: {fault}. Is it still running?</p>
        )}
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

interface RunLineProps {
  entry: RunEntry;
  isPicked: boolean;
  toggle(): void;
}

function RunLine({ entry, isPicked, toggle }: RunLineProps) {
  const { run, study, state, startedAtMs, episodes, finished, conditions, verdict } = entry;
  return (
    <li class="run-item">
      <label class="pick" title="Pick for a comparison">
        <input type="checkbox" checked={isPicked} onChange={toggle} />
        <span class="hidden">Compare {run}</span>
      </label>
      <a class="run-line" href={linkTo(run)}>
        <span class="run-name">{run}</span>
        <span class={`state ${state}`}>{state}</span>
        <span class="soft">
          {study} · {finished} of {episodes} episodes · {new Date(startedAtMs).toLocaleString()}
        </span>
        <span class="chips">
          {conditions.map((condition) => (
            <span key={condition} class={`chip ${conditionClass(condition)}`}>
              {condition}
            </span>
          ))}
        </span>
        <span class="run-verdict">{verdict}</span>
      </a>
    </li>
  );
}
