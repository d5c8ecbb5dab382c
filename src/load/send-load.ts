/** Paces the tokens of all pairs, and measures what came of it. */
import { systemClock as clock } from '../process/clock.ts';
import type { StreamSender } from '../transport/stream/sender/sender.ts';
import type { LoadSettings } from './settings.ts';
import type { SimulatedPair } from './simulated-pair.ts';

export interface LoadFigures {
  agents: number;
  seconds: number;
  frames: number;
  framesPerS: number;
  megabytesPerS: number;
  /** From the frame to its acknowledgement, of frames sampled ten times a second at each agent. */
  latencyMs: { p50: number; p99: number };
  /** Frames left out because a spool was full. */
  shed: number;
  /** Tokens left out because this program could not keep up. */
  lateTokens: number;
  /** Processor time of this program, in seconds a second. */
  ownCores: number;
  /** Whether everything that was sent was acknowledged in the end. */
  acknowledged: boolean;
}

interface Sending {
  streams: readonly { sender: StreamSender; bytes(): number }[];
  pairs: readonly SimulatedPair[];
}

const TICK_MS = 10;
const SAMPLE_MS = 100;
/** What is later than this is left out, so that the rate stays what was asked for. */
const MOST_LATE_S = 1;
const DRAIN_MS = 60_000;

export async function sendLoad(
  { agents, tokensPerS, seconds }: Pick<LoadSettings, 'agents' | 'tokensPerS' | 'seconds'>,
  { streams, pairs }: Sending,
): Promise<LoadFigures> {
  const lags: number[] = [];
  const sampling = setInterval(() => {
    for (const { sender } of streams) lags.push(sender.status().ackLagMs);
  }, SAMPLE_MS);
  const cpu = process.cpuUsage();
  const startMs = clock.monotonicMs();
  const lateTokens = await pace(pairs, { tokensPerS, untilMs: startMs + seconds * 1000 });
  const tookS = (clock.monotonicMs() - startMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const drained = await Promise.all(streams.map(({ sender }) => sender.drained(DRAIN_MS)));
  clearInterval(sampling);
  const sum = (of: 'sent' | 'shed'): number => pairs.reduce((all, pair) => all + pair.figures()[of], 0);
  const bytes = streams.reduce((all, stream) => all + stream.bytes(), 0);
  lags.sort((a, b) => a - b);
  const at = (share: number): number => lags[Math.floor(share * (lags.length - 1))] ?? 0;
  return {
    agents,
    seconds: tookS,
    frames: sum('sent'),
    framesPerS: sum('sent') / tookS,
    megabytesPerS: bytes / 1e6 / tookS,
    latencyMs: { p50: at(0.5), p99: at(0.99) },
    shed: sum('shed'),
    lateTokens,
    ownCores: (user + system) / 1e6 / tookS,
    acknowledged: drained.every(Boolean),
  };
}

/** @returns number of tokens that were left out */
async function pace(
  pairs: readonly SimulatedPair[],
  { tokensPerS, untilMs }: { tokensPerS: number; untilMs: number },
): Promise<number> {
  const startMs = clock.monotonicMs();
  let [done, late] = [0, 0];
  for (let nowMs = startMs; nowMs < untilMs; nowMs = clock.monotonicMs()) {
    const due = Math.floor(((nowMs - startMs) / 1000) * tokensPerS);
    const skipped = Math.max(0, due - done - Math.ceil(MOST_LATE_S * tokensPerS));
    late += skipped * pairs.length;
    done += skipped;
    // One token of each pair at a time, so that acknowledgements are read in between.
    if (done < due) for (const pair of pairs) pair.token();
    done += done < due ? 1 : 0;
    await (done < due
      ? new Promise((next) => setImmediate(next))
      : new Promise((next) => setTimeout(next, TICK_MS)));
  }
  return late;
}
