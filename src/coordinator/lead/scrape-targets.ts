/** Where the /metrics of all programs are, in the form of Prometheus's HTTP service discovery (`http_sd_configs`). */
import { hostname } from 'node:os';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import type { Clock } from '../../process/clock.ts';
import { findServices, type ServiceRecord } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export interface ScrapeTarget {
  /** `HOST:PORT` */
  targets: [string];
  labels: Record<string, string>;
}

const HERE: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/** How long an agent or analyzer that does not answer is still named: long enough for Prometheus to say so. */
export const NAMED_MS = 5 * 60_000;

/**
 * Finds the programs that announce themselves, again at each call; one that comes needs no edit anywhere. One that goes
 * is named for a while, or Prometheus would forget it in the moment in which it is lost. Not so a coordinator: another
 * one leads in its place.
 */
export function scrapeTargets(link: NatsLink, clock: Clock): () => Promise<ScrapeTarget[]> {
  const kept = new Map<string, { target: ScrapeTarget; seenMs: number }>();
  return async () => {
    const found = await findAll(link);
    const seenMs = clock.monotonicMs();
    for (const { name, target } of found) if (name !== undefined) kept.set(name, { target, seenMs });
    for (const [name, { seenMs: lastMs }] of kept) if (seenMs - lastMs > NAMED_MS) kept.delete(name);
    const unkept = found.flatMap(({ name, target }) => (name === undefined ? [target] : []));
    return [...[...kept.values()].map(({ target }) => target), ...unkept];
  };
}

interface Found {
  /** Under which name it comes back, perhaps at another address; undefined for a coordinator. */
  name: string | undefined;
  target: ScrapeTarget;
}

async function findAll(link: NatsLink): Promise<Found[]> {
  const services = [ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE];
  const found = await Promise.all(
    services.map(async (service) => ({ service, records: await findServices(link, service) })),
  );
  return found.flatMap(({ service, records }) => records.flatMap((record) => targetOf(service, record)));
}

function targetOf(service: string, { metadata }: ServiceRecord): Found[] {
  const { metricsUrl, machine = '', agent, id } = metadata;
  if (metricsUrl === undefined || !URL.canParse(metricsUrl)) return [];
  const { host, hostname: place, protocol, pathname } = new URL(metricsUrl);
  // What another machine serves to itself alone is out of reach.
  if (HERE.includes(place) && machine !== hostname()) return [];
  const program = service.replace('entrain-', '');
  const labels = { program, machine, __scheme__: protocol.slice(0, -1), __metrics_path__: pathname };
  const own = agent ?? id;
  const name = own === undefined ? undefined : `${program} ${own}`;
  return [{ name, target: { targets: [host], labels } }];
}
