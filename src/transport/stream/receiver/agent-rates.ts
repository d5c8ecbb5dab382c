/** How fast each agent may send, over all its connections: a token bucket of bytes for each. */
import type { Clock } from '../../../process/clock.ts';

export interface AgentRates {
  /**
   * Counts bytes that an agent has sent.
   * @returns how long to read nothing more of it, milliseconds; 0 while it keeps to its rate
   */
  take(agent: string, bytes: number): number;
}

interface Bucket {
  /** Bytes it may still send at once; below 0 it waits. */
  left: number;
  atMs: number;
}

export function createAgentRates(
  { agentBytesPerS, agentBurstBytes }: { agentBytesPerS: number; agentBurstBytes: number },
  clock: Pick<Clock, 'monotonicMs'>,
): AgentRates {
  const buckets = new Map<string, Bucket>();
  return {
    take: (agent, bytes) => {
      const nowMs = clock.monotonicMs();
      const { left, atMs } = buckets.get(agent) ?? { left: agentBurstBytes, atMs: nowMs };
      const refilled = Math.min(agentBurstBytes, left + ((nowMs - atMs) / 1000) * agentBytesPerS);
      const bucket = { left: refilled - bytes, atMs: nowMs };
      buckets.set(agent, bucket);
      return Math.max(0, (-bucket.left / agentBytesPerS) * 1000);
    },
  };
}
