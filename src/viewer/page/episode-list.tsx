/** The episodes of a run, by condition; the one being spoken is highlighted. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EpisodeView, RunView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { byCondition, conditionClass, isSpoken, meaningOf, numberOf, placeOf, turnText } from './format.ts';
import { unlessSame } from './unless-same.tsx';

/** More would make the page slow; the rest is reached by the filter and the search. */
const MOST_SHOWN = 400;

export function EpisodeList({
  run,
  shown,
  isPicked,
}: {
  run: RunView;
  shown: string | undefined;
  isPicked: boolean;
}) {
  const [only, setOnly] = useState<string>();
  const conditions = [...new Set(run.talks.map(({ condition }) => condition))]
    .map((condition) => ({ condition }))
    .toSorted(byCondition);
  const talks = run.talks.filter(({ condition }) => only === undefined || condition === only);
  const listed = around(talks, shown);
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => bringIntoView(list.current), [shown, only]);
  return (
    <>
      <div class="filters" role="group" aria-label="Show one condition">
        <button type="button" aria-pressed={only === undefined} onClick={() => setOnly(undefined)}>
          all
        </button>
        {conditions.map(({ condition }) => (
          <button
            key={condition}
            type="button"
            class={conditionClass(condition)}
            aria-pressed={only === condition}
            title={meaningOf(condition)}
            onClick={() => setOnly(condition)}
          >
            {condition} {run.talks.filter((talk) => talk.condition === condition).length}
          </button>
        ))}
      </div>
      {isPicked && run.state === 'running' && (
        <a class="follow" href={linkTo(run.run) + '#'}>
          Follow the talk that is spoken
        </a>
      )}
      <ol class="episodes" ref={list} tabIndex={0} aria-label="Episodes">
        {listed.map((talk, at) => (
          <Line
            key={talk.episode}
            run={run.run}
            maxTurns={run.maxTurns}
            talk={talk}
            isFirst={talk.round !== listed[at - 1]?.round}
            isOpen={isSpoken(run, talk)}
            isShown={talk.episode === shown}
          />
        ))}
      </ol>
      {talks.length > listed.length && (
        <p class="soft">and {talks.length - listed.length} more: find them by a word</p>
      )}
    </>
  );
}

/** Those beside the one that is shown: it stands in the list, however long the run is. */
function around(talks: readonly EpisodeView[], shown: string | undefined): readonly EpisodeView[] {
  const at = talks.findIndex(({ episode }) => episode === shown);
  const last = Math.max(0, talks.length - MOST_SHOWN);
  const from = Math.min(last, Math.max(0, at - MOST_SHOWN / 2));
  return talks.slice(from, from + MOST_SHOWN);
}

/** Scrolls the list alone, and only where the line that is shown is out of sight. */
function bringIntoView(list: HTMLElement | null): void {
  const line = list?.querySelector('[aria-current]')?.getBoundingClientRect();
  if (!list || !line) return;
  const box = list.getBoundingClientRect();
  if (line.top >= box.top && line.bottom <= box.bottom) return;
  list.scrollTop += line.top - box.top - box.height / 2;
}

interface LineProps {
  run: string;
  maxTurns: number;
  talk: EpisodeView;
  /** Whether it is the first of its round in the list. */
  isFirst: boolean;
  /** Whether it is spoken now. */
  isOpen: boolean;
  isShown: boolean;
}

const Line = unlessSame(({ run, maxTurns, talk, isFirst, isOpen, isShown }: LineProps) => {
  const { episode, scenario, condition, round, order } = talk;
  return (
    <li>
      {isFirst && round !== undefined && <span class="round">Round {round}</span>}
      <a
        href={linkTo(run, episode)}
        aria-current={isShown ? 'true' : undefined}
        class={isOpen ? 'open' : ''}
        title={`${scenario}, ${placeOf(talk)}, ${condition}: ${order.join(', ')}`}
      >
        <span class="number">{numberOf(talk)}</span>
        <span class="grow">{scenario}</span>
        {isOpen && <span class={`dot ${conditionClass(condition)}`} aria-hidden="true" />}
        <span class={conditionClass(condition)}>{isOpen ? turnText(talk, maxTurns) : condition}</span>
      </a>
    </li>
  );
});
