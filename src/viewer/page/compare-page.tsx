/** Two runs, or two conditions of one, side by side on one scale. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RunEntry, RunView } from '../view-data.ts';
import { linkTo, linkToCompare, type Side } from './address.ts';
import { fetchRuns } from './api.ts';
import { Brand } from './brand.tsx';
import { fullColour, LayerMap } from './figures/layer-map.tsx';
import { RungView } from './figures/ladder.tsx';
import { RUNGS } from './figures/rung-figures.ts';
import { RungBody } from './figures/rung-body.tsx';
import { scaleOf, type Scale } from './figures/scale.ts';
import { useWidth } from './figures/use-width.ts';
import { directionOf, meaningOf, probability, signed } from './format.ts';
import { useIsNarrow } from './state/use-media.ts';
import { useSides, type SideView } from './state/use-sides.ts';

export function ComparePage({ sides }: { sides: readonly Side[] }) {
  const [runs, setRuns] = useState<RunEntry[]>([]);
  const views = useSides(sides.map(({ run }) => run));
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  useEffect(() => {
    document.title = 'Side by side · entrain';
    // Without the list the runs stay as the address names them.
    void fetchRuns().then(setRuns, () => undefined);
  }, []);
  const [left = { run: '', condition: undefined }, right = left] = sides;
  const shown = [left, right].map((side) => ({ side, view: onlyOf(readOf(views.get(side.run)), side) }));
  const lines = shown.flatMap(({ view }) => (view ? RUNGS.flatMap((rung) => rung.lines(view.figures)) : []));
  const names = shown.flatMap(
    ({ view }) => view?.figures.groups.map((group) => directionOf(group, view)) ?? [],
  );
  const half = useIsNarrow() ? width - 34 : (width - 16) / 2 - 34;
  const scale = scaleOf(lines, half, names);
  const full = Math.max(...shown.map(({ view }) => (view ? fullColour(view) : 0)));
  const go = (at: number, to: Side): void =>
    location.assign(linkToCompare([left, right].map((side, place) => (place === at ? to : side))));
  return (
    <>
      <header class="bar">
        <Brand />
        <h1 class="grow">Side by side</h1>
        <a href="/?glossary">Glossary</a>
      </header>
      <Between sides={[left, right]} run={left.run === right.run ? readOf(views.get(left.run)) : undefined} />
      <main class="compare" ref={place}>
        {shown.map(({ side, view }, at) => (
          <section key={at} class="panel" aria-label={at === 0 ? 'Left' : 'Right'}>
            <Picker side={side} runs={runs} pick={(to) => go(at, to)} />
            {view ? (
              <Half run={view} condition={side.condition} scale={scale} full={full} />
            ) : (
              <p class="empty">{insteadOf(side.run, views.get(side.run))}</p>
            )}
          </section>
        ))}
      </main>
    </>
  );
}

const readOf = (view: SideView | undefined): RunView | undefined =>
  typeof view === 'string' ? undefined : view;

/** What stands in place of a run. */
function insteadOf(run: string, view: SideView | undefined): string {
  if (view === 'none') return `There is no run "${run}" here: pick one from the list above.`;
  if (view === 'awaited') return 'The run is starting: its agents load their models.';
  if (view === 'lost') return 'The viewer does not answer; trying again.';
  return 'Reading the run …';
}

/** Of two conditions of one run: its verdict, and the difference between them. */
function Between({ sides: [left, right], run }: { sides: [Side, Side]; run: RunView | undefined }) {
  if (!run) return null;
  const conditions = [left.condition, right.condition];
  const differences = run.figures.differences.filter(
    ({ condition, against, sourceRole }) =>
      sourceRole !== undefined && conditions.includes(condition) && conditions.includes(against),
  );
  const texts = differences.map(
    ({ condition, sourceRole, targetRole, value, low, high, pValue }) =>
      `${directionOf({ condition, sourceRole, targetRole }, run)} ${signed(value)} [${signed(low)}, ${signed(high)}], p ${probability(pValue)}`,
  );
  const [first] = differences;
  return (
    <section class="verdict" aria-label="What the figures allow one to say">
      <p class="compare-claim">{run.figures.verdict.claim}</p>
      {first && (
        <p class="evidence">
          Excess, {first.condition} − {first.against}: {texts.join(' · ')}
        </p>
      )}
    </section>
  );
}

/** The run with the figures of one condition alone. */
function onlyOf(view: RunView | undefined, { condition }: Side): RunView | undefined {
  if (!view || condition === undefined) return view;
  const of = <T extends { condition: string }>(all: readonly T[]): T[] =>
    all.filter((one) => one.condition === condition);
  // A difference is of both sides: it stands above them.
  const figures = { ...view.figures, groups: of(view.figures.groups), differences: [] };
  return { ...view, figures };
}

interface PickerProps {
  side: Side;
  runs: readonly RunEntry[];
  pick(side: Side): void;
}

function Picker({ side, runs, pick }: PickerProps) {
  const listed = runs.map(({ run }) => run);
  const names = listed.includes(side.run) ? listed : [side.run, ...listed];
  const conditions = runs.find(({ run }) => run === side.run)?.conditions ?? [];
  return (
    <div class="picker">
      <select
        aria-label="Run"
        value={side.run}
        onChange={(event) => pick({ run: event.currentTarget.value, condition: undefined })}
      >
        {names.map((run) => (
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
  /** Of the maps on both sides. */
  full: number;
}

function Half({ run, condition, scale, full }: HalfProps) {
  const [agent] = run.agents;
  return (
    <>
      <h2 class="compare-claim">
        {condition === undefined ? run.figures.verdict.claim : `${condition}: ${meaningOf(condition)}`}
      </h2>
      <p class="soft">
        <span class={`state ${run.state}`}>{run.state}</span> {run.study} · {run.finished} of {run.episodes}{' '}
        episodes
        {agent && ` · ${agent.model}, ${agent.layers} layers of ${agent.dims} numbers`}
        {condition !== undefined &&
          run.figures.groups.map((group) => ` · ${directionOf(group, run)} ${group.samples} turn pairs`)}
      </p>
      {RUNGS.map((rung) => (
        <RungView key={rung.place} rung={rung}>
          <RungBody rung={rung} lines={rung.lines(run.figures)} run={run} scale={scale} />
        </RungView>
      ))}
      <LayerMap run={run} full={full} />
    </>
  );
}
