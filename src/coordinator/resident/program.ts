/** The resident coordinator as a program: it waits for the lease, leads while it has it, and waits again. */
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
import { openResident, type ResidentOptions } from './resident.ts';
import { serveRequests } from './service.ts';

export interface ResidentProgram {
  /** The link over which the lease is held. */
  link: NatsLink;
  nats: NatsOptions;
  settings: Omit<LeadSettings, 'run' | 'study'>;
  metrics: CoordinatorMetrics;
  service: ServiceMetrics;
  keepMs: number;
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
    const lease = await awaitLease({ link, clock, log }, stopping.signal);
    await standby.stop();
    if (lease)
      await lead(program, lease).catch((error: unknown) => log.error({ err: error }, 'leading failed'));
  }
}

/**
 * Each lease has a connection of its own. With the lease the connection goes, so that nothing which still waits to be
 * published comes late.
 */
async function lead(program: ResidentProgram, lease: Lease): Promise<void> {
  const { log, shutdown, settings, metrics, service, keepMs, version } = program;
  log.info({ lease: lease.number }, 'leads the runs');
  const own = await connectNats({ ...program.nats, name: 'entrain coordinator leading', log });
  const link = guarded(own, lease);
  const options: ResidentOptions = { link, lease, settings, metrics, service, keepMs, version, clock, log };
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const resident = await openResident(options);
    stops.push(() => resident.stop());
    const announced = await announce(program, String(lease.number));
    stops.push(() => announced.stop());
    service.leads(true);
    stops.push(() => service.leads(false));
    const serving = serveRequests(resident, options);
    stops.push(() => serving.stop());
    await Promise.race([lease.lost, shutdown.asked]);
    if (!lease.isHeld()) log.warn({ lease: lease.number }, 'another coordinator may lead now; standing by');
  } finally {
    for (const stop of stops.toReversed()) await stop();
    await (lease.isHeld() ? own.close() : own.connection.close());
    await lease.release();
  }
}

/** A link that is of no use without the lease. */
function guarded(link: NatsLink, lease: Lease): NatsLink {
  return {
    get connection() {
      lease.throwIfAborted();
      return link.connection;
    },
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
