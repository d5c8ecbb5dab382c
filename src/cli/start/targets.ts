/** Every program's /metrics, in the form that Prometheus reads from a file (`file_sd_configs`). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { findServices } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export async function writeTargets(link: NatsLink, folder: string): Promise<void> {
  const targets = [];
  for (const service of [ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE]) {
    for (const { metadata } of await findServices(link, service, 200)) {
      const url = new URL(metadata['metricsUrl'] ?? '');
      targets.push({ targets: [url.host], labels: { program: service.replace('entrain-', '') } });
    }
  }
  await writeFile(join(folder, 'targets.json'), `${JSON.stringify(targets, null, 2)}\n`);
}
