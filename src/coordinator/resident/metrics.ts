/** The metrics of a resident coordinator besides those of its runs. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { RunView } from '../../protocol/service-messages.ts';

export interface ServiceMetrics {
  /** Whether this coordinator has the lease. */
  leads(isLeader: boolean): void;
  runs(counts: ReadonlyMap<RunView['state'], number>): void;
  streamRemoved(): void;
}

export function createServiceMetrics(registry: Registry): ServiceMetrics {
  const registers = [registry];
  const leader = new Gauge({
    name: 'entrain_service_leader',
    help: 'Whether this resident coordinator has the lease: 1, or 0 while it stands by.',
    registers,
  });
  const runs = new Gauge({
    name: 'entrain_service_runs',
    help: 'Runs of the service by state, on the coordinator that leads.',
    labelNames: ['state'],
    registers,
  });
  const removed = new Counter({
    name: 'entrain_service_streams_removed_total',
    help: 'JetStream streams of finished runs that were removed after their time.',
    registers,
  });
  leader.set(0);
  return {
    leads: (isLeader) => {
      leader.set(Number(isLeader));
      if (!isLeader) runs.reset();
    },
    runs: (counts) => {
      for (const [state, count] of counts) runs.set({ state }, count);
    },
    streamRemoved: () => removed.inc(),
  };
}
