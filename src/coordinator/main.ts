/** `entrain coordinator`: runs one study and, unless told `--once`, stays to answer questions about it. */
import { COORDINATOR_SERVICE } from '../protocol/subjects.ts';
import { systemClock as clock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { programRoutes, serveHttp } from '../transport/http.ts';
import { registerService } from '../transport/nats-services.ts';
import { connectNats, natsFromEnvironment, type NatsLink } from '../transport/nats.ts';
import { awaitFleet, type Fleet } from './fleet.ts';
import { assign, awaitDrained, inviteAgent, prepareRun, type InviteOptions } from './invite.ts';
import { createCoordinatorMetrics, type CoordinatorMetrics } from './metrics.ts';
import { openRunFolder, writeRunFile } from './run-folder.ts';
import { runStudy, type RunningStudy } from './run-study.ts';
import { readSettings, type CoordinatorSettings } from './settings.ts';
import { watchFleet } from './watch-fleet.ts';

/** Long enough for an analyzer to be started again. */
const DRAIN_MS = 120_000;

interface Parts {
  settings: CoordinatorSettings;
  link: NatsLink;
  metrics: CoordinatorMetrics;
  version: string;
  log: Logger;
  shutdown: Shutdown;
}

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = createLog('coordinator');
  const shutdown = createShutdown(log);
  let exitCode = 0;
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1', exitCode: () => exitCode });
  try {
    const parts = await connect(settings, { log, shutdown });
    const complete = await startRun(parts);
    await Promise.race([complete(), shutdown.asked]);
    if (!settings.once) await shutdown.asked;
  } catch (error) {
    exitCode = 1;
    throw error;
  } finally {
    await shutdown.stop();
  }
  return exitCode;
}

async function connect(
  settings: CoordinatorSettings,
  to: { log: Logger; shutdown: Shutdown },
): Promise<Parts> {
  const { log, shutdown } = to;
  const link = await connectNats({ ...(await natsFromEnvironment()), name: 'entrain coordinator', log });
  shutdown.onStop('nats', () => link.close());
  const version = await programVersion();
  const metrics = createCoordinatorMetrics({ version, natsUp: () => link.up() });
  const parts = { settings, link, metrics, version, log, shutdown };
  const url = await serveMetrics(parts);
  const metadata = { run: settings.run, metricsUrl: `${url}/metrics` };
  const description = 'Runs a study: gives episodes to agents';
  const service = await registerService(link, {
    name: COORDINATOR_SERVICE,
    version,
    description,
    metadata,
    endpoints: [],
  });
  shutdown.onStop('service', () => service.stop());
  return parts;
}

async function serveMetrics(parts: Parts): Promise<string> {
  const { settings, metrics, link, log, shutdown } = parts;
  const http = await serveHttp({
    host: settings.host,
    port: settings.port,
    log,
    routes: programRoutes({
      metrics: () => metrics.text(),
      checks: { nats: () => (link.up() ? undefined : 'not connected') },
    }),
  });
  shutdown.onStop('http', () => http.close());
  return http.url;
}

/** @returns what settles when every turn is spoken and everything the agents showed is recorded */
async function startRun(parts: Parts): Promise<() => Promise<void>> {
  const { settings, link, metrics, log, shutdown } = parts;
  const { run, study, runs, privateKey, waitMs } = settings;
  const agents = new Set(study.pairs.flat());
  const fleet = await awaitFleet(link, agents, { timeoutMs: waitMs, clock });
  const folder = await openRunFolder(runs, run);
  shutdown.onStop('folder', () => folder.close());
  await writeRunFile(folder.path, runFacts(parts, fleet));
  const invitation = { run, agents, fleet, link, clock, privateKey };
  const prepared = await prepareRun(invitation);
  shutdown.onStop('renewals', () => prepared.stop());
  const { invited } = prepared;
  const running = await runStudy({ run, study, fleet, invited, folder, link, metrics, clock, log });
  shutdown.onStop('run', () => running.stop());
  const watch = watchRunFleet(parts, { running, invitation, kept: folder.path });
  shutdown.onStop('watch', () => watch.stop());
  log.info({ run, agents: [...agents] }, 'run started');
  return async () => {
    await running.done;
    await awaitDrained(invitation, DRAIN_MS);
  };
}

function watchRunFleet(
  parts: Parts,
  to: { running: RunningStudy; invitation: InviteOptions; kept: string },
): { stop(): void } {
  const { metrics, link, settings, log } = parts;
  const { running, invitation, kept } = to;
  const known = invitation.fleet;
  return watchFleet(link, {
    known,
    graceMs: settings.graceMs,
    busy: () => running.busyAgents(),
    onReturned: async (agent, now) => {
      if (now.model.sha256 !== known.agents.get(agent)?.model.sha256) {
        return running.fail(
          `Agent "${agent}" came back with another model; what was recorded is kept in ${kept}.`,
        );
      }
      log.warn({ agent }, 'agent came back');
      known.agents.set(agent, now);
      if (await inviteAgent(invitation, agent)) await running.resume(agent);
    },
    onAnalyzerMoved: async (streamUrl) => {
      log.warn({ streamUrl }, 'analyzer moved');
      for (const agent of invitation.agents) await assign(invitation, agent);
    },
    onLost: (agent) => {
      metrics.agentLost();
      void running.fail(
        `Agent "${agent}" stopped answering during an episode; what was recorded is kept in ${kept}.`,
      );
    },
  });
}

/** What one must know to repeat the run. */
function runFacts(parts: Parts, fleet: Fleet): unknown {
  const { settings, version } = parts;
  const { run, study } = settings;
  return {
    run,
    version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    study,
    agents: Object.fromEntries([...fleet.agents].map(([id, { model }]) => [id, model])),
    startedAtMs: clock.nowMs(),
  };
}
