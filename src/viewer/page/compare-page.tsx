/** Two runs, or two conditions of one, side by side on one scale. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunEntry, RunView } from '../view-data.ts';
import { linkTo, linkToCompare, type Side } from './address.ts';
import { fetchRun, fetchRuns } from './api.ts';
import { Brand } from './brand.tsx';
import { notRunText } from './figures/ladder.tsx';
import { LayerMap } from './figures/layer-map.tsx';
import { RUNGS } from './figures/rung-figures.ts';
import { RungPlot } from './figures/rung-plot.tsx';
import { scaleOf, type Scale } from './figures/scale.ts';
import { useWidth } from './figures/use-width.ts';
import { meaningOf } from './format.ts';

export function ComparePage({ sides }: { sides: readonly Side[] }) {
  const [runs, setRuns] = useState<RunEntry[]>([]);
  const [views, setViews] = useState<ReadonlyMap<string, RunView | undefined>>(new Map());
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const names = sides.map(({ run }) => run).join('\n');
  useEffect(() => {
    document.title = 'Side by side · entrain';
    void fetchRuns().then(setRuns);
    for (const run of new Set(names.split('\n')))
      void fetchRun(run)
        .catch(() => undefined)
        .then((view) => setViews((were) => new Map(were).set(run, view)));
  }, [names]);
  const [left = { run: '', condition: undefined }, right = left] = sides;
  const shown = [left, right].map((side) => ({ side, view: onlyOf(views.get(side.run), side) }));
  const lines = shown.flatMap(({ view }) => (view ? RUNGS.flatMap((rung) => rung.lines(view.figures)) : []));
  const half = width > 760 ? (width - 16) / 2 - 34 : width - 34;
  const scale = scaleOf(lines, half);
  const go = (at: number, to: Side): void =>
    location.assign(linkToCompare([left, right].map((side, place) => (place === at ? to : side))));
  return (
    <>
      <header class="bar">
        <Brand />
        <h1 class="grow">Side by side</h1>
      </header>
      <main class="compare" ref={place}>
        {shown.map(({ side, view }, at) => (
          <section key={at} class="panel" aria-label={at === 0 ? 'Left' : 'Right'}>
            <Picker side={side} runs={runs} pick={(to) => go(at, to)} />
            {view ? (
              <Half run={view} condition={side.condition} scale={scale} />
            ) : (
              <p class="empty">
                {views.has(side.run) ? `There is no run "${side.run}" here.` : 'Reading the run …'}
              </p>
            )}
          </section>
        ))}
      </main>
    </>
  );
}

/** The run with the figures of one condition alone. */
function onlyOf(view: RunView | undefined, { condition }: Side): RunView | undefined {
  if (!view || condition === undefined) return view;
  const of = <T extends { condition: string }>(all: readonly T[]): T[] =>
    all.filter((one) => one.condition === condition);
  const { groups, differences } = view.figures;
  const figures = { ...view.figures, groups: of(groups), differences: of(differences) };
  return { ...view, figures };
}

interface PickerProps {
  side: Side;
  runs: readonly RunEntry[];
  pick(side: Side): void;
}

function Picker({ side, runs, pick }: PickerProps) {
  const conditions = runs.find(({ run }) => run === side.run)?.conditions ?? [];
  return (
    <div class="picker">
      <select
        aria-label="Run"
        value={side.run}
        onChange={(event) => pick({ run: event.currentTarget.value, condition: undefined })}
      >
        {runs.map(({ run }) => (
          <option key={run}>{run}</option>
        ))}
      </select>
      <select
        aria-label="Condition"
        value={side.condition ?? ''}
        onChange={(event) => pick({ run: side.run, condition: event.currentTarget.value || undefined })}
      >
        <option value="">all conditions</option>
        {conditions.map((condition) => (
          <option key={condition}>{condition}</option>
        ))}
      </select>
      <a href={linkTo(side.run)}>open</a>
    </div>
  );
}

interface HalfProps {
  run: RunView;
  /** The only one that is shown. */
  condition: string | undefined;
  scale: Scale;
}

function Half({ run, condition, scale }: HalfProps) {
  const [agent] = run.agents;
  return (
    <>
      <h2 class="compare-claim">
        {condition === undefined ? run.figures.verdict.claim : `${condition}: ${meaningOf(condition)}`}
      </h2>
      <p class="soft">
        {run.study} · {run.finished} of {run.episodes} episodes
        {agent && ` · ${agent.model}, ${agent.layers} layers × ${agent.dims}`}
      </p>
      {RUNGS.map((rung) => {
        const lines = rung.lines(run.figures).filter(({ mark }) => mark);
        return (
          <figure key={rung.place} class="rung">
            <figcaption>
              <h3>{rung.name}</h3>
              <p class="question">{rung.question}</p>
            </figcaption>
            {lines.length > 0 ? (
              <RungPlot rung={rung} lines={lines} run={run} scale={scale} />
            ) : (
              <p class="soft">{notRunText(rung, run)}</p>
            )}
          </figure>
        );
      })}
      <LayerMap run={run} />
    </>
  );
}
