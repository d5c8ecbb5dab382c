/**
 * The coordinator of many runs while it has the lease: begins runs as agents become free, leaves those that are to
 * stop, and keeps how they ended. All that it must not forget stands in the rows and in the runs' streams.
 */
import type { RecorderRow } from '../../protocol/events/recorded.ts';
import type { RunView } from '../../protocol/service-messages.ts';
import { agentsOf } from '../../protocol/study.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import { listAgents, listAnalyzers } from '../fleet.ts';
import { openRunStream } from '../invite.ts';
import type { LeadSettings } from '../lead/lead-parts.ts';
import type { CoordinatorMetrics } from '../metrics.ts';
import { recallNeeded } from '../restore-run.ts';
import { consumerOfLease } from '../run-consumer.ts';
import { shareFleet, type FleetShare } from './fleet-share.ts';
import type { Lease } from './lease.ts';
import { beginLeading, type LedRun } from './led-run.ts';
import { decideQueue, restingState, type AgentNow, type QueuedRun } from './run-queue.ts';
import type { ServiceMetrics } from './metrics.ts';
import { removeOldStreams } from './old-streams.ts';
import { settleRun } from './settle-run.ts';
import { tellFormer } from './tell-former.ts';
import { openServiceRows, type RunRows, type ServiceRows } from './service-rows.ts';

const LOOK_MS = 1000;
/** How long a run that could not be begun waits. */
const AGAIN_MS = 5000;
/** How often old streams are looked for. */
const SWEEP_MS = 60_000;

const STATES = ['queued', 'running', 'stopped', 'failed', 'finished'] as const satisfies RunView['state'][];

export interface ResidentOptions {
  link: NatsLink;
  lease: Lease;
  settings: Omit<LeadSettings, 'run' | 'study'>;
  metrics: CoordinatorMetrics;
  service: ServiceMetrics;
  /** How long the stream of a finished run stays; Infinity: for ever. */
  keepMs: number;
  /** How many runs of one submitter may wait or run at a time. */
  submitterRuns: number;
  version: string;
  clock: Clock;
  log: Logger;
}

export interface Resident {
  rows: ServiceRows;
  share: FleetShare;
  led: ReadonlyMap<string, LedRun>;
  /** Why a queued run waits; undefined before the first look. */
  waitsFor(run: string): string | undefined;
  /** Looks now at what is to be done. */
  look(): void;
  /** Leaves all runs to whoever leads next. */
  stop(): Promise<void>;
}

interface Parts extends ResidentOptions {
  rows: ServiceRows;
  share: FleetShare;
  led: Map<string, LedRun>;
  waiting: Map<string, string>;
  /** Runs that could not be begun, and until when they are left alone. */
  resting: Map<string, { untilMs: number; reason: string }>;
  /** Agents without which a run that had begun cannot go on. */
  needed: Map<string, ReadonlySet<string>>;
  /** When old streams were looked for last. */
  sweptMs: number;
}

export async function openResident(options: ResidentOptions): Promise<Resident> {
  const { link, lease, clock, log } = options;
  const rows = await openServiceRows(link, lease, log);
  const source = { agents: () => listAgents(link), analyzers: () => listAnalyzers(link) };
  const admits = (agent: string): 'any' | 'own' | 'none' =>
    (({ open: 'any', draining: 'own', removed: 'none' }) as const)[rows.agents.get(agent)?.is ?? 'open'];
  const share = shareFleet({ source, clock, admits });
  const parts: Parts = {
    ...options,
    rows,
    share,
    led: new Map(),
    waiting: new Map(),
    resting: new Map(),
    needed: new Map(),
    sweptMs: -Infinity,
  };
  const looking = repeat(() => lookOnce(parts), log);
  return {
    rows,
    share,
    led: parts.led,
    waitsFor: (run) => parts.waiting.get(run),
    look: looking.now,
    stop: async () => {
      looking.stop();
      await Promise.all([...parts.led.values()].map((led) => led.leave(false)));
    },
  };
}

/** Calls a function every second and on demand, never twice at once; a failed look is made again. */
function repeat(look: () => Promise<void>, log: Logger): { now(): void; stop(): void } {
  const state = { isBusy: false, isAsked: false, failures: 0, isOver: false };
  const now = (): void => {
    state.isAsked = true;
    if (state.isBusy || state.isOver) return;
    state.isBusy = true;
    void (async () => {
      while (state.isAsked && !state.isOver) {
        state.isAsked = false;
        await look().catch((error: unknown) => {
          state.failures += 1;
          if (Number.isInteger(Math.log10(state.failures)))
            log.warn({ err: error, times: state.failures }, 'looking after the runs failed; trying again');
        });
      }
      state.isBusy = false;
    })();
  };
  const timer = setInterval(now, LOOK_MS);
  now();
  return {
    now,
    stop: () => {
      state.isOver = true;
      clearInterval(timer);
    },
  };
}

async function lookOnce(parts: Parts): Promise<void> {
  const { rows, led, lease, share } = parts;
  lease.throwIfAborted();
  for (const [run, { wish }] of rows.runs) if (wish?.value.want === 'stop') void led.get(run)?.leave(true);
  const queued = await findQueued(parts);
  const { agents: present } = await share.source.agents();
  const agents = new Map<string, AgentNow>(
    [...present].map(([agent, { model }]) => [
      agent,
      {
        model: model.name,
        run: share.runOf(agent),
        isOpen: (rows.agents.get(agent)?.is ?? 'open') === 'open',
      },
    ]),
  );
  lease.throwIfAborted();
  const { begin, waiting } = decideQueue({ queued, agents, ...fairnessOf(parts) });
  parts.waiting.clear();
  for (const [run, reason] of waiting) parts.waiting.set(run, reason);
  for (const [run, { reason }] of parts.resting) parts.waiting.set(run, reason);
  for (const run of begin) beginRun(parts, run, queued.find((one) => one.run === run)?.agents ?? []);
  countRuns(parts);
  await sweep(parts);
}

function countRuns({ rows, led, service }: Parts): void {
  const counts = new Map<RunView['state'], number>(STATES.map((state) => [state, 0]));
  for (const [run, of] of rows.runs) {
    const state = led.has(run) ? 'running' : restingState(of);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  service.runs(counts);
}

async function sweep(parts: Parts): Promise<void> {
  const { clock, service } = parts;
  if (clock.monotonicMs() - parts.sweptMs < SWEEP_MS) return;
  parts.sweptMs = clock.monotonicMs();
  await tellFormer(parts);
  for (const _ of await removeOldStreams(parts)) service.streamRemoved();
}

/** The runs that may begin, each with the agents that it needs now. */
async function findQueued(parts: Parts): Promise<QueuedRun[]> {
  const { rows, led, resting, clock } = parts;
  const queued: QueuedRun[] = [];
  for (const [run, of] of rows.runs) {
    if (led.has(run) || restingState(of) !== 'queued') continue;
    if ((resting.get(run)?.untilMs ?? 0) > clock.monotonicMs()) continue;
    resting.delete(run);
    const { submission } = of;
    // What is wrong with one run keeps no other waiting.
    const agents = await neededBy(parts, run, of).catch((error: unknown) => rest(parts, run, error));
    if (!agents) continue;
    queued.push({
      run,
      submitter: submission.value.by.name,
      priority: submission.value.priority,
      place: submission.revision,
      agents: [...agents],
      models: submission.value.study.models,
    });
  }
  return queued;
}

function rest({ resting, clock, lease, log }: Parts, run: string, error: unknown): undefined {
  if (!lease.isHeld()) throw error;
  log.warn({ err: error, run }, 'run cannot be looked at');
  const reason = error instanceof Error ? error.message : String(error);
  resting.set(run, { untilMs: clock.monotonicMs() + AGAIN_MS, reason });
  return undefined;
}

async function neededBy(
  parts: Parts,
  run: string,
  { submission, facts }: RunRows,
): Promise<ReadonlySet<string>> {
  const { link, lease, log, needed } = parts;
  const { study } = submission.value;
  if (!facts) return agentsOf(study);
  const known = needed.get(run);
  if (known) return known;
  await openRunStream(link, run);
  const found = await recallNeeded(link, { run, study, consumer: consumerOfLease(lease.number), log });
  needed.set(run, found);
  return found;
}

function fairnessOf({ rows, led, share }: Parts): {
  load: Map<string, number>;
  servedAt: Map<string, number>;
} {
  const load = new Map<string, number>();
  const servedAt = new Map<string, number>();
  for (const [run, { submission, facts }] of rows.runs) {
    const { name } = submission.value.by;
    if (led.has(run)) load.set(name, (load.get(name) ?? 0) + share.agentsOf(run).length);
    if (facts) servedAt.set(name, Math.max(servedAt.get(name) ?? 0, facts.value.startedAtMs));
  }
  return { load, servedAt };
}

function beginRun(parts: Parts, run: string, agents: readonly string[]): void {
  const { rows, share, led, log, needed } = parts;
  const of = rows.runs.get(run);
  if (!of) return;
  const pool = share.poolOf(run);
  for (const agent of agents) pool.take(agent);
  const keep = (value: Parameters<typeof rows.writeRun<'facts'>>[2]): Promise<void> =>
    rows.writeRun(run, 'facts', value);
  const known = of.facts?.value;
  const recorder = {
    known: of.recorder?.value,
    keep: (row: RecorderRow) => rows.writeRun(run, 'recorder', row),
  };
  const leading = beginLeading({
    ...parts,
    run,
    study: of.submission.value.study,
    pool,
    facts: { known, keep },
    recorder,
    log: log.child({ run }),
  });
  led.set(run, leading);
  needed.delete(run);
  void leading.ended.then((end) => settleRun({ ...parts, againMs: AGAIN_MS }, leading, end));
}
