/** Keeps how a run ended, and gives its agents to others. */
import { EntrainError } from '../../protocol/errors.ts';
import type { RunOutcome } from '../../protocol/service-messages.ts';
import { names } from '../../protocol/subjects.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { countPlanned } from '../plan.ts';
import { countEpisodes } from '../state/decide.ts';
import type { FleetShare } from './fleet-share.ts';
import type { Lease } from './lease.ts';
import type { LedRun, RunEnd } from './led-run.ts';
import type { ServiceRows } from './service-rows.ts';

export interface SettleParts {
  rows: Pick<ServiceRows, 'runs' | 'writeRun'>;
  share: Pick<FleetShare, 'giveBack'>;
  led: Map<string, LedRun>;
  /** Runs that could not be begun, and until when they are left alone. */
  resting: Map<string, { untilMs: number; reason: string }>;
  /** How long a run that could not be begun waits, and how long until a full store is tried again. */
  againMs: number;
  lease: Pick<Lease, 'isHeld'>;
  clock: Clock;
  log: Logger;
}

export async function settleRun(
  parts: SettleParts,
  { run, state }: Pick<LedRun, 'run' | 'state'>,
  end: RunEnd,
): Promise<void> {
  const { rows, share, led, resting, againMs, lease, clock, log } = parts;
  const study = rows.runs.get(run)?.submission.value.study;
  const all = study ? countPlanned(study) : 0;
  const now = state();
  const finished = now ? countEpisodes(now).finished : 0;
  if (end.as === 'waits') {
    log.warn({ run, reason: end.reason }, 'run waits');
    resting.set(run, { untilMs: clock.monotonicMs() + againMs, reason: end.reason });
  }
  try {
    const at = { finished, all, atMs: clock.nowMs() };
    if (end.as === 'finished') await keep(parts, run, { state: 'finished', ...at });
    if (end.as === 'failed') await keep(parts, run, { state: 'failed', reason: end.reason, ...at });
  } catch (error) {
    if (lease.isHeld())
      log.error({ err: error, run, bucket: names.rowsBucket }, 'the end of a run was not kept');
  }
  share.giveBack(run);
  led.delete(run);
}

/** Waits while the store is full: a run whose end is not kept would be begun again. Users are not kept waiting. */
async function keep(
  { rows, lease, againMs, log }: SettleParts,
  run: string,
  outcome: RunOutcome,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await rows.writeRun(run, 'outcome', outcome);
    } catch (error) {
      if (!(error instanceof EntrainError && error.code === 'NATS_FULL') || !lease.isHeld()) throw error;
      if (Number.isInteger(Math.log10(tries)))
        log.warn({ err: error, run, tries }, 'the end of a run is kept as soon as the store has room');
      await new Promise((done) => setTimeout(done, againMs));
    }
  }
}
