/** The other episodes that are spoken now, as small tiles with their last words; a click brings one into focus. */
import type { EpisodeView, RunView } from '../view-data.ts';
import { linkTo } from './address.ts';
import type { RunModel } from './use-run.ts';
import { conditionClass, hueOf } from './format.ts';

const MOST_TILES = 32;

export function Tiles({ run, model, shown }: { run: RunView; model: RunModel; shown: string | undefined }) {
  const open = run.talks.filter((talk) => talk.open);
  if (open.length < 2) return null;
  return (
    <nav class="tiles" aria-label="Episodes that are spoken now">
      {open.slice(0, MOST_TILES).map((talk) => (
        <Tile
          key={talk.episode}
          run={run.run}
          talk={talk}
          isShown={talk.episode === shown}
          last={lastOf(model, talk.episode)}
        />
      ))}
    </nav>
  );
}

interface Last {
  agent: string;
  turn: number;
  text: string;
}

const lastOf = ({ speaking, words }: RunModel, episode: string): Last | undefined =>
  speaking.get(episode) ?? words.get(episode)?.at(-1);

interface TileProps {
  run: string;
  talk: EpisodeView;
  isShown: boolean;
  last: Last | undefined;
}

function Tile({ run, talk, isShown, last }: TileProps) {
  const { episode, scenario, condition, order, turns } = talk;
  return (
    <a href={linkTo(run, episode)} class={`tile ${conditionClass(condition)}`} aria-current={isShown}>
      <span class="tile-name">{scenario}</span>
      <span class="soft">
        {condition} · {turns}
      </span>
      <span class={`tile-words ${last ? hueOf(last.turn % order.length) : ''}`} dir="auto">
        {last ? last.text.slice(-90) : '…'}
      </span>
    </a>
  );
}
