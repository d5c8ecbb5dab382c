/**
 * What the analyzer knows of the counterfactual branches of one run: the frames, its groups and the last figures of
 * each.
 */
import type { BranchReport } from '../../protocol/branch-report.ts';
import type { BranchFrame, EpisodeFrame } from '../../protocol/stream/frames.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import type { Group, Origin } from '../ingest/episode-index.ts';
import type { RowMemory } from '../ingest/row-memory.ts';
import { createBranchIndex, type BranchIndex, type HistoryUpdate } from './branch-index.ts';
import type { HistoriesInput } from './branch-loop.ts';
import { historyId, MAX_BRANCHES } from './branch-rows.ts';
import { episodesUnderCap, isCapDue } from '../ingest/row-cap.ts';
import type { BranchScore } from '../scoring/messages.ts';

export interface BranchGroup {
  group: Group;
  /** Counts every change of the group's histories. */
  version: number;
  /** Episode → its histories → their alternatives. */
  sizes: Map<string, Map<string, number>>;
  score: BranchScore | undefined;
}

export interface BranchState {
  index: BranchIndex;
  /** By the group's key. */
  groups: Map<string, BranchGroup>;
  /** Why no more branches are kept. */
  refused: string | undefined;
}

export function createBranchState(): BranchState {
  return { index: createBranchIndex(), groups: new Map(), refused: undefined };
}

export interface ArrivedBranch {
  run: string;
  frame: EpisodeFrame | BranchFrame;
  origin: Origin;
}

/** What the numbers may take, and what is said where they take more. */
export interface BranchAdmission {
  memory: RowMemory;
  refuse(run: string): string | undefined;
}

/** Adds a frame. @returns the histories that changed, for the owners of their groups */
export function takeBranchFrame(
  state: BranchState,
  { run, frame, origin }: ArrivedBranch,
  { memory, refuse }: BranchAdmission,
): HistoriesInput[] {
  if (frame.type === 'episode') return inputsOf(state, run, state.index.addEpisode(frame, origin.stream));
  state.refused ??= memory.isFull() ? refuse(run) : undefined;
  if (state.refused !== undefined) return [];
  const { updates, bytes } = state.index.addBranch(frame, origin);
  memory.take(run, bytes);
  const inputs = inputsOf(state, run, updates);
  dropOverCap(state, updates, (given) => memory.give(run, given));
  return inputs;
}

function inputsOf(state: BranchState, run: string, updates: readonly HistoryUpdate[]): HistoriesInput[] {
  return [...groupBy(updates, ({ group }) => group.key).values()].map((own) => {
    const { group } = own[0] as HistoryUpdate;
    const known = state.groups.get(group.key) ?? { group, version: 0, sizes: new Map(), score: undefined };
    state.groups.set(group.key, known);
    known.version += 1;
    const histories = own.map(({ history }) => history);
    for (const history of histories) {
      const episode = known.sizes.get(history.episode) ?? new Map<string, number>();
      known.sizes.set(history.episode, episode.set(historyId(history), history.alternatives.length));
    }
    return { type: 'histories', run, group, version: known.version, histories };
  });
}

/** Gives back the numbers of episodes that no group keeps. */
function dropOverCap(
  { groups, index }: BranchState,
  updates: readonly HistoryUpdate[],
  give: (bytes: number) => void,
): void {
  const touched = updates.flatMap(({ group }) => groups.get(group.key) ?? []);
  if (!touched.some((group) => isCapDue(rowsOf(group), MAX_BRANCHES))) return;
  const all = [...groups.values()].map(sizesOf);
  const kept = new Set(all.flatMap((sizes) => [...episodesUnderCap(sizes, MAX_BRANCHES)]));
  const seen = new Set(all.flatMap((sizes) => [...sizes.keys()]));
  for (const episode of seen) if (!kept.has(episode)) give(index.drop(episode));
}

const sizesOf = ({ sizes }: BranchGroup): Map<string, number> =>
  new Map(
    [...sizes].map(([episode, own]) => [episode, [...own.values()].reduce((sum, size) => sum + size, 0)]),
  );

const rowsOf = (group: BranchGroup): number =>
  [...sizesOf(group).values()].reduce((sum, size) => sum + size, 0);

/** Every history with its numbers, as when they came first; the versions stay. */
export function allHistories(state: BranchState, run: string): HistoriesInput[] {
  return [...groupBy(state.index.all(), ({ group }) => group.key)].flatMap(([key, own]) => {
    const known = state.groups.get(key);
    const histories = own.map(({ history }) => history);
    return known
      ? [{ type: 'histories' as const, run, group: known.group, version: known.version, histories }]
      : [];
  });
}

/** Keeps a score; false when it is late. */
export function takeBranchScore({ groups }: BranchState, score: BranchScore): boolean {
  const group = groups.get(score.group.key);
  if (!group || (group.score && group.score.version > score.version)) return false;
  group.score = score;
  return true;
}

/** Whether histories are recorded that no published figure has seen. */
export const awaitsBranches = ({ groups }: Pick<BranchState, 'groups'>): number =>
  [...groups.values()].filter(({ version, score }) => version !== (score?.version ?? 0)).length;

/** Of one group; null where none of its turns has branched. */
export function branchReportOf(state: BranchState, key: string): BranchReport | null {
  const group = state.groups.get(key);
  if (!group) return null;
  const counts = {
    histories: [...group.sizes.values()].reduce((sum, own) => sum + own.size, 0),
    branches: rowsOf(group),
  };
  const none = { ...counts, influence: null, matched: null, sequential: null };
  if (!group.score) return { ...none, reason: state.refused ?? 'Not computed yet.' };
  const { branches } = group.score;
  return state.refused === undefined ? branches : { ...branches, reason: branches.reason ?? state.refused };
}
