/**
 * Metrics of every program about its process and machine: the default ones of prom-client, the memory limit,
 * and free disk space.
 */
import { statfs } from 'node:fs/promises';
import { machineBytes } from './machine-memory.ts';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** Gauges that prom-client names like counters, which `promtool check metrics` refuses. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** @param folder where the program writes; the space of its file system is reported */
export function addProcessMetrics(registry: Registry, folder: string): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: 'entrain_memory_limit_bytes',
    help: 'Memory that the process may take: of its container, else of the machine.',
    registers,
  }).set(machineBytes());
  const size = new Gauge({
    name: 'entrain_disk_size_bytes',
    help: 'Size of the disk it writes to.',
    registers,
  });
  new Gauge({
    name: 'entrain_disk_free_bytes',
    help: 'Room on the disk it writes to.',
    registers,
    async collect() {
      const disk = await statfs(folder).catch(() => undefined);
      if (disk === undefined) return;
      this.set(disk.bavail * disk.bsize);
      size.set(disk.blocks * disk.bsize);
    },
  });
}
