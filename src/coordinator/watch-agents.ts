/**
 * Watches the agents of a run: one that is back as another service instance has restarted, one that has an episode and does
 * not answer for too long is lost.
 */
import type { NatsLink } from '../transport/nats.ts';
import { listAgents, type FleetAgent } from './fleet.ts';

const PERIOD_MS = 2000;

export interface WatchOptions {
  /** Agents of the run as they are known; a returned agent is put into it. */
  known: Map<string, FleetAgent>;
  /** How long an agent with an episode may be away. */
  graceMs: number;
  busy(): Set<string>;
  onReturned(agent: string, as: FleetAgent): Promise<void>;
  onLost(agent: string): void;
}

export function watchAgents(link: NatsLink, options: WatchOptions): { stop(): void } {
  const awayMs = new Map<string, number>();
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking) return;
    looking = true;
    try {
      // While NATS is away nobody can answer: no reason to give an agent up.
      if (!link.up()) return awayMs.clear();
      const present = await listAgents(link);
      await welcomeReturned(present, options);
      countAbsent(present, awayMs, options);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), PERIOD_MS);
  return { stop: () => clearInterval(timer) };
}

async function welcomeReturned(present: Map<string, FleetAgent>, options: WatchOptions): Promise<void> {
  for (const [agent, was] of options.known) {
    const now = present.get(agent);
    if (!now || now.instance === was.instance) continue;
    await options.onReturned(agent, now);
    options.known.set(agent, now);
  }
}

function countAbsent(
  present: Map<string, FleetAgent>,
  awayMs: Map<string, number>,
  options: WatchOptions,
): void {
  for (const agent of options.busy()) {
    const away = present.has(agent) ? 0 : (awayMs.get(agent) ?? 0) + PERIOD_MS;
    awayMs.set(agent, away);
    if (away >= options.graceMs && away < options.graceMs + PERIOD_MS) options.onLost(agent);
  }
}
