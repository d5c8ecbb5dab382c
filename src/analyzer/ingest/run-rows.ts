/**
 * Indexes the frames of one run, each once: finds the rows that a frame completes, or whose states it replaces, and
 * gives them with their states to the owners of their groups.
 */
import type { EpisodeFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import {
  createEpisodeIndex,
  placeOf,
  type EpisodeIndex,
  type IndexChange,
  type Origin,
  type Row,
} from './episode-index.ts';
import { keptEpisodes, takeRows, type GroupRows, type OwnedRow } from './group-rows.ts';
import { isCapDue, MAX_ROWS } from './row-cap.ts';
import { PAPER_READER } from '../../protocol/study.ts';
import { asRead, NO_NUMBERS, shareTurn, type SharedTurn } from './turn-numbers.ts';

export type TurnIndex = EpisodeIndex<SharedTurn>;

/** An episode or turn frame with its origin. */
export interface FrameWithOrigin {
  frame: EpisodeFrame | TurnFrame;
  origin: Origin;
}

export function indexFrame(index: TurnIndex, { frame, origin }: FrameWithOrigin): IndexChange {
  return frame.type === 'episode'
    ? index.addEpisode(frame)
    : index.addTurn(frame.episode, { ...placeOf(frame, origin), payload: shareTurn(frame) });
}

/** A row with its states from the index; undefined if they were released. */
export function ownedRow(index: TurnIndex, row: Row): OwnedRow {
  const { episode, scenario, sourceTurn, targetTurn } = row;
  const known = index.episode(episode);
  const source = known?.turns.get(sourceTurn)?.payload ?? NO_NUMBERS;
  return {
    episode,
    scenario,
    pair: known?.about?.pair ?? '',
    sourceTurn,
    targetTurn,
    source: known?.about?.condition === PAPER_READER ? asRead(source) : source,
    target: known?.turns.get(targetTurn)?.payload ?? NO_NUMBERS,
    ...(known?.about?.plan ? { plan: known.about.plan } : {}),
  };
}

/** A whole recording in one place, for a replay or an offline measure. */
export interface RunRows {
  index: TurnIndex;
  groups: Map<string, GroupRows>;
}

export function emptyRunRows(): RunRows {
  return { index: createEpisodeIndex<SharedTurn>(), groups: new Map() };
}

/** Indexes a frame and updates the groups. */
export function takeFrameRows({ index, groups }: RunRows, frame: FrameWithOrigin, maxRows = MAX_ROWS): void {
  const { added, replaced } = indexFrame(index, frame);
  let due = false;
  for (const row of [...added, ...replaced]) {
    const version = (groups.get(row.group.key)?.version ?? 0) + 1;
    const update = { group: row.group, version, rows: [ownedRow(index, row)] };
    due = isCapDue(takeRows(groups, update, maxRows).size, maxRows) || due;
  }
  if (due) dropUnkept({ index, groups }, maxRows);
}

/** Drops the states of episodes that no group keeps. */
function dropUnkept({ index, groups }: RunRows, maxRows: number): void {
  const all = [...groups.values()];
  const kept = all.map((group) => keptEpisodes(group, maxRows));
  for (const { id, turns } of index.episodes())
    if (all.some(({ episodes }) => episodes.has(id)) && !kept.some((episodes) => episodes.has(id)))
      for (const turn of turns.values()) turn.payload = NO_NUMBERS;
}
