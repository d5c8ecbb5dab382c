/** Where the /metrics of all programs are, in the form of Prometheus's HTTP service discovery (`http_sd_configs`). */
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { findServices } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export interface ScrapeTarget {
  /** `HOST:PORT` */
  targets: [string];
  labels: Record<string, string>;
}

/** The programs that announce themselves at this moment; one that comes or goes needs no edit anywhere. */
export async function findScrapeTargets(link: NatsLink): Promise<ScrapeTarget[]> {
  const services = [ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE];
  const found = await Promise.all(
    services.map(async (service) => ({ service, records: await findServices(link, service) })),
  );
  return found.flatMap(({ service, records }) =>
    records.flatMap(({ metadata: { metricsUrl, machine = '' } }): ScrapeTarget[] => {
      if (metricsUrl === undefined || !URL.canParse(metricsUrl)) return [];
      const { host, protocol, pathname } = new URL(metricsUrl);
      const program = service.replace('entrain-', '');
      const labels = { program, machine, __scheme__: protocol.slice(0, -1), __metrics_path__: pathname };
      return [{ targets: [host], labels }];
    }),
  );
}
