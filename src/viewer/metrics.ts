/** The viewer's metrics; the only module of this program that uses prom-client. */
import { Counter, Gauge, Registry } from 'prom-client';
import { addProcessMetrics } from '../process/metrics.ts';

export interface ViewerMetrics {
  shed(): void;
  text(): Promise<string>;
}

export function createViewerMetrics(sources: {
  version: string;
  /** The folder that holds the run folders. */
  folder: string;
  feeds(): number;
}): ViewerMetrics {
  const registry = new Registry();
  addProcessMetrics(registry, sources.folder);
  new Gauge({
    name: 'entrain_build_info',
    help: 'The running version.',
    labelNames: ['version', 'program'],
    registers: [registry],
  }).set({ version: sources.version, program: 'viewer' }, 1);
  const shed = new Counter({
    name: 'entrain_viewer_shed_total',
    help: 'Messages that were not sent to a browser that reads too slowly.',
    registers: [registry],
  });
  new Gauge({
    name: 'entrain_viewer_feeds',
    help: 'Browsers that follow a run.',
    registers: [registry],
    collect() {
      this.set(sources.feeds());
    },
  });
  return { shed: () => shed.inc(), text: () => registry.metrics() };
}
