/** The episodes of a run, by condition; the one being spoken is highlighted. */
import { useState } from 'preact/hooks';
import type { EpisodeView, RunView } from '../view-data.ts';
import { linkTo } from './address.ts';
import { byCondition, conditionClass, meaningOf } from './format.ts';
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
  return (
    <>
      <div class="chips" role="group" aria-label="Show one condition">
        {conditions.map(({ condition }) => (
          <button
            key={condition}
            type="button"
            class={`chip ${conditionClass(condition)}`}
            aria-pressed={only === condition}
            title={meaningOf(condition)}
            onClick={() => setOnly(only === condition ? undefined : condition)}
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
      <ol class="episodes" tabIndex={0} aria-label="Episodes">
        {talks.slice(0, MOST_SHOWN).map((talk) => (
          <Line key={talk.episode} run={run.run} talk={talk} isShown={talk.episode === shown} />
        ))}
      </ol>
      {talks.length > MOST_SHOWN && (
        <p class="soft">and {talks.length - MOST_SHOWN} more: find them by a word</p>
      )}
    </>
  );
}

interface LineProps {
  run: string;
  talk: EpisodeView;
  isShown: boolean;
}

const Line = unlessSame(({ run, talk, isShown }: LineProps) => {
  const { episode, scenario, condition, turns, open } = talk;
  return (
    <li>
      <a href={linkTo(run, episode)} aria-current={isShown ? 'true' : undefined} class={open ? 'open' : ''}>
        <span class={`dot ${conditionClass(condition)}`} aria-hidden="true" />
        <span class="grow">{scenario}</span>
        <span class="soft">{open ? `turn ${turns + 1}` : ''}</span>
        <span class="hidden">{condition}</span>
      </a>
    </li>
  );
});
