/** Which runs begin next: pure functions of the rows, of the runs under way and of the agents that are free. */
import { basename } from 'node:path/posix';
import type { RunView } from '../../protocol/service-messages.ts';
import type { RunRows } from './service-rows.ts';

/** The state of a run that no coordinator leads at this moment. */
export function restingState({ wish, outcome, submission }: RunRows): Exclude<RunView['state'], 'running'> {
  if (wish?.value.want === 'stop') return 'stopped';
  const since = Math.max(submission.revision, wish?.revision ?? 0);
  return outcome && (outcome.value.state === 'finished' || outcome.revision > since)
    ? outcome.value.state
    : 'queued';
}

export interface QueuedRun {
  run: string;
  submitter: string;
  priority: number;
  /** Grows with the time of submission. */
  place: number;
  agents: readonly string[];
  /** Model folder that the study names for an agent. */
  models: Readonly<Record<string, string>>;
}

export interface AgentNow {
  model: string;
  /** The run that has it. */
  run: string | undefined;
  /** Whether it may be given to another run. */
  isOpen: boolean;
}

export interface QueueInput {
  queued: readonly QueuedRun[];
  agents: ReadonlyMap<string, AgentNow>;
  /** Number of agents that runs of each submitter have. */
  load: ReadonlyMap<string, number>;
  /** When a run of each submitter began last; any number that grows with time. */
  servedAt: ReadonlyMap<string, number>;
}

export interface QueueDecision {
  begin: string[];
  /** Why each of the others waits. */
  waiting: Map<string, string>;
}

/**
 * The next run is one of the submitter whose runs have the fewest agents; among equals, of the one that was served
 * longest ago. Priority and time of submission order the runs of one submitter. A run whose agents are all there but
 * busy keeps them from runs behind it, so that small runs cannot starve a large one; a run that waits for an absent
 * agent keeps nothing.
 */
export function decideQueue({ queued, agents, load, servedAt }: QueueInput): QueueDecision {
  const lines = linesOf(queued);
  const taken = new Map<string, number>(load);
  const served = new Map<string, number>(servedAt);
  const kept = new Map<string, string>();
  const decision: QueueDecision = { begin: [], waiting: new Map() };
  for (;;) {
    const submitter = nextSubmitter(lines, { taken, served });
    const next = submitter === undefined ? undefined : lines.get(submitter)?.shift();
    if (next === undefined || submitter === undefined) return decision;
    const { isAbsent, reason } = obstacle(next, { agents, kept });
    if (reason !== undefined) decision.waiting.set(next.run, reason);
    if (isAbsent) continue;
    for (const agent of next.agents) if (!kept.has(agent)) kept.set(agent, next.run);
    if (reason !== undefined) continue;
    decision.begin.push(next.run);
    taken.set(submitter, (taken.get(submitter) ?? 0) + next.agents.length);
    served.set(submitter, Infinity);
  }
}

/** The runs of each submitter in its own order. */
function linesOf(queued: readonly QueuedRun[]): Map<string, QueuedRun[]> {
  const lines = new Map<string, QueuedRun[]>();
  const ordered = queued.toSorted((a, b) => b.priority - a.priority || a.place - b.place);
  for (const run of ordered) lines.set(run.submitter, [...(lines.get(run.submitter) ?? []), run]);
  return lines;
}

function nextSubmitter(
  lines: ReadonlyMap<string, readonly QueuedRun[]>,
  { taken, served }: { taken: ReadonlyMap<string, number>; served: ReadonlyMap<string, number> },
): string | undefined {
  const rank = (name: string): readonly number[] => [
    taken.get(name) ?? 0,
    served.get(name) ?? 0,
    lines.get(name)?.[0]?.place ?? 0,
  ];
  const [first] = [...lines.keys()]
    .filter((name) => lines.get(name)?.length)
    .toSorted((a, b) => compare(rank(a), rank(b)));
  return first;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
}

function obstacle(
  { agents: wanted, models }: QueuedRun,
  { agents, kept }: { agents: QueueInput['agents']; kept: ReadonlyMap<string, string> },
): { isAbsent: boolean; reason?: string } {
  const isThere = (agent: string): boolean => agents.get(agent)?.isOpen === true;
  const absent = wanted.filter((agent) => !isThere(agent));
  if (absent.length > 0) return { isAbsent: true, reason: `waits for ${absent.join(', ')} to join` };
  for (const agent of wanted) {
    const [folder, model] = [models[agent], agents.get(agent)?.model];
    if (folder !== undefined && basename(folder) !== model)
      return {
        isAbsent: true,
        reason: `waits for ${agent} with the model ${basename(folder)}; it has ${model}`,
      };
  }
  const busy = wanted.find((agent) => agents.get(agent)?.run !== undefined || kept.has(agent));
  if (busy === undefined) return { isAbsent: false };
  const by = agents.get(busy)?.run ?? kept.get(busy);
  return {
    isAbsent: false,
    reason: `waits for ${busy}, which ${by} has${agents.get(busy)?.run === undefined ? ' before it' : ''}`,
  };
}
