/** Watches that the agents of running episodes still answer: one that misses several calls in a row is lost. */
import type { NatsLink } from '../transport/nats.ts';
import { listAgents } from './fleet.ts';

const PERIOD_MS = 2000;
/** Twelve seconds: longer than any pause of a healthy agent, whose sockets live on a thread of their own. */
const MISSES = 6;

export function watchAgents(
  link: NatsLink,
  options: { busy(): Set<string>; onLost(agent: string): void },
): { stop(): void } {
  const missed = new Map<string, number>();
  const look = async (): Promise<void> => {
    if (!link.up()) return missed.clear();
    const present = await listAgents(link);
    for (const agent of options.busy()) {
      const count = present.has(agent) ? 0 : (missed.get(agent) ?? 0) + 1;
      missed.set(agent, count);
      if (count === MISSES) options.onLost(agent);
    }
  };
  const timer = setInterval(() => void look().catch(() => undefined), PERIOD_MS);
  return { stop: () => clearInterval(timer) };
}
