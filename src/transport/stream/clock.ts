/**
 * Estimates the offset between an agent's clock and this one. Every 5 s the clocks are compared eight times;
 * the comparison with the shortest round trip counts. The error of the offset is at most half of that round
 * trip, whichever way the delay was split.
 */
import type { Clock as ClockMessage, ClockReply } from '../../protocol/stream/frames.ts';
import type { Clock } from '../../process/clock.ts';

export interface ClockEstimate {
  /** Agent's clock minus this one, nanoseconds. */
  offsetNs: number;
  /** The offset is right to within this much, nanoseconds. */
  boundNs: number;
  /**
   * When it was measured, on this clock: `atNs` monotonic in nanoseconds, `wallMs` wall time in milliseconds
   * since 1970.
   */
  atNs: number;
  wallMs: number;
}

/** Repeats the clock comparison until `stop`; `replied` takes the agent's answers. */
export interface ClockExchange {
  start(): void;
  replied(reply: ClockReply): void;
  stop(): void;
}

const EXCHANGES = 8;
const EVERY_MS = 5000;

export function createClockExchange(options: {
  clock: Clock;
  send(message: ClockMessage): void;
  onEstimate(estimate: ClockEstimate): void;
}): ClockExchange {
  const { clock } = options;
  let id = 0;
  let left = 0;
  let best: ClockEstimate | undefined;
  let timer: NodeJS.Timeout | undefined;
  const ask = (): void => {
    left -= 1;
    id += 1;
    options.send({ type: 'clock', id, sentNs: clock.monotonicNs() });
  };
  const burst = (): void => {
    left = EXCHANGES;
    best = undefined;
    ask();
  };
  return {
    start: () => {
      burst();
      timer = setInterval(burst, EVERY_MS);
    },
    replied: (reply) => {
      if (reply.id !== id) return;
      const estimate = estimateOffset(reply, clock);
      if (!best || estimate.boundNs < best.boundNs) best = estimate;
      if (left > 0) ask();
      else options.onEstimate(best);
    },
    stop: () => clearInterval(timer),
  };
}

function estimateOffset(reply: ClockReply, clock: Clock): ClockEstimate {
  const backNs = Number(clock.monotonicNs());
  const sentNs = Number(reply.sentNs);
  const receivedNs = Number(reply.receivedNs);
  const repliedNs = Number(reply.repliedNs);
  return {
    offsetNs: Math.round((receivedNs - sentNs + (repliedNs - backNs)) / 2),
    boundNs: Math.ceil(Math.max(0, backNs - sentNs - (repliedNs - receivedNs)) / 2),
    atNs: backNs,
    wallMs: clock.nowMs(),
  };
}
