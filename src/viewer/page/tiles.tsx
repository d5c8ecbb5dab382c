/** The episodes that are spoken now, as small tiles with their last words; a click brings one into focus. */
import type { EpisodeView, RunView } from '../view-data.ts';
import { linkTo } from './address.ts';
import type { RunModel } from './state/run-model.ts';
import { conditionClass, hueOf, isSpoken, numberOf, turnText } from './format.ts';
import { unlessSame } from './unless-same.tsx';

const MOST_TILES = 32;
const ONE_ROW = 3;
/** So many are in sight without scrolling. */
const IN_SIGHT = 6;
const LAST_CHARS = 90;

export function Tiles({ run, model, shown }: { run: RunView; model: RunModel; shown: string | undefined }) {
  const open = run.talks.filter((talk) => isSpoken(run, talk));
  if (open.length < 2) return null;
  return (
    <div class="tiles-place">
      {open.length > IN_SIGHT && (
        <p class="soft">{open.length} episodes are spoken now; scroll for the others.</p>
      )}
      <nav
        class={`tiles${open.length > ONE_ROW ? ' two-rows' : ''}`}
        aria-label="Episodes that are spoken now"
      >
        {open.slice(0, MOST_TILES).map((talk) => (
          <Tile
            key={talk.episode}
            run={run.run}
            maxTurns={run.maxTurns}
            talk={talk}
            isShown={talk.episode === shown}
            {...lastOf(model, talk.episode)}
          />
        ))}
      </nav>
    </div>
  );
}

/** The last words of an episode, and whose they are. */
function lastOf({ speaking, words }: RunModel, episode: string): { last: string; lastTurn: number } {
  const found = speaking.get(episode) ?? words.get(episode)?.at(-1);
  return { last: found ? lastWords(found.text) : '…', lastTurn: found?.turn ?? -1 };
}

/** The end of a text, from the beginning of a word where it has one. */
const lastWords = (text: string): string =>
  text.length <= LAST_CHARS ? text : `… ${text.slice(-LAST_CHARS).replace(/^\S*\s+(?=\S)/, '')}`;

interface TileProps {
  run: string;
  maxTurns: number;
  talk: EpisodeView;
  isShown: boolean;
  last: string;
  /** -1 before the first word. */
  lastTurn: number;
}

const Tile = unlessSame(({ run, maxTurns, talk, isShown, last, lastTurn }: TileProps) => {
  const { episode, scenario, condition, order } = talk;
  return (
    <a href={linkTo(run, episode)} class={`tile ${conditionClass(condition)}`} aria-current={isShown}>
      <span class="tile-name">
        <span class="soft">{numberOf(talk)}</span> {scenario}
      </span>
      <span class="tile-place soft">
        <span>{condition}</span> <span>{turnText(talk, maxTurns)}</span>
      </span>
      <span class={`tile-words ${lastTurn < 0 ? '' : hueOf(lastTurn % order.length)}`}>
        <span dir="auto">{last}</span>
      </span>
    </a>
  );
});
