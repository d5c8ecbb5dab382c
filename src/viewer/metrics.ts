/** The viewer's metrics; the only place in this program that knows prom-client. */
import { Counter, Gauge, Registry } from 'prom-client';

export interface ViewerMetrics {
  shed(): void;
  text(): Promise<string>;
}

export function createViewerMetrics(feeds: () => number): ViewerMetrics {
  const registry = new Registry();
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
      this.set(feeds());
    },
  });
  return { shed: () => shed.inc(), text: () => registry.metrics() };
}
