/**
 * The rows of one group with their states, ready for the measures. The order of arrival leaves no trace: rows are sorted by
 * episode and turn, and over the cap it is a hash of the episode's name that says which ones stay.
 */
import { deriveSeed } from '../../protocol/seed.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import { pairTurns } from '../../synchrony/syncr2/turn-pairs.ts';
import type { EpisodeStates, EpisodeTurn, TurnPairs } from '../../synchrony/types.ts';
import {
  createEpisodeBook,
  placeOf,
  rowsOf,
  type BookChange,
  type BookEpisode,
  type EpisodeBook,
  type Group,
  type Row,
} from './episode-index.ts';
import type { SampleCounts } from '../../protocol/minimums.ts';
import type { RowIds, ScoreInput } from '../scoring/messages.ts';
import { turnNumbers, type TurnNumbers } from './turn-numbers.ts';

export interface GroupRows {
  group: Group;
  version: number;
  /** Episode id → its rows in this group, by turn. */
  episodes: Map<string, Row[]>;
  /** How many rows these are. */
  size: number;
}

export interface Selection {
  pairs: TurnPairs;
  rows: RowIds;
  counts: SampleCounts;
  leftOut: number;
  /** Layers and dimensions of the rows. */
  shape: string;
}

/** Everything that was recorded of one run, ready to be scored. */
export interface RunRows {
  book: EpisodeBook<TurnNumbers>;
  groups: Map<string, GroupRows>;
}

export function emptyRunRows(): RunRows {
  return { book: createEpisodeBook<TurnNumbers>(), groups: new Map() };
}

/** Books a frame and brings the groups up to date. */
export function takeFrameRows(
  run: RunRows,
  { frame, origin, again }: ScoreInput,
  maxRows = MAX_ROWS,
): BookChange {
  const change =
    frame.type === 'episode'
      ? run.book.addEpisode(frame)
      : run.book.addTurn(frame.episode, { ...placeOf(frame, origin), payload: turnNumbers(frame) });
  const episode = run.book.episode(frame.episode);
  if (episode) applyChange(run.groups, episode, { ...change, counted: again !== true });
  dropOverCap(run, change, maxRows);
  return change;
}

/** The run without its rows: what was counted of its groups stays. */
export function withoutRows({ groups }: RunRows): RunRows {
  const emptied = [...groups].map(([key, { group, version }]): [string, GroupRows] => [
    key,
    { group, version, episodes: new Map(), size: 0 },
  ]);
  return { book: createEpisodeBook<TurnNumbers>(), groups: new Map(emptied) };
}

/** Rows a group may hold: at 12 layers × 768 dims in float64 about 150 kB each. */
export const MAX_ROWS = 4000;

/** Names a row within its episode and group. */
export const rowId = ({ sourceTurn, targetTurn }: Row): string => `${sourceTurn}>${targetTurn}`;

/** A stable label for a name: equal in every run, so that the side of a scenario in a split never moves. */
export const labelOf = (...names: string[]): number => deriveSeed(...names) >>> 1;

/** Brings the groups up to date after a frame has changed an episode. */
export function applyChange(
  groups: Map<string, GroupRows>,
  episode: BookEpisode<TurnNumbers>,
  change: BookChange & { counted: boolean },
): void {
  if (change.counted)
    for (const row of [...change.added, ...change.replaced]) openGroup(groups, row.group).version += 1;
  for (const row of change.added) openGroup(groups, row.group).size += 1;
  if (change.added.length === 0) return;
  for (const [key, rows] of groupBy(rowsOf(episode), (row) => row.group.key))
    groups.get(key)?.episodes.set(episode.id, rows);
}

function openGroup(groups: Map<string, GroupRows>, group: Group): GroupRows {
  const known = groups.get(group.key) ?? { group, version: 0, episodes: new Map<string, Row[]>(), size: 0 };
  groups.set(group.key, known);
  return known;
}

/** What a score is computed over. */
export function selectRows(group: GroupRows, book: EpisodeBook<TurnNumbers>, maxRows = MAX_ROWS): Selection {
  const kept = underRowCap(group, maxRows);
  const shape = commonShape(kept, book) ?? '';
  const all = [...group.episodes.values()].flat().length;
  const usable = kept
    .map((rows) => rows.filter((row) => shapeOf(row, book) === shape))
    .filter((rows) => rows.length > 0);
  const used = usable.flat();
  return {
    pairs: pairTurns(
      usable.map((rows) => dyadOf(rows, book)),
      { direction: 'first_to_second', lag: 1 },
    ),
    rows: Object.fromEntries(usable.map((rows) => [(rows[0] as Row).episode, rows.map(rowId)])),
    counts: countSamples(used),
    leftOut: all - used.length,
    shape,
  };
}

/** Whole episodes, those with the smallest hash first, until the cap is reached; then in the order of their names. */
function underRowCap({ episodes, size }: GroupRows, maxRows: number): Row[][] {
  const byName = [...episodes].sort(([a], [b]) => (a < b ? -1 : 1));
  if (size <= maxRows) return byName.map(([, rows]) => rows);
  const kept = new Set<string>();
  let taken = 0;
  for (const [id, rows] of byName.toSorted(([a], [b]) => labelOf('keep', a) - labelOf('keep', b))) {
    if (taken + rows.length > maxRows) break;
    taken += rows.length;
    kept.add(id);
  }
  return byName.filter(([id]) => kept.has(id)).map(([, rows]) => rows);
}

/** Which episodes of a group a score may take in. */
export function keptEpisodes(group: GroupRows, maxRows = MAX_ROWS): Pick<Set<string>, 'has'> {
  if (group.size <= maxRows) return group.episodes;
  return new Set(underRowCap(group, maxRows).flatMap(([row]) => (row ? [row.episode] : [])));
}

/** How many rows a group over the cap may take in before memory is given back. */
const SLACK_ROWS = 128;
const NO_NUMBERS: TurnNumbers = {
  layers: 0,
  states: new Float32Array(0),
  text: new Float32Array(0),
  words: new Float32Array(0),
  sentence: new Float32Array(0),
};

/**
 * Gives back the memory of episodes that no group keeps. The rule is a hash, so a larger recording never calls an episode
 * back that a smaller one had dropped.
 */
function dropOverCap(run: RunRows, change: BookChange, maxRows: number): void {
  const due = change.added.some(({ group }) => {
    const size = run.groups.get(group.key)?.size ?? 0;
    return size > maxRows && size % SLACK_ROWS === 0;
  });
  if (!due) return;
  const kept = new Set<string>();
  for (const group of run.groups.values())
    for (const [row] of underRowCap(group, maxRows)) if (row) kept.add(row.episode);
  for (const { id, turns, about } of run.book.episodes())
    if (about && !kept.has(id)) for (const turn of turns.values()) turn.payload = NO_NUMBERS;
}

/** The numbers of a turn that is in a row. */
export function turnOf(book: EpisodeBook<TurnNumbers>, episode: string, turn: number): TurnNumbers {
  const found = book.episode(episode)?.turns.get(turn);
  if (!found) throw new Error(`turn ${turn} of ${episode} is in a row but not in the book`);
  return found.payload;
}

export function shapeOf({ episode, sourceTurn, targetTurn }: Row, book: EpisodeBook<TurnNumbers>): string {
  return [turnOf(book, episode, sourceTurn), turnOf(book, episode, targetTurn)]
    .map(({ layers, states, text, words, sentence }) =>
      [layers, states.length, text.length, words.length, sentence.length].join('x'),
    )
    .join(' ');
}

/** The shape that most rows have. */
function commonShape(kept: Row[][], book: EpisodeBook<TurnNumbers>): string | undefined {
  const counts = new Map<string, number>();
  for (const row of kept.flat()) {
    const shape = shapeOf(row, book);
    counts.set(shape, (counts.get(shape) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}

/**
 * A group's rows of an episode as an episode of two: the source's turns keep their number, the target's next turn takes the one
 * after. With two agents that is what happened; with more it leaves out those who spoke in between.
 */
export function dyadOf(rows: readonly Row[], book: EpisodeBook<TurnNumbers>): EpisodeStates {
  const { episode, scenario } = rows[0] as Row;
  return {
    episode: labelOf(episode),
    scenario: labelOf(scenario),
    pair: labelOf(book.episode(episode)?.about?.pair ?? ''),
    turns: rows.flatMap((row) => [
      episodeTurn(turnOf(book, episode, row.sourceTurn), row.sourceTurn, 0),
      episodeTurn(turnOf(book, episode, row.targetTurn), row.sourceTurn + 1, 1),
    ]),
  };
}

function episodeTurn(numbers: TurnNumbers, turn: number, speaker: number): EpisodeTurn {
  return { turn, speaker, ...numbers };
}

function countSamples(rows: Row[]): SampleCounts {
  const distinct = (of: (row: Row) => string): number => new Set(rows.map(of)).size;
  return {
    samples: rows.length,
    episodes: distinct((row) => row.episode),
    scenarios: distinct((row) => row.scenario),
  };
}
