/** Checks before a study begins whether its recording fits on the analyzer's disk. */
import type { AgentModel } from '../protocol/agent-model.ts';
import { EntrainError } from '../protocol/errors.ts';
import { expectedOf, expectedOfStudy, gigabytes, TOKENS_PER_S } from '../protocol/recording-size.ts';
import type { Study } from '../protocol/study.ts';
import { subjects } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import { askDisk } from '../transport/nats/ask-disk.ts';
import { natsFault } from '../transport/nats/faults.ts';
import { request } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import type { Fleet } from './fleet.ts';

const ASK_TIMEOUT_MS = 5000;
const ASK_ATTEMPTS = 20;
const ASK_AGAIN_MS = 300;

/** @throws EntrainError `STUDY_TOO_LARGE` unless `anySize` is set, `ANALYZER_MISSING` */
export async function checkDisk(
  link: NatsLink,
  of: { study: Study; fleet: Fleet; anySize: boolean; log: Logger },
): Promise<void> {
  const { study, fleet, anySize, log } = of;
  const models = new Map([...fleet.agents].map(([agent, { model }]) => [agent, model]));
  const { studyBytes, hourBytes } = expectedOfStudy(study, models);
  const { id } = fleet.analyzer;
  const disk = await whileAway(id, () => askDisk(link, id));
  log.info({ studyBytes, hourBytes, tokensPerSecond: TOKENS_PER_S, ...disk }, 'recording expected');
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  if (anySize) return;
  if (studyBytes <= roomBytes)
    return requireShares(study, { models, maxAgentBytes: disk.maxAgentBytes ?? disk.maxRunBytes });
  throw new EntrainError(
    'STUDY_TOO_LARGE',
    `The recording of study ${study.name} may take ${gigabytes(studyBytes)} (${gigabytes(hourBytes)} an hour), but the analyzer has ${gigabytes(disk.freeBytes)} free and lets a run take ${gigabytes(disk.maxRunBytes)}: stream fewer layers or steps (steps.layers, steps.every), make room, raise --max-run-gb (of the analyzer, or of start), or begin anyway with --any-size.`,
  );
}

/** One agent's states may be much larger than the others'. */
function requireShares(
  study: Study,
  { models, maxAgentBytes }: { models: ReadonlyMap<string, AgentModel>; maxAgentBytes: number },
): void {
  for (const [agent, model] of models) {
    const { studyBytes } = expectedOf(study, agent, model);
    if (studyBytes <= maxAgentBytes) continue;
    throw new EntrainError(
      'STUDY_TOO_LARGE',
      `The recording of agent "${agent}" in study ${study.name} may take ${gigabytes(studyBytes)}, but the analyzer lets one agent take ${gigabytes(maxAgentBytes)} of a run: stream fewer layers or steps (steps.layers, steps.every), raise --max-agent-gb or --max-run-gb of the analyzer, or begin anyway with --any-size.`,
    );
  }
}

/**
 * Tells the analyzer that a run is over, so that retention may remove its recording later. If the analyzer does not
 * answer, the recording stays.
 * @returns whether it knows now
 */
export async function tellFinished(
  link: NatsLink,
  of: { run: string; analyzer: string; log: Logger },
): Promise<boolean> {
  const { run, analyzer, log } = of;
  try {
    const subject = subjects.analyzerFinished(analyzer);
    await whileAway(analyzer, () =>
      request(link.connection, subject, { body: { run }, timeoutMs: ASK_TIMEOUT_MS }),
    );
    return true;
  } catch (error) {
    log.warn({ err: error, run }, 'the analyzer was not told that the run is over');
    return false;
  }
}

/** Repeats the request for six seconds, since the analyzer may just be restarting. */
async function whileAway<T>(analyzer: string, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (cause) {
      if (natsFault(cause) === undefined) throw cause;
      if (attempt === ASK_ATTEMPTS)
        throw new EntrainError(
          'ANALYZER_MISSING',
          `The analyzer "${analyzer}" is gone: start it again with "entrain analyzer".`,
          { cause },
        );
      await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
    }
  }
}
