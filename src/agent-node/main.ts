/** `entrain agent`: one agent with one identity, model and device. It waits for invitations into runs. */
import type { Memberships } from '../protocol/memberships.ts';
import { assignmentSchema, parseMessage, releaseSchema, type Assignment } from '../protocol/nats-messages.ts';
import { AGENT_SERVICE, subjects } from '../protocol/subjects.ts';
import { systemClock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { requireWritableFolder } from '../process/writable-folder.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { loadModel } from '../model/worker/load-model.ts';
import type { Model } from '../model/types.ts';
import { programRoutes, serveHttp } from '../transport/http/server.ts';
import { refuseVersion1, registerService } from '../transport/nats/services.ts';
import { keepAccess } from '../transport/nats/access/renew-credentials.ts';
import { connectNats, natsFromEnvironment, type NatsLink } from '../transport/nats/connection.ts';
import { chooseAtOnce } from './episodes-at-once.ts';
import { createAgentMetrics, type AgentMetrics } from './metrics.ts';
import { countPrompts } from './count-prompts.ts';
import { joinRun, streamFault, type Membership, type MembershipOptions } from './run-membership.ts';
import { readSettings, type Settings } from './settings.ts';

export { FLAGS as flags, usage } from './settings.ts';

interface Parts {
  settings: Settings;
  /** Episodes at once. */
  atOnce: number;
  link: NatsLink;
  model: Model;
  metrics: AgentMetrics;
  version: string;
  log: Logger;
  memberships: Map<string, Membership>;
  joining: Map<string, Promise<Membership>>;
  fail(error: Error): void;
}

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  await requireWritableFolder(settings.data);
  const log = createLog(`agent ${settings.id}`);
  const shutdown = createShutdown(log);
  let exitCode = 0;
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1', exitCode: () => exitCode });
  const fail = (error: Error): void => {
    if (shutdown.isAsked()) return;
    exitCode = 1;
    log.fatal({ err: error }, 'agent cannot go on');
    void shutdown.stop();
  };
  await start(settings, { log, shutdown, fail });
  await shutdown.asked;
  await shutdown.stop();
  return exitCode;
}

interface Starting {
  log: Logger;
  shutdown: Shutdown;
  fail(error: Error): void;
}

async function start(settings: Settings, to: Starting): Promise<void> {
  const { log, shutdown, fail } = to;
  const model = await loadModel(settings.model);
  shutdown.onStop('model', () => model.stop());
  void model.failed.then(fail);
  const nats = await natsFromEnvironment();
  const link = await connectNats({
    ...nats,
    name: `entrain agent ${settings.id}`,
    log,
    waitMs: Infinity,
  });
  shutdown.onStop('nats', () => link.close());
  const { id } = settings;
  const access = { who: `agent "${id}"`, subject: subjects.renewCredentials(id), log, fail };
  const kept = keepAccess(link, nats, access);
  shutdown.onStop('credentials', () => kept.stop());
  const memberships = new Map<string, Membership>();
  const version = await programVersion();
  const metrics = metricsOf({ settings, model, link, version, memberships });
  const http = await serveMetrics(settings, { metrics, link, memberships, log });
  shutdown.onStop('http', () => http.close());
  const { episodes: atOnce, isCutByMemory } = chooseAtOnce(settings.asked, model.info);
  const joining = new Map<string, Promise<Membership>>();
  const parts: Parts = { settings, atOnce, link, model, metrics, version, log, memberships, joining, fail };
  const metricsUrl = `${http.url}/metrics`;
  const service = await announce(parts, metricsUrl);
  shutdown.onStop('memberships', () => leaveAll(memberships));
  shutdown.onStop('service', () => service.stop());
  tellReady(parts, { metricsUrl, isCutByMemory });
}

function tellReady(
  { model: { info }, log, atOnce }: Parts,
  { metricsUrl, isCutByMemory }: { metricsUrl: string; isCutByMemory: boolean },
): void {
  const { name: model, provider, rowsPerPass, cacheTokenBytes, contextTokens } = info;
  for (const notice of info.notices) log.warn({ model, notice }, 'notice about the model');
  if (rowsPerPass === 1) log.info({ model }, 'a pass takes one dialogue: sharing it would change numbers');
  if (isCutByMemory)
    log.warn(
      { atOnce, cacheTokenBytes, contextTokens },
      'fewer episodes at once, for the memory of --cache-mb',
    );
  log.info({ model, provider, rowsPerPass, atOnce, metrics: metricsUrl }, 'agent ready');
}

async function leaveAll(memberships: Parts['memberships']): Promise<void> {
  await Promise.all([...memberships.values()].map((joined) => joined.stop()));
}

function metricsOf(
  parts: Pick<Parts, 'settings' | 'model' | 'link' | 'version' | 'memberships'>,
): AgentMetrics {
  const { settings, model, link, version, memberships } = parts;
  return createAgentMetrics({
    agent: settings.id,
    version,
    model: model.info,
    folder: settings.data,
    streams: () => [...memberships].map(([run, membership]) => [run, membership.figures()] as const),
    natsUp: () => link.up(),
  });
}

function serveMetrics(settings: Settings, to: Pick<Parts, 'metrics' | 'link' | 'memberships' | 'log'>) {
  return serveHttp({
    ...settings.serving,
    log: to.log,
    routes: programRoutes({
      metrics: () => to.metrics.text(),
      checks: {
        nats: () => (to.link.up() ? undefined : 'not connected'),
        stream: () => streamFault([...to.memberships.values()]),
      },
    }),
  });
}

function announce(parts: Parts, metricsUrl: string): Promise<{ stop(): Promise<void> }> {
  const { settings, link, model, version } = parts;
  const { name, sha256, layers, dims, provider, rowsPerPass } = model.info;
  return registerService(link, {
    name: AGENT_SERVICE,
    version,
    description: 'An LLM agent whose hidden states entrain listens to',
    metadata: {
      agent: settings.id,
      model: name,
      sha256,
      layers: String(layers),
      dims: String(dims),
      provider,
      rowsPerPass: String(rowsPerPass),
      atOnce: String(parts.atOnce),
      metricsUrl,
    },
    endpoints: [
      {
        name: 'runs',
        subject: subjects.memberships(settings.id),
        handle: () => describeMemberships(parts.memberships),
      },
      {
        name: 'prompt-tokens',
        subject: subjects.promptTokens(settings.id),
        handle: (text) => countPrompts(model, text),
      },
      { name: 'assign', subject: subjects.assign(settings.id), handle: (text) => join(parts, text) },
      { name: 'release', subject: subjects.release(settings.id), handle: (text) => leave(parts, text) },
      refuseVersion1(subjects.version1Agent(settings.id), parts.log),
    ],
  });
}

async function describeMemberships(memberships: Parts['memberships']): Promise<string> {
  const undrained: string[] = [];
  const refusals: Record<string, string> = {};
  for (const [run, membership] of memberships) {
    const refusal = membership.refusal();
    if (refusal !== undefined) refusals[run] = refusal;
    if (!(await membership.drained())) undrained.push(run);
  }
  const memberOf: Memberships = { runs: [...memberships.keys()], undrained };
  return JSON.stringify(Object.keys(refusals).length > 0 ? { ...memberOf, refusals } : memberOf);
}

/** Handles an invitation. A second one into the same run gives the analyzer's new address. */
async function join(parts: Parts, text: string): Promise<string> {
  const { settings, memberships } = parts;
  const assignment = parseMessage(assignmentSchema, text, { code: 'MESSAGE_INVALID', what: 'An assignment' });
  const { run } = assignment;
  const member = memberships.get(run);
  if (member) member.redirect(assignment.analyzer);
  else memberships.set(run, await enter(parts, assignment));
  return JSON.stringify({ agent: settings.id, run });
}

/** Leaves a run: closes its connection, consumers and spool. One that is over leaves nothing on this disk. */
async function leave(parts: Parts, text: string): Promise<string> {
  const { run, over } = parseMessage(releaseSchema, text, { code: 'MESSAGE_INVALID', what: 'A release' });
  const member = parts.memberships.get(run);
  await leaveRun(parts, run);
  if (over) await member?.forget();
  return JSON.stringify({ agent: parts.settings.id, run });
}

async function leaveRun({ memberships, log }: Parts, run: string): Promise<void> {
  const member = memberships.get(run);
  memberships.delete(run);
  await member?.stop();
  log.info({ run }, 'left run');
}

/**
 * A coordinator that comes back later invites the agent again; what is not acknowledged stays in its spool till then.
 */
function abandon(parts: Parts, run: string): void {
  parts.log.warn({ run }, 'the coordinator is gone and nothing is said any more; leaving the run');
  leaveRun(parts, run).catch(parts.fail);
}

/** Joins a run. A coordinator that restarts during the join and asks again waits for the same join. */
async function enter(parts: Parts, assignment: Assignment): Promise<Membership> {
  const { run } = assignment;
  const begun = parts.joining.get(run) ?? joinRun(membershipOptions(parts, assignment));
  parts.joining.set(run, begun);
  try {
    return await begun;
  } finally {
    parts.joining.delete(run);
  }
}

function membershipOptions(parts: Parts, assignment: Assignment): MembershipOptions {
  const { settings, link, model, metrics, log, fail } = parts;
  const spoolMaxBytes = settings.spoolMb * 2 ** 20;
  const { tlsCa, serving } = settings;
  const { tls } = serving;
  const streamTls = { ...(tls ? { cert: tls.cert, key: tls.key } : {}), ...(tlsCa ? { ca: tlsCa } : {}) };
  const stream = { dataFolder: settings.data, spoolMaxBytes, tls: streamTls, clock: systemClock };
  const { id: agent, leaveMs } = settings;
  const { atOnce } = parts;
  const leave = { leaveMs, onAbandoned: () => abandon(parts, assignment.run) };
  return { agent, assignment, atOnce, ...stream, ...leave, link, model, metrics, log, onFault: fail };
}
