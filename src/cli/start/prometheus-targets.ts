/** Writes the /metrics addresses of a run's programs, as they announce them, where Prometheus reads them. */
import { AGENT_SERVICE, ANALYZER_SERVICE, COORDINATOR_SERVICE } from '../../protocol/subjects.ts';
import { putTargets, type ProgramAddress } from '../../process/run-folder/targets-file.ts';
import { findServices } from '../../transport/nats/services.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export async function writeTargets(link: NatsLink, runFolder: string): Promise<void> {
  const programs: ProgramAddress[] = [];
  for (const service of [ANALYZER_SERVICE, COORDINATOR_SERVICE, AGENT_SERVICE]) {
    for (const { metadata } of await findServices(link, service, 200)) {
      const { host } = new URL(metadata['metricsUrl'] ?? '');
      programs.push({ host, program: service.replace('entrain-', '') });
    }
  }
  await putTargets(runFolder, programs);
}
