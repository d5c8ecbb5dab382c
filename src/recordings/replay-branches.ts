/** The figures of counterfactual branches, computed again from the recording and held against those published. */
import { branchAnswer } from '../analyzer/branches/branch-answer.ts';
import { createBranchIndex, type BranchIndex } from '../analyzer/branches/branch-index.ts';
import { historyId, type GroupHistories } from '../analyzer/branches/branch-rows.ts';
import { scoreBranches } from '../analyzer/branches/score-branches.ts';
import { rowsOfBranchLine, type BranchRows } from '../analyzer/output/score-log-branches.ts';
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import { systemClock } from '../process/clock.ts';
import type { RecordedMessage } from '../journal/read-recording.ts';
import type { Method } from '../analyzer/scoring/messages.ts';
import { replayFields } from './replay-fields.ts';

/** A line of `scores.jsonl`. */
export interface BranchRecord extends BranchRows {
  type: 'influence';
  histories: number;
  branches: number;
  influence: unknown;
  matched: unknown;
  sequential: unknown;
  patches: unknown;
  /** Absent from lines of earlier versions. */
  moves?: unknown;
  run: string;
  /** Its key. */
  group: string;
  seed: number;
  method?: Method;
}

export type RecordedHistories = Map<string, GroupHistories>;

/** Of every group, as the recording has them. */
export function historiesOf(index: BranchIndex): RecordedHistories {
  const groups: RecordedHistories = new Map();
  for (const { group, history } of index.all()) {
    const known = groups.get(group.key) ?? { group, version: 1, histories: new Map() };
    groups.set(group.key, known);
    known.histories.set(historyId(history), history);
  }
  return groups;
}

export const emptyBranchIndex = createBranchIndex;

/** Adds a message that concerns branches; others are ignored. */
export function indexBranches(index: BranchIndex, { stream, epoch, message }: RecordedMessage): void {
  if (message.type === 'episode') index.addEpisode(message, stream);
  if (message.type === 'branch') index.addBranch(message, { stream, epoch, seq: message.seq });
}

/** Lines with all of their histories: each lists those that the line of its group before does not have. */
export function withBranchRows<T extends object>(lines: readonly T[]): T[] {
  const known = new Map<string, string[]>();
  return lines.map((line) => {
    if (!isBranches(line)) return line;
    const rows = rowsOfBranchLine(line, known.get(line.group) ?? []);
    known.set(line.group, rows);
    return { ...line, rows, after: 0 };
  });
}

const isBranches = (line: object): line is BranchRecord =>
  'type' in line && line.type === 'influence' && 'after' in line;

const FIELDS = ['seed', 'histories', 'branches', 'influence', 'matched', 'sequential', 'patches'] as const;

/** What differs, as a sentence; undefined when nothing does. */
export async function replayBranches(
  score: BranchRecord,
  recorded: RecordedHistories,
  algebra: LinearAlgebra,
): Promise<string | undefined> {
  const name = `branches ${score.group}, ${score.histories} histories`;
  const whole = recorded.get(score.group);
  const found = score.rows.map((id) => ({ id, history: whole?.histories.get(id) }));
  const histories = new Map(found.flatMap(({ id, history }) => (history ? [[id, history] as const] : [])));
  if (!whole || histories.size < found.length)
    return `${name}: the recording lacks branches that the figures were computed from`;
  const nowMs = (): number => systemClock.monotonicMs();
  const again = await scoreBranches({ run: score.run, histories: { ...whole, histories }, algebra, nowMs });
  const figures = branchAnswer(again.branches) as Pick<BranchRecord, (typeof FIELDS)[number]>;
  const fields = [...FIELDS, ...('moves' in score ? (['moves'] as const) : [])];
  const made = { ...figures, seed: again.seed, moves: again.moves };
  const difference = replayFields(fields, { again: made, published: { ...score, moves: score.moves } });
  return difference && `${name}: ${difference}`;
}
