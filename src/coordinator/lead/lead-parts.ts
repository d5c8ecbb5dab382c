/** What it takes to lead a run. */
import type { RecorderRow } from '../../protocol/events/recorded.ts';
import type { RunFacts } from '../../protocol/nats-messages.ts';
import type { Study } from '../../protocol/study.ts';
import type { Logger } from '../../process/log.ts';
import type { Shutdown } from '../../process/shutdown.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import type { RunMetrics } from '../metrics.ts';
import type { RunState } from '../state/run-state.ts';
import type { AgentPool } from './agent-pool.ts';

export interface LeadSettings {
  run: string;
  study: Study;
  /** Folder of the run folders. */
  runs: string;
  /** Ed25519 private key, PEM. */
  privateKey: string;
  /** How long to wait for agents and analyzer. */
  waitMs: number;
  /** How long an agent with an episode may be away. */
  graceMs: number;
  /** Start even if the recording may not fit on the disk. */
  anySize: boolean;
}

export interface LeadParts {
  settings: LeadSettings;
  link: NatsLink;
  metrics: RunMetrics;
  version: string;
  log: Logger;
  /** Of this run alone: what is begun for it registers how it is stopped. */
  shutdown: Shutdown;
  pool: AgentPool;
  /** Name of the consumer by which this coordinator reads the run's stream. */
  consumer: string;
  /** Throws when this coordinator may publish nothing any more. */
  signal?: Pick<AbortSignal, 'throwIfAborted'>;
  /** Whether agents stay members when the run is left before its end. */
  keepsAgents(): boolean;
  /** What the run was begun with, where it is not known from the run folder alone. */
  facts?: { known: RunFacts | undefined; keep(facts: RunFacts): Promise<void> };
  /** Which analyzer has the run, where that is kept. */
  recorder?: { known: RecorderRow | undefined; keep(row: RecorderRow): Promise<void> };
  /** Told once the state of the run is known. */
  onState?(state: () => RunState): void;
}
