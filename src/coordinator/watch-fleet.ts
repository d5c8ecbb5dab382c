/**
 * Watches the fleet of a run. If the analyzer has another address, the states go there from now on. An agent with a
 * new service instance has restarted. An agent that does not answer for too long is lost.
 */
import type { NatsLink } from '../transport/nats/connection.ts';
import {
  ABSENT,
  listAgents,
  listAnalyzers,
  type Fleet,
  type FleetAgent,
  type FleetAnalyzer,
} from './fleet.ts';

const PERIOD_MS = 2000;

export interface WatchOptions {
  /** The known fleet; changes are written into it. */
  known: Fleet;
  /** How long an agent may be away. */
  graceMs: number;
  onReturned(agent: string, as: FleetAgent): Promise<void>;
  /** Called at every look while agents are away for longer than the grace period. */
  onLost(lost: ReadonlySet<string>, present: ReadonlyMap<string, FleetAgent>): Promise<void>;
  onAnalyzerMoved(analyzer: FleetAnalyzer): Promise<void>;
}

export interface FleetWatch {
  /** Whether an agent has been away for longer than the grace period. */
  isAway(agent: string): boolean;
  stop(): void;
}

export function watchFleet(link: NatsLink, options: WatchOptions): FleetWatch {
  // An agent that was absent at the start was given up by the coordinator's last life.
  const gone = [...options.known.agents].filter(([, { instance }]) => instance === ABSENT);
  const awayMs = new Map(gone.map(([agent]) => [agent, options.graceMs]));
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      // While NATS is away no agent can answer, so none is given up.
      if (!link.up()) return awayMs.clear();
      const present = await listAgents(link);
      await welcomeReturned(present, options);
      await followAnalyzer(await listAnalyzers(link), options);
      const lost = countAbsent(present, awayMs, options);
      if (lost.size > 0) await options.onLost(lost, present);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), PERIOD_MS);
  return {
    isAway: (agent) => (awayMs.get(agent) ?? 0) >= options.graceMs,
    stop: () => clearInterval(timer),
  };
}

async function welcomeReturned(present: Map<string, FleetAgent>, options: WatchOptions): Promise<void> {
  for (const [agent, was] of options.known.agents) {
    const now = present.get(agent);
    if (!now || now.instance === was.instance) continue;
    await options.onReturned(agent, now);
    options.known.agents.set(agent, now);
  }
}

/** Keeps the known analyzer while it answers; otherwise takes the one of the same name, or the first. */
async function followAnalyzer(
  analyzers: readonly FleetAnalyzer[],
  { known, onAnalyzerMoved }: WatchOptions,
): Promise<void> {
  const was = known.analyzer;
  const isKnown = ({ streamUrl, fingerprint }: FleetAnalyzer): boolean =>
    streamUrl === was.streamUrl && fingerprint === was.fingerprint;
  const next = analyzers.find(({ id }) => id === was.id) ?? analyzers[0];
  if (!next || analyzers.some(isKnown)) return;
  known.analyzer = next;
  await onAnalyzerMoved(next);
}

function countAbsent(
  present: Map<string, FleetAgent>,
  awayMs: Map<string, number>,
  { known, graceMs }: WatchOptions,
): Set<string> {
  for (const agent of known.agents.keys())
    awayMs.set(agent, present.has(agent) ? 0 : (awayMs.get(agent) ?? 0) + PERIOD_MS);
  return new Set([...awayMs].filter(([, away]) => away >= graceMs).map(([agent]) => agent));
}
