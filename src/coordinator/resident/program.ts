/** The resident coordinator as a program: it waits for the lease, leads while it has it, and waits again. */
import { createPublicKey } from 'node:crypto';
import { COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { systemClock as clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import type { Shutdown } from '../../process/shutdown.ts';
import { connectNats, type NatsLink, type NatsOptions } from '../../transport/nats/connection.ts';
import { registerService } from '../../transport/nats/services.ts';
import type { LeadSettings } from '../lead/lead-parts.ts';
import type { CoordinatorMetrics } from '../metrics.ts';
import { awaitLease, type Lease } from './lease.ts';
import type { ServiceMetrics } from './metrics.ts';
import type { JoinKeys } from '../../protocol/join-messages.ts';
import { createAdmission, type Admission } from './admission.ts';
import { serveJoins } from './serve-joins.ts';
import { openResident, type Resident, type ResidentOptions } from './resident.ts';
import { serveRequests } from './service.ts';

export interface ResidentProgram {
  /** The link over which the lease is held. */
  link: NatsLink;
  nats: NatsOptions;
  settings: Omit<LeadSettings, 'run' | 'study'>;
  metrics: CoordinatorMetrics;
  service: ServiceMetrics;
  keepMs: number;
  /** How many runs of one submitter may wait or run at a time. */
  submitterRuns: number;
  /** By what it lets machines in; undefined where users stand in the server's file. */
  joinKeys: JoinKeys | undefined;
  /** How long what an agent connects with holds. */
  credentialMs: number;
  metricsUrl: string;
  version: string;
  log: Logger;
  shutdown: Shutdown;
}

/** Leads, or stands by, until a stop is asked for. */
export async function standAndLead(program: ResidentProgram): Promise<void> {
  const leading = leadInTurn(program);
  // Runs are left and the lease is given back before the connection goes.
  program.shutdown.onStop('leading', () => leading);
  await leading;
}

async function leadInTurn(program: ResidentProgram): Promise<void> {
  const { link, log, shutdown } = program;
  const stopping = new AbortController();
  void shutdown.asked.then(() => stopping.abort());
  while (!shutdown.isAsked()) {
    const standby = await announce(program, 'standby');
    const prepared = prepareLink(program);
    const lease = await awaitLease({ link, clock, log }, stopping.signal);
    const leading = lease ? lead(program, lease, prepared) : prepared.close();
    await Promise.all([
      standby.stop(),
      leading.catch((error: unknown) => log.error({ err: error }, 'leading failed')),
    ]);
  }
}

interface PreparedLink {
  /** The link, for whoever has the lease now. */
  take(): Promise<NatsLink>;
  close(): Promise<void>;
}

/** Connects while another coordinator leads, so that nobody waits for it later; if that fails, when it is needed. */
function prepareLink({ nats, log }: ResidentProgram): PreparedLink {
  const open = (): Promise<NatsLink> => connectNats({ ...nats, name: 'entrain coordinator leading', log });
  const early = open().catch(() => undefined);
  return {
    take: async () => {
      const link = await early;
      return link && !link.connection.isClosed() ? link : open();
    },
    close: async () => (await early)?.close(),
  };
}

/**
 * Each lease has a connection of its own. With the lease the connection goes, so that nothing which still waits to be
 * published comes late.
 */
async function lead(program: ResidentProgram, lease: Lease, prepared: PreparedLink): Promise<void> {
  program.log.info({ lease: lease.number }, 'has the lease');
  try {
    const own = await prepared.take();
    try {
      await leadOver(guarded(own, lease), program, lease);
    } finally {
      await (lease.isHeld() ? own.close() : own.connection.close());
    }
  } finally {
    await lease.release();
  }
}

async function leadOver(link: NatsLink, program: ResidentProgram, lease: Lease): Promise<void> {
  const { log, shutdown, settings, metrics, service, keepMs, submitterRuns, version } = program;
  const options: ResidentOptions = {
    link,
    lease,
    settings,
    metrics,
    service,
    keepMs,
    submitterRuns,
    version,
    clock,
    log,
  };
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const resident = await openResident(options);
    stops.push(() => resident.stop());
    const announced = await announce(program, String(lease.number));
    stops.push(() => announced.stop());
    service.leads(true);
    stops.push(() => service.leads(false));
    const admission = openAdmission(program, resident);
    const serving = serveRequests(resident, { ...options, admission });
    stops.push(() => serving.stop());
    if (admission) stops.push(serveJoins(link, admission, log).stop);
    log.info({ lease: lease.number }, 'leads the runs');
    await Promise.race([lease.lost, shutdown.asked]);
    if (!lease.isHeld()) log.warn({ lease: lease.number }, 'another coordinator may lead now; standing by');
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/**
 * The server is given the account anew: the coordinator before this one may have ended before it had done so. Nobody
 * who asks waits for that.
 */
function openAdmission(
  { joinKeys: keys, credentialMs, nats, settings, log }: ResidentProgram,
  { rows, share }: Resident,
): Admission | undefined {
  if (!keys) return undefined;
  const isForeign = async (agent: string): Promise<boolean> => {
    const { agents, strangers } = await share.source.agents();
    return agents.has(agent) || strangers.has(agent);
  };
  const hasAnalyzer = async (id: string): Promise<boolean> => {
    const { analyzers, strangers } = await share.source.analyzers();
    return strangers.has(id) || analyzers.some((one) => one.id === id);
  };
  const streamKey = createPublicKey(settings.privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const known = { keys, credentialMs, nats, rows, streamKey };
  const admission = createAdmission({ ...known, isForeign, hasAnalyzer, clock, log });
  admission.publish().catch((error: unknown) => log.error({ err: error }, 'revocations not published'));
  return admission;
}

/** A link that is of no use without the lease. */
function guarded(link: NatsLink, lease: Lease): NatsLink {
  return {
    get connection() {
      lease.throwIfAborted();
      return link.connection;
    },
    ...(link.replicas === undefined ? {} : { replicas: link.replicas }),
    inbox: link.inbox,
    up: () => link.up(),
    close: () => link.close(),
  };
}

function announce(
  { link, version, metricsUrl }: ResidentProgram,
  lead: string,
): Promise<{ stop(): Promise<void> }> {
  return registerService(link, {
    name: COORDINATOR_SERVICE,
    version,
    description: 'Leads the runs of all studies: gives their episodes to agents',
    metadata: { lead, metricsUrl },
    endpoints: [],
  });
}
