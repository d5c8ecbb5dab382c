/**
 * The rows of one group with their states, for the measures. The result does not depend on the order of arrival: rows
 * are sorted by episode and turn, and above the row limit a hash of the episode's name decides which ones stay.
 */
import { pairTurns } from '../../synchrony/syncr2/turn-pairs.ts';
import type { EpisodeStates, EpisodeTurn, TurnPairs } from '../../synchrony/types.ts';
import type { SampleCounts } from '../../protocol/minimums.ts';
import type { StudyPlan } from '../../protocol/stream/frames.ts';
import { distanceOf, type Group } from './episode-index.ts';
import { episodesUnderCap, isCapDue, labelOf, MAX_ROWS } from './row-cap.ts';
import { NO_NUMBERS, shapeOfTurn, unpackTurn, type SharedTurn } from './turn-numbers.ts';

/** A row with its states: A's at `sourceTurn` and B's next one at `targetTurn`. */
export interface OwnedRow {
  episode: string;
  scenario: string;
  pair: string;
  sourceTurn: number;
  targetTurn: number;
  source: SharedTurn;
  target: SharedTurn;
  /** The plan of the study, which fixes the number of groups beforehand; absent before protocol 2.0. */
  plan?: StudyPlan;
}

/** New or replaced rows of one group, for the worker that owns the group. */
export interface RowsUpdate {
  group: Group;
  /** Number of changes of the group's rows so far, including these. */
  version: number;
  rows: OwnedRow[];
}

export interface GroupRows {
  group: Group;
  version: number;
  /** Episode id → its rows in this group, by turn. */
  episodes: Map<string, OwnedRow[]>;
  /** Total number of rows. */
  size: number;
}

/** The rows of a score, so that a replay can find them: for each episode SOURCE>TARGET turns, in order. */
export type RowIds = Record<string, string[]>;

export interface Selection {
  /** Computed at its first use, since it holds all values of the rows in float64. */
  readonly pairs: TurnPairs;
  rows: RowIds;
  counts: SampleCounts;
  leftOut: number;
  /** The study's plan; all episodes of a run have the same. */
  plan: StudyPlan | undefined;
}

/**
 * Applies an update to its group.
 * @returns the group
 */
export function takeRows(
  groups: Map<string, GroupRows>,
  { group, version, rows }: RowsUpdate,
  maxRows = MAX_ROWS,
): GroupRows {
  const owned = groups.get(group.key) ?? { group, version, episodes: new Map<string, OwnedRow[]>(), size: 0 };
  groups.set(group.key, owned);
  owned.version = version;
  let due = false;
  for (const row of rows) {
    if (!putRow(owned.episodes, row)) continue;
    owned.size += 1;
    due ||= isCapDue(owned.size, maxRows);
  }
  if (due) dropOverCap(owned, maxRows);
  return owned;
}

/** @returns false if the row replaces an earlier one */
function putRow(episodes: GroupRows['episodes'], row: OwnedRow): boolean {
  const rows = episodes.get(row.episode) ?? [];
  episodes.set(row.episode, rows);
  let at = rows.length;
  while (at > 0 && byTurn(rows[at - 1] as OwnedRow, row) > 0) at -= 1;
  const known = rows[at - 1];
  const replaces = known !== undefined && byTurn(known, row) === 0;
  rows.splice(replaces ? at - 1 : at, replaces ? 1 : 0, row);
  return !replaces;
}

const byTurn = (a: OwnedRow, b: OwnedRow): number =>
  a.sourceTurn - b.sourceTurn || a.targetTurn - b.targetTurn;

/** The group without its rows; its counts are kept. */
export function withoutRows({ group, version }: GroupRows): GroupRows {
  return { group, version, episodes: new Map(), size: 0 };
}

/** Name of a row within its episode and group. */
export const rowId = ({ sourceTurn, targetTurn }: Pick<OwnedRow, 'sourceTurn' | 'targetTurn'>): string =>
  `${sourceTurn}>${targetTurn}`;

/** The rows that a score is computed from. */
export function selectRows(group: GroupRows, maxRows = MAX_ROWS): Selection {
  const kept = underRowCap(group, maxRows);
  const shape = commonShape(kept) ?? '';
  const used = kept
    .map((rows) => rows.filter((row) => shapeOf(row) === shape))
    .filter((rows) => rows.length > 0);
  const flat = used.flat();
  let pairs: TurnPairs | undefined;
  return {
    get pairs() {
      pairs ??= pairTurns(used.map(dyadOf), { direction: 'first_to_second', lag: 1 });
      return pairs;
    },
    rows: Object.fromEntries(used.map((rows) => [(rows[0] as OwnedRow).episode, rows.map(rowId)])),
    counts: countSamples(flat),
    leftOut: group.size - flat.length,
    plan: flat[0]?.plan,
  };
}

/** The number of turn pairs of a group in every finished episode, from the turn before which no agent may leave. */
export function fewestPairs({ agents, sourceRole, targetRole }: Group, minTurns: number): number {
  const distance = distanceOf({ agents, sourceRole, targetRole });
  const turns = Array.from({ length: Math.max(0, minTurns - distance) }, (_, turn) => turn);
  return turns.filter((turn) => turn % agents === sourceRole - 1).length;
}

/** Whole episodes in the order of their hashes until the row limit is reached, then sorted by name. */
function underRowCap(group: GroupRows, maxRows: number): OwnedRow[][] {
  const kept = keptEpisodes(group, maxRows);
  return [...group.episodes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([id]) => kept.has(id))
    .map(([, rows]) => rows);
}

/** Episodes of a group that a score may use. */
export function keptEpisodes({ episodes, size }: GroupRows, maxRows = MAX_ROWS): Pick<Set<string>, 'has'> {
  if (size <= maxRows) return episodes;
  return episodesUnderCap(new Map([...episodes].map(([id, rows]) => [id, rows.length])), maxRows);
}

/** Drops the states of episodes above the row limit; their rows are still counted. */
function dropOverCap(group: GroupRows, maxRows: number): void {
  const kept = keptEpisodes(group, maxRows);
  for (const [id, rows] of group.episodes)
    if (!kept.has(id))
      group.episodes.set(
        id,
        rows.map((row) => ({ ...row, source: NO_NUMBERS, target: NO_NUMBERS })),
      );
}

/** Rows with different layers or dimensions have different keys. */
const shapeOf = ({ source, target }: OwnedRow): string => `${shapeOfTurn(source)} ${shapeOfTurn(target)}`;

/** The shape of most rows. */
function commonShape(kept: OwnedRow[][]): string | undefined {
  const counts = new Map<string, number>();
  for (const row of kept.flat()) {
    const shape = shapeOf(row);
    counts.set(shape, (counts.get(shape) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}

/**
 * A group's rows of an episode as an episode of two agents: the source's turns keep their numbers, and the target's
 * next turn gets the following number. For two agents nothing changes; for more, the speakers in between are left
 * out.
 */
function dyadOf(rows: readonly OwnedRow[]): EpisodeStates {
  const { episode, scenario, pair } = rows[0] as OwnedRow;
  return {
    episode: labelOf(episode),
    scenario: labelOf(scenario),
    pair: labelOf(pair),
    turns: rows.flatMap((row) => [
      episodeTurn(row.source, row.sourceTurn, 0),
      episodeTurn(row.target, row.sourceTurn + 1, 1),
    ]),
  };
}

function episodeTurn(numbers: SharedTurn, turn: number, speaker: number): EpisodeTurn {
  return { turn, speaker, ...unpackTurn(numbers) };
}

function countSamples(rows: OwnedRow[]): SampleCounts {
  const distinct = (of: (row: OwnedRow) => string): number => new Set(rows.map(of)).size;
  return {
    samples: rows.length,
    episodes: distinct((row) => row.episode),
    scenarios: distinct((row) => row.scenario),
  };
}
