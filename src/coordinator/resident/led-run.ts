/** One run that the resident coordinator leads: begun, left or brought to its end apart from all others. */
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import type { RunFacts } from '../../protocol/nats-messages.ts';
import type { Study } from '../../protocol/study.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { claimRun } from '../../process/run-folder/run-claim.ts';
import { createShutdown, type Shutdown } from '../../process/shutdown.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import type { AgentPool } from '../lead/agent-pool.ts';
import type { LeadParts, LeadSettings } from '../lead/lead-parts.ts';
import { leadRun } from '../lead/lead-run.ts';
import type { CoordinatorMetrics } from '../metrics.ts';
import { consumerOfLease } from '../run-consumer.ts';
import { countEpisodes } from '../state/decide.ts';
import type { RunState } from '../state/run-state.ts';
import type { Lease } from './lease.ts';

/** Faults that pass by themselves: the run waits and is begun again. */
const PASSING: ReadonlySet<string> = new Set([
  'AGENTS_MISSING',
  'ANALYZER_MISSING',
  'NATS_UNREACHABLE',
  'NATS_NO_JETSTREAM',
  'NATS_FULL',
  'RUN_RUNNING',
]);

/** `left`: stopped as asked, or because this coordinator ends. */
export type RunEnd = { as: 'finished' | 'left' } | { as: 'failed' | 'waits'; reason: string };

export interface LedRun {
  run: string;
  /** Undefined until the run's stream has been read. */
  state(): RunState | undefined;
  /** Seconds to its end by the episodes that ended since this coordinator leads it; undefined before the first. */
  etaSeconds(): number | undefined;
  ended: Promise<RunEnd>;
  /** @param releases whether its agents are let go, or stay members for the coordinator that goes on */
  leave(releases: boolean): Promise<void>;
}

export interface LeadRunOptions {
  run: string;
  study: Study;
  settings: Omit<LeadSettings, 'run' | 'study'>;
  link: NatsLink;
  lease: Lease;
  metrics: CoordinatorMetrics;
  version: string;
  pool: AgentPool;
  facts: { known: RunFacts | undefined; keep(facts: RunFacts): Promise<void> };
  recorder: NonNullable<LeadParts['recorder']>;
  clock: Clock;
  log: Logger;
}

/** What changes while a run is led. */
interface Leading {
  state?: () => RunState;
  /** When its state became known, and how many episodes had ended by then. */
  sinceMs: number;
  before: number;
  releases: boolean;
}

export function beginLeading(options: LeadRunOptions): LedRun {
  const { run, clock, log } = options;
  const shutdown = createShutdown(log);
  const now: Leading = { sinceMs: clock.monotonicMs(), before: 0, releases: true };
  const ended = leadToEnd(options, { now, shutdown });
  return {
    run,
    state: () => now.state?.(),
    etaSeconds: () => etaOf(now, clock),
    ended,
    leave: async (releases) => {
      now.releases = releases;
      await shutdown.stop();
      await ended;
    },
  };
}

async function leadToEnd(
  options: LeadRunOptions,
  { now, shutdown }: { now: Leading; shutdown: Shutdown },
): Promise<RunEnd> {
  const { run, settings, study, lease, clock, log } = options;
  try {
    const folder = join(settings.runs, run);
    const claim = await claimRun({ run, folder, program: 'coordinator', lease: lease.number });
    shutdown.onStop('claim', () => claim.release());
    const metrics = options.metrics.ofRun(run);
    shutdown.onStop('metrics', () => metrics.leave());
    const complete = await leadRun({
      ...options,
      settings: { ...settings, run, study },
      metrics,
      shutdown,
      consumer: consumerOfLease(lease.number),
      signal: lease,
      keepsAgents: () => !now.releases || !lease.isHeld(),
      onState: (state) => {
        Object.assign(now, { state, before: countEpisodes(state()).finished, sinceMs: clock.monotonicMs() });
      },
    });
    const isOver = await Promise.race([complete().then(() => true), shutdown.asked.then(() => false)]);
    return { as: isOver && !shutdown.isAsked() ? 'finished' : 'left' };
  } catch (error) {
    return endBy(error, { lease, isLeft: shutdown.isAsked(), run, log });
  } finally {
    await shutdown.stop();
  }
}

function endBy(error: unknown, of: { lease: Lease; isLeft: boolean; run: string; log: Logger }): RunEnd {
  const { lease, isLeft, run, log } = of;
  if (isLeft || !lease.isHeld()) return { as: 'left' };
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof EntrainError ? error.code : undefined;
  if (code !== undefined && PASSING.has(code)) return { as: 'waits', reason };
  log.error({ err: error, run }, 'run failed');
  return { as: 'failed', reason: code === undefined ? reason : `${reason} (${code})` };
}

function etaOf(now: Leading, clock: Clock): number | undefined {
  if (!now.state) return undefined;
  const { finished, planned, running } = countEpisodes(now.state());
  const ended = finished - now.before;
  if (ended === 0) return undefined;
  return Math.round(((clock.monotonicMs() - now.sinceMs) / 1000 / ended) * (planned + running));
}
