/**
 * A run that is over is forgotten after a time, so that what an analyzer keeps does not grow with the runs that it has
 * ever seen. Its recording and its files stay. If one of its agents comes back, the run begins as after a restart: from
 * its recording.
 */
import type { Logger } from '../../process/log.ts';
import type { Roles } from '../../transport/stream/auth/check-roles.ts';
import type { StreamServer } from '../../transport/stream/receiver/server.ts';
import type { Recordings } from '../ingest/recordings.ts';
import type { ScoreLog } from '../output/score-log.ts';
import type { ScoreStore } from './score-store.ts';

export interface Keepers {
  streams: Pick<StreamServer, 'forget'>;
  store: Pick<ScoreStore, 'settled' | 'forget' | 'releaseSilent'>;
  roles: Pick<Roles, 'forget'>;
  scoreLog: Pick<ScoreLog, 'forget'>;
  recordings: Pick<Recordings, 'forget'>;
  log: Logger;
}

const SWEEP_MS = { least: 1000, most: 60_000 };

/**
 * Looks every minute, or oftener, for runs whose rows can be released, and for those that can be forgotten.
 * @returns what stops it
 */
export function sweepRuns(forgetAfterMs: number, of: Keepers): () => void {
  const timer = setInterval(
    () => {
      of.store.releaseSilent();
      forgetSettled(forgetAfterMs, of);
    },
    Math.max(SWEEP_MS.least, Math.min(SWEEP_MS.most, forgetAfterMs)),
  );
  return () => clearInterval(timer);
}

/** Forgets the runs whose scores are final and that have been silent for so long, unless an agent is connected. */
export function forgetSettled(silentMs: number, of: Keepers): void {
  const { streams, store, roles, scoreLog, recordings, log } = of;
  for (const run of store.settled(silentMs)) {
    if (!streams.forget(run)) continue;
    // All in one go: a stream that is opened meanwhile waits for the recording, and reads all of it.
    store.forget(run);
    roles.forget(run);
    scoreLog.forget(run);
    recordings
      .forget(run)
      .catch((error: unknown) => log.warn({ run, err: error }, 'the recording of a run was not closed'));
    log.info({ run }, 'a finished run is no longer kept in memory; its files stay');
  }
}
