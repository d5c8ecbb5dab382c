/** Whether what a study may take fits on the analyzer's disk: asked before it begins. */
import { EntrainError } from '../protocol/errors.ts';
import { expectedOfStudy, gigabytes, TOKENS_PER_S } from '../protocol/recording-size.ts';
import type { Study } from '../protocol/study.ts';
import { ANALYZER_SERVICE, subjects } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import { askDisk } from '../transport/nats/ask-disk.ts';
import { findServices, request } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import type { Fleet } from './fleet.ts';

const ASK_TIMEOUT_MS = 5000;
const FIND_ATTEMPTS = 20;

/** @throws EntrainError `STUDY_TOO_LARGE` unless `anySize` */
export async function checkDisk(
  link: NatsLink,
  of: { study: Study; fleet: Fleet; anySize: boolean; log: Logger },
): Promise<void> {
  const { study, fleet, anySize, log } = of;
  const models = new Map([...fleet.agents].map(([agent, { model }]) => [agent, model]));
  const { studyBytes, hourBytes } = expectedOfStudy(study, models);
  const disk = await askDisk(link, await findAnalyzer(link, fleet.streamUrl));
  log.info({ studyBytes, hourBytes, tokensPerSecond: TOKENS_PER_S, ...disk }, 'recording expected');
  const roomBytes = Math.min(disk.freeBytes, disk.maxRunBytes);
  if (studyBytes <= roomBytes || anySize) return;
  throw new EntrainError(
    'STUDY_TOO_LARGE',
    `The recording of study ${study.name} may take ${gigabytes(studyBytes)} (${gigabytes(hourBytes)} an hour), but the analyzer has ${gigabytes(disk.freeBytes)} free and lets a run take ${gigabytes(disk.maxRunBytes)}: stream fewer layers or steps (steps.layers, steps.every), make room, raise --max-run-gb (of the analyzer, or of start), or begin anyway with --any-size.`,
  );
}

/** So that the recording may one day make room for others; an analyzer that does not answer keeps it. */
export async function tellFinished(
  link: NatsLink,
  of: { run: string; streamUrl: string; log: Logger },
): Promise<void> {
  const { run, streamUrl, log } = of;
  try {
    const subject = subjects.analyzerFinished(await findAnalyzer(link, streamUrl));
    await request(link.connection, subject, { body: { run }, timeoutMs: ASK_TIMEOUT_MS });
  } catch (error) {
    log.warn({ err: error, run }, 'the analyzer was not told that the run is over');
  }
}

/** A busy machine may answer one question late: it is asked some times. */
async function findAnalyzer(link: NatsLink, streamUrl: string): Promise<string> {
  for (let attempt = 0; attempt < FIND_ATTEMPTS; attempt += 1) {
    const analyzers = await findServices(link, ANALYZER_SERVICE);
    const id = analyzers.find(({ metadata }) => metadata['streamUrl'] === streamUrl)?.metadata['id'];
    if (id) return id;
  }
  throw new EntrainError(
    'ANALYZER_MISSING',
    `The analyzer at ${streamUrl} is gone: start it again with "entrain analyzer".`,
  );
}
