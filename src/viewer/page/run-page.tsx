/** One run: its verdict, its talk, and the ladder of what the figures show. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { RunView } from '../view-data.ts';
import { linkToCompare, type Side } from './address.ts';
import { NO_RUN } from './api.ts';
import { Brand } from './brand.tsx';
import { Course } from './figures/excess-curve.tsx';
import { LayerMap } from './figures/layer-map.tsx';
import { Trends } from './figures/trends.tsx';
import { WhoMovesWhom } from './figures/who-moves-whom.tsx';
import { HealthLine } from './health-line.tsx';
import { Progress } from './progress.tsx';
import { Tiles } from './tiles.tsx';
import { EpisodeList } from './episode-list.tsx';
import { Finder } from './word-search.tsx';
import { Ladder } from './figures/ladder.tsx';
import { Talk } from './talk.tsx';
import type { Tint } from './tint-legend.tsx';
import { useRun } from './state/use-run.ts';
import { byCondition } from './format.ts';
import { Verdict } from './verdict.tsx';

export function RunPage({
  name,
  episode,
  turn,
}: {
  name: string;
  episode: string | undefined;
  turn: number | undefined;
}) {
  const [followed, setFollowed] = useState<string>();
  const [tab, setTab] = useTab(episode, turn);
  const [picked, setPicked] = useState<Tint>();
  const shown = episode ?? followed;
  const model = useRun(name, shown);
  // Until the user picks an episode, the page follows the one being spoken.
  if (episode === undefined && model.liveliest !== undefined && model.liveliest !== followed)
    setFollowed(model.liveliest);
  const { run, fault } = model;
  // Figures change with scores, and with who speaks: not with every word.
  const figures = useMemo(() => run && <Figures run={run} />, [run?.figures, run?.talks.length]);
  if (!run) return <Waiting name={name} isAwaited={model.isAwaited} fault={fault} />;
  return (
    <>
      <Head run={run} />
      {model.isLost && <Lost run={name} />}
      {run.state === 'running' && <HealthLine parts={model.health} />}
      <Verdict run={run} />
      <Tabs tab={tab} pick={setTab} />
      <main class={`grid tab-${tab}`}>
        <section class="panel talks" aria-labelledby="talks-title">
          <h2 id="talks-title">Episodes</h2>
          <Finder run={run} />
          <EpisodeList run={run} shown={shown} isPicked={episode !== undefined} />
        </section>
        <section class="panel talk" aria-label="The talk">
          <Tiles run={run} model={model} shown={shown} />
          <Talk
            key={shown}
            run={run}
            episode={shown}
            turn={turn}
            words={model.words.get(shown ?? '') ?? []}
            speaking={model.speaking.get(shown ?? '')}
            isFault={fault !== undefined}
            picked={picked}
            pick={setPicked}
          />
        </section>
        {figures}
      </main>
    </>
  );
}

/** Before there is a run to show. */
function Waiting({
  name,
  isAwaited,
  fault,
}: {
  name: string;
  isAwaited: boolean;
  fault: string | undefined;
}) {
  return (
    <>
      <header class="bar">
        <Brand />
        <h1 class="grow">{name}</h1>
      </header>
      <main class="runs">
        {isAwaited ? (
          <p class="empty" role="status">
            The run is starting: its agents load their models. The talk appears here by itself.
          </p>
        ) : fault === NO_RUN ? (
          <p class="empty">
            There is no run "{name}" here. <a href="/?runs">All runs</a>
          </p>
        ) : fault !== undefined ? (
          <p class="empty">The viewer does not answer; trying again.</p>
        ) : (
          <p class="empty">Reading the run …</p>
        )}
      </main>
    </>
  );
}

function Figures({ run }: { run: RunView }) {
  return (
    <section class="panel figures" aria-labelledby="figures-title">
      <h2 id="figures-title">What their hidden states show</h2>
      <p class="soft figures-intro">
        A hidden state is what a model holds in its layers once it has read a turn. Three questions, as rungs
        of a ladder: the higher one says more. All figures are of the whole run, whichever episode is open.
      </p>
      <WhoMovesWhom run={run} />
      <Ladder run={run} />
      <Course run={run} />
      <Trends run={run} />
      <LayerMap run={run} />
    </section>
  );
}

/** Where the viewer's program does not answer any more. */
function Lost({ run }: { run: string }) {
  return (
    <p class="fault lost" role="alert">
      The viewer does not answer; trying again. If its program has ended, start it again:{' '}
      <code>entrain view {run}</code>
    </p>
  );
}

function Head({ run }: { run: RunView }) {
  return (
    <header class="bar">
      <Brand />
      <h1>{run.run}</h1>
      <span class={`state ${run.state}`}>{run.state}</span>
      <span class="soft grow">
        {modelsText(run.agents)} · temperature {run.temperature}
      </span>
      <a class="soft" href={linkToCompare(sidesOf(run))}>
        Compare
      </a>
      <a class="soft" href="/?glossary">
        Glossary
      </a>
      <Progress run={run} />
    </header>
  );
}

/** Its first two conditions, or itself twice. */
function sidesOf({ run, conditions }: RunView): Side[] {
  const sorted = conditions.map((condition) => ({ condition })).toSorted(byCondition);
  const [first, second = first] = [
    sorted[0],
    sorted.find(({ condition }) => condition === 'monologue') ?? sorted[1],
  ];
  return [first, second].map((one) => ({ run, condition: one?.condition }));
}

/** The agents' models as text; `both: MODEL` if they are the same. */
function modelsText(agents: RunView['agents']): string {
  const sorted = agents.toSorted((a, b) => a.id.localeCompare(b.id));
  const names: string[] = sorted.map(
    ({ model, layers, dims }) => `${model}, ${layers} layers of ${dims} numbers`,
  );
  const [name, ...others] = [...new Set(names)];
  const ids = sorted.map(({ id }) => id);
  if (name !== undefined && others.length === 0) return `${ids.join(', ')}: ${name}`;
  return sorted.map(({ id }, at) => `${id}: ${names[at]}`).join('  ·  ');
}

const TABS = ['talk', 'findings', 'episodes'] as const;
type Tab = (typeof TABS)[number];

/** The part of the page that is shown where one is at a time; an episode that is picked brings its talk. */
function useTab(episode: string | undefined, turn: number | undefined): [Tab, (tab: Tab) => void] {
  const [tab, setTab] = useState<Tab>('talk');
  const [picked, setPicked] = useState({ episode, turn });
  if (picked.episode !== episode || picked.turn !== turn) {
    setPicked({ episode, turn });
    setTab('talk');
  }
  return [tab, setTab];
}

/** On a narrow window one panel is shown at a time, from its beginning. */
function Tabs({ tab, pick }: { tab: Tab; pick(tab: Tab): void }) {
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    const [box, panels] = [bar.current, bar.current?.nextElementSibling];
    if (!box || !panels) return;
    const beyond = panels.getBoundingClientRect().top - box.getBoundingClientRect().bottom;
    if (beyond < 0) scrollBy(0, beyond);
  }, [tab]);
  return (
    <nav class="tabs" ref={bar} aria-label="Parts of the page">
      {TABS.map((one) => (
        <button key={one} type="button" aria-pressed={one === tab} onClick={() => pick(one)}>
          {one}
        </button>
      ))}
    </nav>
  );
}
