/**
 * Estimates the offset between an agent's clock and this one. Every 5 s the clocks are compared eight times;
 * the comparison with the shortest round trip counts. The error of the offset is at most half of that round
 * trip, whichever way the delay was split.
 */
import type { Clock as ClockMessage, ClockReply } from '../../../protocol/stream/frames.ts';
import type { Clock } from '../../../process/clock.ts';

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
/** Largest difference in rate between two clocks, and largest tick of a clock in nanoseconds, that are accepted. */
const RATE_TOLERANCE = 1e-3;
const TICK_NS = 1e6;

export interface ClockExchangeOptions {
  clock: Clock;
  send(message: ClockMessage): void;
  onEstimate(estimate: ClockEstimate): void;
  /** Called for a reply that cannot be true and is ignored. */
  onImplausible(): void;
  /** How long ago, at most, the sender's epoch began; nanoseconds. */
  oldestEpochNs(): number;
}

export function createClockExchange(options: ClockExchangeOptions): ClockExchange {
  const { clock } = options;
  let id = 0;
  let left = 0;
  let best: ClockEstimate | undefined;
  /** The last estimate that was reported. */
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

/**
 * Whether an estimate agrees with the last one. On one connection no clock stops or jumps: a machine that sleeps
 * loses its connections.
 */
function agrees(estimate: ClockEstimate, known: ClockEstimate | undefined): boolean {
  if (!known) return true;
  const driftNs = RATE_TOLERANCE * (estimate.atNs - known.atNs) + TICK_NS;
  return Math.abs(estimate.offsetNs - known.offsetNs) <= estimate.boundNs + known.boundNs + driftNs;
}

/**
 * The estimate from one reply. Undefined for a reply that cannot be true: it does not repeat what was asked, its
 * times lie before the epoch or too long after its beginning, or it claims to have taken longer than the round trip.
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
