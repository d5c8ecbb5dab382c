/**
 * Checks whether a run of this name may be begun or continued: a name stands for one study, one seed and one model
 * per agent.
 */
import type { RunFacts } from '../protocol/nats-messages.ts';
import type { Study } from '../protocol/study.ts';
import { requireSameStudy, runTaken } from '../process/run-folder/run-file.ts';
import type { Fleet } from './fleet.ts';

/** @throws EntrainError `RUN_TAKEN` */
export function requireSameRun(
  begun: RunFacts,
  wanted: { study: Study; fleet: Fleet; agents: ReadonlySet<string> },
): void {
  requireSameStudy(begun.run, begun.study, wanted.study);
  for (const agent of wanted.agents) {
    const was = begun.agents[agent];
    const now = wanted.fleet.agents.get(agent)?.model;
    if (was && now && was.sha256 !== now.sha256)
      throw runTaken(
        begun.run,
        `was begun with another model of agent "${agent}" (${was.name}, now ${now.name}, of other content)`,
      );
  }
}

/**
 * The run's stream must exist, since it alone tells where the run stopped.
 * @throws EntrainError `RUN_TAKEN`
 */
export function requireItsStream(run: string, of: { stored: number; spoken: number }): void {
  if (of.stored > 0 || of.spoken === 0) return;
  throw runTaken(run, `has ${of.spoken} spoken turns, of which this NATS server holds nothing`);
}
