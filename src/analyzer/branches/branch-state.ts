/**
 * What the analyzer knows of the counterfactual branches of one run: the frames, its groups and the last figures of
 * each.
 */
import type { BranchReport } from '../../protocol/reports/branch-report.ts';
import type { BranchFrame, EpisodeFrame } from '../../protocol/stream/frames.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import type { Group, Origin } from '../ingest/episode-index.ts';
import type { RowMemory } from '../ingest/row-memory.ts';
import { createBranchIndex, patchName, type BranchIndex, type HistoryUpdate } from './branch-index.ts';
import type { HistoriesInput } from './branch-loop.ts';
import { historyId, largestOf, MAX_BRANCHES } from './branch-rows.ts';
import { episodesUnderCap, isCapDue } from '../ingest/row-cap.ts';
import type { BranchScore } from '../scoring/messages.ts';

export interface BranchGroup {
  group: Group;
  /** Counts every change of the group's histories. */
  version: number;
  /** Episode → its histories → what they take. */
  sizes: Map<string, Map<string, HistorySize>>;
  score: BranchScore | undefined;
}

interface HistorySize {
  alternatives: number;
  /** Name of the patch; empty for other words. */
  patch: string;
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
      const episode = known.sizes.get(history.episode) ?? new Map<string, HistorySize>();
      const size = { alternatives: history.alternatives.length, patch: patchName(history.patch) };
      known.sizes.set(history.episode, episode.set(historyId(history), size));
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

/** Of each episode what its largest series takes: that of other words, or of one patch. */
const sizesOf = ({ sizes }: BranchGroup): Map<string, number> => {
  const series = new Map<string, Map<string, number>>();
  for (const [episode, own] of sizes)
    for (const { alternatives, patch } of own.values()) {
      const of = series.get(patch) ?? new Map<string, number>();
      series.set(patch, of.set(episode, (of.get(episode) ?? 0) + alternatives));
    }
  return largestOf([...series.values()]);
};

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

/** Of one group; null if none of its turns has branched. */
export function branchReportOf(state: BranchState, key: string): BranchReport | null {
  const group = state.groups.get(key);
  if (!group) return null;
  const said = [...group.sizes.values()].flatMap((own) =>
    [...own.values()].filter(({ patch }) => patch === ''),
  );
  const branches = said.reduce((sum, { alternatives }) => sum + alternatives, 0);
  const none = { histories: said.length, branches, influence: null, matched: null, sequential: null };
  if (!group.score) return { ...none, reason: state.refused ?? 'Not computed yet.' };
  const { branches: report } = group.score;
  return state.refused === undefined ? report : { ...report, reason: report.reason ?? state.refused };
}
