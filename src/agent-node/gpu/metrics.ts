/** Memory and use of the machine's GPUs on /metrics, where the driver offers them. */
import { Gauge, type Registry } from 'prom-client';
import type { GpuFigures } from './read-gpus.ts';

const labelNames = ['gpu', 'name'];

export function addGpuMetrics(registry: Registry, read: () => Promise<GpuFigures[]>): void {
  const gauge = (name: string, help: string, of: (gpu: GpuFigures) => number | undefined): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const gpus = await read();
        this.reset();
        for (const one of gpus) {
          const value = of(one);
          if (value !== undefined) this.set({ gpu: one.index, name: one.name }, value);
        }
      },
    });
  };
  gauge(
    'entrain_gpu_memory_used_bytes',
    'Memory in use of each GPU of the machine.',
    ({ usedBytes }) => usedBytes,
  );
  gauge('entrain_gpu_memory_size_bytes', 'Memory of each GPU of the machine.', ({ sizeBytes }) => sizeBytes);
  gauge(
    'entrain_gpu_busy_ratio',
    'Share of the time in which something ran on the GPU.',
    ({ busyShare }) => busyShare,
  );
}
