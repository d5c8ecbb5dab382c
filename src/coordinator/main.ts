/** `entrain coordinator`: runs one study and, without `--once`, stays to answer requests about it. */
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import { hopelessStudy } from '../protocol/minimums.ts';
import { agentsOf, missingLayer, type Study } from '../protocol/study.ts';
import { COORDINATOR_SERVICE } from '../protocol/subjects.ts';
import { systemClock as clock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { claimRun } from '../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { programRoutes, serveHttp } from '../transport/http/server.ts';
import { registerService } from '../transport/nats/services.ts';
import { connectNats, natsFromEnvironment, type NatsLink } from '../transport/nats/connection.ts';
import type { AgentModel } from '../protocol/agent-model.ts';
import type { RunFacts } from '../protocol/nats-messages.ts';
import { readRunFile } from '../process/run-folder/run-file.ts';
import { checkDisk, tellFinished } from './check-disk.ts';
import { awaitFleet, type Fleet, type FleetAgent } from './fleet.ts';
import {
  assign,
  awaitDrained,
  inviteAgent,
  inviteAll,
  openRunStream,
  releaseAgents,
  type InviteOptions,
} from './invite.ts';
import { createCoordinatorMetrics, type CoordinatorMetrics } from './metrics.ts';
import { checkPrompts } from './check-prompt-lengths.ts';
import { addAbsent, recallNeeded } from './restore-run.ts';
import { countSpoken, openRunFolder, writeRunFile } from './run-folder.ts';
import { requireItsStream, requireSameRun } from './same-run.ts';
import { countEpisodes, countTurns } from './run-state.ts';
import { runStudy, type RunningStudy } from './run-study.ts';
import { readSettings, type CoordinatorSettings } from './settings.ts';
import { watchTurns } from './stalls.ts';
import { chooseReplacements, withoutStandIn } from './replacement.ts';
import { watchFleet, type FleetWatch } from './watch-fleet.ts';

/** Long enough for a restart of the analyzer. */
const DRAIN_MS = 120_000;

/** How long an ending coordinator waits for the agents, which first send their last frames. */
const RELEASE_MS = 4000;

const isSupervised = (): boolean => environment('ENTRAIN_SUPERVISED') === '1';

interface Parts {
  settings: CoordinatorSettings;
  link: NatsLink;
  metrics: CoordinatorMetrics;
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
    // Under a supervisor, the supervisor claims the run folder.
    if (!isSupervised()) await claimFolder(settings, shutdown);
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

async function claimFolder({ run, runs }: CoordinatorSettings, shutdown: Shutdown): Promise<void> {
  const claim = await claimRun({ run, folder: join(runs, run), program: 'coordinator' });
  shutdown.onStop('claim', () => claim.release());
}

async function connect(
  settings: CoordinatorSettings,
  to: { log: Logger; shutdown: Shutdown },
): Promise<Parts> {
  const { log, shutdown } = to;
  const { waitMs } = settings;
  const link = await connectNats({
    ...(await natsFromEnvironment()),
    name: 'entrain coordinator',
    log,
    waitMs,
  });
  shutdown.onStop('nats', () => link.close());
  const version = await programVersion();
  const metrics = createCoordinatorMetrics({
    version,
    run: settings.run,
    folder: settings.runs,
    natsUp: () => link.up(),
  });
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
    ...settings.serving,
    log,
    routes: programRoutes({
      metrics: () => metrics.text(),
      checks: { nats: () => (link.up() ? undefined : 'not connected') },
    }),
  });
  shutdown.onStop('http', () => http.close());
  return http.url;
}

/** Finds the agents and the analyzer of a run that may be begun or continued. */
async function findFleet(parts: Parts) {
  const { settings, link, log } = parts;
  const { run, study, runs, waitMs } = settings;
  const begun = await readRunFile(join(runs, run));
  const before = begun && (await openRunStream(link, run));
  const needed = before ? await recallNeeded(link, { run, study, log }) : agentsOf(study);
  const fleet = await awaitFleet(link, needed, { timeoutMs: waitMs, clock });
  const agents = new Set([...agentsOf(study), ...needed]);
  if (begun) requireSameRun(begun, { study, fleet, agents });
  else await checkRoom(parts, fleet);
  requireItsStream(run, {
    stored: before ?? (await openRunStream(link, run)),
    spoken: await countSpoken(runs, run),
  });
  if (begun) addAbsent(fleet, begun.agents);
  return { begun, fleet, agents };
}

/** @returns a function whose promise settles when every turn is spoken and all states are recorded */
async function startRun(parts: Parts): Promise<() => Promise<void>> {
  const { settings, link, metrics, log, shutdown } = parts;
  const { run, study, runs, privateKey } = settings;
  const { begun, fleet, agents } = await findFleet(parts);
  const folder = await openRunFolder(runs, { run, branches: study.branches !== null });
  shutdown.onStop('folder', () => folder.close());
  const facts = begun ?? (await beginRun(parts, fleet, folder.path));
  const invitation = { run, agents, fleet, link, clock, privateKey, unanswered: new Set<string>(), log };
  const prepared = await inviteAll(invitation);
  shutdown.onStop('renewals', () => prepared.stop());
  const { invited } = prepared;
  const unplayable = new Set<string>();
  const running = await runStudy({ ...facts, ...invitation, invited, unplayable, folder, metrics, log });
  shutdown.onStop('run', () => running.stop());
  const watch = watchRunFleet(parts, { running, invitation, unplayable, kept: folder.path });
  shutdown.onStop('watch', () => watch.stop());
  const released = { isAway: watch.isAway, timeoutMs: RELEASE_MS };
  // Under a supervisor the agents are told to end next.
  if (!isSupervised()) shutdown.onStop('agents', () => releaseAgents(invitation, released));
  const turns = watchTurns({ state: running.state, metrics, clock, log });
  shutdown.onStop('turns', () => turns.stop());
  const modelOf = (agent: string): string | undefined => fleet.agents.get(agent)?.model.sha256;
  log.info({ run, agents: [...agents], outlook: hopelessStudy(study, modelOf) }, 'run started');
  return () => finishRun(parts, { running, invitation, watch });
}

async function finishRun(
  { settings, link, log }: Parts,
  of: { running: RunningStudy; invitation: InviteOptions; watch: FleetWatch },
): Promise<void> {
  const { running, invitation, watch } = of;
  const { run } = settings;
  const end = await running.done;
  log.info({ run, episodes: countEpisodes(end).finished, turns: countTurns(end) }, 'run finished');
  await awaitDrained(invitation, { timeoutMs: DRAIN_MS, isAway: watch.isAway });
  watch.stop();
  await tellFinished(link, { run, analyzer: invitation.fleet.analyzer.id, log });
  await releaseAgents(invitation, watch);
}

/** Checks before a run begins that the layers exist, and that recording and prompts fit. */
async function checkRoom({ settings, link, log }: Parts, fleet: Fleet): Promise<void> {
  const { study, anySize } = settings;
  requireStepLayers(study, fleet);
  await checkDisk(link, { study, fleet, anySize, log });
  await checkPrompts(link, { study, fleet, log });
}

function requireStepLayers(study: Study, fleet: Fleet): void {
  const models = new Map([...fleet.agents].map(([agent, { model }]) => [agent, model]));
  const missing = missingLayer(study, models);
  if (missing) throw new EntrainError('STUDY_INVALID', `The study "${study.name}" ${missing}.`);
}

interface RunParts {
  running: RunningStudy;
  invitation: InviteOptions;
  /** Agents that stay away and that no other can stand in for, as known at the last look. */
  unplayable: Set<string>;
  /** The run folder. */
  kept: string;
}

function watchRunFleet(parts: Parts, to: RunParts): FleetWatch {
  const { link, settings, log } = parts;
  const { running, invitation, unplayable, kept } = to;
  const known = invitation.fleet;
  return watchFleet(link, {
    known,
    graceMs: settings.graceMs,
    log,
    onReturned: async (agent, now) => {
      if (!invitation.agents.has(agent)) return;
      if (now.model.sha256 !== known.agents.get(agent)?.model.sha256) {
        return running.fail(
          `Agent "${agent}" came back with another model; what was recorded is kept in ${kept}.`,
        );
      }
      log.warn({ agent }, 'agent came back');
      known.agents.set(agent, now);
      unplayable.delete(agent);
      if (await inviteAgent(invitation, agent)) await running.resume(agent);
      running.lookAgain();
    },
    members: () => invitation.agents,
    tellAnalyzer: (agent) => assign(invitation, agent),
    onLost: (lost, present) => replaceLost(parts, { ...to, lost, present }),
  });
}

/**
 * Gives the roles of agents that stay away to others with the same model. Where there are none, the rest of the run is
 * played, and then it fails.
 */
async function replaceLost(
  parts: Parts,
  to: RunParts & { lost: ReadonlySet<string>; present: ReadonlyMap<string, FleetAgent> },
): Promise<void> {
  const { metrics, log } = parts;
  const { running, invitation, unplayable, kept, lost, present } = to;
  const known = invitation.fleet.agents;
  const modelOf = (agent: string): AgentModel | undefined => known.get(agent)?.model;
  const now = { present, lost, modelOf };
  unplayable.clear();
  for (const agent of withoutStandIn(now)) unplayable.add(agent);
  const { takeovers, hopeless } = chooseReplacements(running.state(), now);
  for (const takeover of takeovers) {
    const { agent } = takeover;
    log.warn({ ...takeover }, 'episode taken over');
    metrics.takenOver();
    known.set(agent, present.get(agent) as FleetAgent);
    invitation.agents.add(agent);
    await inviteAgent(invitation, agent);
    await running.takeOver(takeover);
  }
  const [agent] = [...hopeless, ...unplayable];
  if (agent === undefined || takeovers.length > 0 || running.canGoOn(lost)) return;
  metrics.agentLost();
  await running.fail(
    `Agent "${agent}" stopped answering, no other agent with its model can take its place, and all else that can be played is played: start one before the run, or give agents longer with --grace-seconds of "entrain start" or "entrain coordinator"; what was recorded is kept in ${kept}.`,
  );
}

async function beginRun(parts: Parts, fleet: Fleet, folder: string): Promise<RunFacts> {
  const facts = runFacts(parts, fleet);
  await writeRunFile(folder, facts);
  return facts;
}

/** What is needed to repeat the run. */
function runFacts(parts: Parts, fleet: Fleet): RunFacts {
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
