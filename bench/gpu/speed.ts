/** Tokens per second (wall time) on a provider and on one thread of the CPU, alternating within each round. */
import { MessageChannel } from 'node:worker_threads';
import type { Provider } from '../../src/model/types.ts';
import { type BothGraphs, openBothGraphs } from '../model/both-graphs.ts';
import { decodeTokens } from '../model/decode-tokens.ts';
import { compare, median } from '../model/measure.ts';
import type { GpuSubject, Row } from './tasks.ts';

const PREFILL = Array.from({ length: 512 }, (_, i) => 20 + ((i * 7) % 90));
const nowMs = (): number => performance.now();

export async function measureSpeed(provider: Provider, subject: GpuSubject): Promise<Row[]> {
  const { name, folder } = subject;
  const { tokens, rounds } = subject.speed ?? { tokens: 16, rounds: 1 };
  const there = await openBothGraphs({ name, folder, shareWeights: false }, provider);
  const cpu = await openBothGraphs({ name, folder, shareWeights: false });
  const { port1: port, port2 } = new MessageChannel();
  const { layers, dims } = cpu;
  const tapped = (at: BothGraphs) => () => decodeTokens(at.tapped(), { tokens, layers, dims, port, nowMs });
  const plain = (at: BothGraphs) => () => decodeTokens(at.plain(), { tokens, layers: [], dims, port, nowMs });
  const prefill = (at: BothGraphs) => async () => {
    const decoder = at.tapped();
    const start = nowMs();
    await decoder.run(PREFILL, layers);
    return nowMs() - start;
  };
  const ms = await compare(rounds, {
    tapped: tapped(there),
    plain: plain(there),
    prefill: prefill(there),
    cpuTapped: tapped(cpu),
    cpuPlain: plain(cpu),
    cpuPrefill: prefill(cpu),
  });
  port.close();
  port2.close();
  const rate = (count: number, times: readonly number[]): string =>
    `${((1000 * count) / median(times)).toFixed(1)} tokens/s`;
  return [
    [name, 'all layers tapped and sent', rate(tokens, ms.tapped), rate(tokens, ms.cpuTapped), ''],
    [name, 'no taps', rate(tokens, ms.plain), rate(tokens, ms.cpuPlain), ''],
    [
      name,
      `prefill of ${PREFILL.length} tokens, tapped`,
      rate(PREFILL.length, ms.prefill),
      rate(PREFILL.length, ms.cpuPrefill),
      '',
    ],
  ];
}
