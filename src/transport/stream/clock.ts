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
/** Two clocks may run at rates that differ by so much, and one may count in ticks of so many nanoseconds. */
const RATE_TOLERANCE = 1e-3;
const TICK_NS = 1e6;

export interface ClockExchangeOptions {
  clock: Clock;
  send(message: ClockMessage): void;
  onEstimate(estimate: ClockEstimate): void;
  /** A reply that cannot be true; nothing is made of it. */
  onImplausible(): void;
  /** How long ago the sender's epoch may have begun at most, nanoseconds. */
  oldestEpochNs(): number;
}

export function createClockExchange(options: ClockExchangeOptions): ClockExchange {
  const { clock } = options;
  let id = 0;
  let left = 0;
  let best: ClockEstimate | undefined;
  /** The last one that was told. */
  let known: ClockEstimate | undefined;
  let sentNs = 0n;
  let timer: NodeJS.Timeout | undefined;
  const ask = (): void => {
    left -= 1;
    id += 1;
    sentNs = clock.monotonicNs();
    options.send({ type: 'clock', id, sentNs });
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
      const estimate = estimateOffset(reply, { sentNs, clock, oldestNs: options.oldestEpochNs() });
      if (!estimate || !agrees(estimate, known)) return options.onImplausible();
      if (!best || estimate.boundNs < best.boundNs) best = estimate;
      if (left > 0) ask();
      else options.onEstimate((known = best));
    },
    stop: () => clearInterval(timer),
  };
}

/** On one connection neither clock stands still or jumps: a machine that sleeps loses its connections. */
function agrees(estimate: ClockEstimate, known: ClockEstimate | undefined): boolean {
  if (!known) return true;
  const driftNs = RATE_TOLERANCE * (estimate.atNs - known.atNs) + TICK_NS;
  return Math.abs(estimate.offsetNs - known.offsetNs) <= estimate.boundNs + known.boundNs + driftNs;
}

/**
 * The offset by one exchange; undefined for a reply that cannot be true: one that does not repeat what was asked, whose stamps
 * lie before the epoch or too long after its beginning, or that claims to have taken longer to answer than the answer took to
 * come.
 */
function estimateOffset(
  reply: ClockReply,
  { sentNs, clock, oldestNs }: { sentNs: bigint; clock: Clock; oldestNs: number },
): ClockEstimate | undefined {
  const backNs = clock.monotonicNs();
  const tripNs = Number(backNs - sentNs);
  const takenNs = Number(reply.repliedNs) - Number(reply.receivedNs);
  const longestNs = tripNs * (1 + RATE_TOLERANCE) + TICK_NS;
  const isPlausible =
    // Some senders write numbers as float64.
    Math.abs(Number(reply.sentNs) - Number(sentNs)) <= TICK_NS &&
    Number(reply.receivedNs) >= 0 &&
    Number(reply.repliedNs) <= oldestNs &&
    takenNs >= 0 &&
    takenNs <= longestNs;
  if (!isPlausible) return undefined;
  const middleNs = Number(sentNs) + tripNs / 2;
  return {
    offsetNs: Math.round(Number(reply.receivedNs) + takenNs / 2 - middleNs),
    boundNs: Math.ceil(Math.max(0, tripNs - takenNs) / 2),
    atNs: Number(backNs),
    wallMs: clock.nowMs(),
  };
}
