/**
 * `entrain coordinator`: with a study it runs that one and, without `--once`, stays to answer requests about it;
 * without one it is resident and leads the runs of all studies that are submitted.
 */
import { join } from 'node:path';
import { COORDINATOR_SERVICE } from '../protocol/subjects.ts';
import { systemClock as clock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { claimRun } from '../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { jsonAnswer, programRoutes, serveHttp, textAnswer } from '../transport/http/server.ts';
import { registerService } from '../transport/nats/services.ts';
import {
  connectNats,
  natsFromEnvironment,
  type NatsLink,
  type NatsOptions,
} from '../transport/nats/connection.ts';
import { addBrokerMetrics } from './broker/metrics.ts';
import { wholeFleet } from './lead/agent-pool.ts';
import type { LeadSettings } from './lead/lead-parts.ts';
import { leadRun } from './lead/lead-run.ts';
import { scrapeTargets } from './lead/scrape-targets.ts';
import { createCoordinatorMetrics, type CoordinatorMetrics } from './metrics.ts';
import { createServiceMetrics, type ServiceMetrics } from './resident/metrics.ts';
import { standAndLead } from './resident/program.ts';
import { SOLE_CONSUMER } from './run-consumer.ts';
import { readSettings, type CoordinatorSettings } from './settings.ts';

/** Runs of the resident coordinator begin when their agents are there. */
const RESIDENT_WAIT_MS = 10_000;

const isSupervised = (): boolean => environment('ENTRAIN_SUPERVISED') === '1';

interface Parts {
  settings: CoordinatorSettings;
  link: NatsLink;
  nats: NatsOptions;
  metrics: CoordinatorMetrics;
  /** Of a resident coordinator. */
  service: ServiceMetrics | undefined;
  metricsUrl: string;
  version: string;
  log: Logger;
  shutdown: Shutdown;
}

export { FLAGS as flags, usage } from './settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = createLog('coordinator');
  const shutdown = createShutdown(log);
  let exitCode = 0;
  endOnSignals(shutdown, { supervised: isSupervised(), exitCode: () => exitCode });
  try {
    const { one } = settings;
    // Under a supervisor, the supervisor claims the run folder.
    if (one && !isSupervised()) await claimFolder(one.run, { settings, shutdown });
    const parts = await connect(settings, { log, shutdown });
    const { service } = parts;
    if (one) await runOne(parts, one);
    else if (service) await stayResident({ ...parts, service });
  } catch (error) {
    exitCode = 1;
    throw error;
  } finally {
    await shutdown.stop();
  }
  return exitCode;
}

async function claimFolder(
  run: string,
  { settings, shutdown }: { settings: CoordinatorSettings; shutdown: Shutdown },
): Promise<void> {
  const claim = await claimRun({ run, folder: join(settings.runs, run), program: 'coordinator' });
  shutdown.onStop('claim', () => claim.release());
}

async function connect(
  settings: CoordinatorSettings,
  to: { log: Logger; shutdown: Shutdown },
): Promise<Parts> {
  const { log, shutdown } = to;
  const { one } = settings;
  const nats = await natsFromEnvironment();
  // A resident coordinator comes with the machine, perhaps before its NATS server.
  const waitMs = one ? settings.waitMs : Infinity;
  const link = await connectNats({ ...nats, name: 'entrain coordinator', log, waitMs });
  shutdown.onStop('nats', () => link.close());
  const version = await programVersion();
  let service: ServiceMetrics | undefined;
  const metrics = createCoordinatorMetrics({
    version,
    folder: settings.runs,
    natsUp: () => link.up(),
    add: (registry) => {
      addBrokerMetrics(registry, link);
      if (!one) service = createServiceMetrics(registry);
    },
  });
  const metricsUrl = `${await serveMetrics({ settings, metrics, link, log, shutdown })}/metrics`;
  return { settings, link, nats, metrics, service, metricsUrl, version, log, shutdown };
}

async function runOne(parts: Parts, one: Pick<LeadSettings, 'run' | 'study'>): Promise<void> {
  const { settings, link, version, metricsUrl, shutdown } = parts;
  const service = await registerService(link, {
    name: COORDINATOR_SERVICE,
    version,
    description: 'Runs a study: gives episodes to agents',
    metadata: { run: one.run, metricsUrl },
    endpoints: [],
  });
  shutdown.onStop('service', () => service.stop());
  const complete = await leadRun({
    ...parts,
    settings: { ...settings, ...one },
    metrics: parts.metrics.ofRun(one.run),
    pool: wholeFleet(link),
    consumer: SOLE_CONSUMER,
    // Under a supervisor the agents are told to end next.
    keepsAgents: isSupervised,
  });
  await Promise.race([complete(), shutdown.asked]);
  if (!settings.once) await shutdown.asked;
}

function stayResident(parts: Parts & { service: ServiceMetrics }): Promise<void> {
  const { settings } = parts;
  const waitMs = Math.min(settings.waitMs, RESIDENT_WAIT_MS);
  const { keepMs, joinKeys, credentialMs, submitterRuns } = settings;
  return standAndLead({
    ...parts,
    keepMs,
    submitterRuns,
    joinKeys,
    credentialMs,
    settings: { ...settings, waitMs },
  });
}

async function serveMetrics(
  parts: Pick<Parts, 'settings' | 'metrics' | 'link' | 'log' | 'shutdown'>,
): Promise<string> {
  const { settings, metrics, link, log, shutdown } = parts;
  const targets = scrapeTargets(link, clock);
  const http = await serveHttp({
    ...settings.serving,
    log,
    routes: {
      ...programRoutes({
        metrics: () => metrics.text(),
        checks: { nats: () => (link.up() ? undefined : 'not connected') },
      }),
      // Prometheus goes on with the targets that it has.
      '/api/targets': async () =>
        link.up() ? jsonAnswer(await targets()) : textAnswer(503, 'nats: not connected\n'),
    },
  });
  shutdown.onStop('http', () => http.close());
  return http.url;
}
