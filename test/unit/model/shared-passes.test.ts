import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Decoder } from '../../../src/model/runtime/decoder.ts';
import { createPassQueue } from '../../../src/model/runtime/pass-queue.ts';
import { probeSteps } from '../../../src/model/runtime/probe-steps.ts';
import { createSharedDecoders } from '../../../src/model/runtime/shared-decoder.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { openGraph, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const MOST = 16;

describe.each(['entrain-dialogue-300k', 'entrain-dialogue-8m'])(
  'passes that dialogues of %s share',
  (name) => {
    let graph: OpenGraph;
    let rows: number;
    beforeAll(async () => {
      graph = await openGraph(`models/${name}`);
      rows = await probeSteps(graph.parts, { most: MOST, contextTokens: graph.contextTokens });
    });

    it('may take sixteen dialogues', () => {
      expect(rows).toBe(MOST);
    });

    it('give each dialogue the bits of a pass of its own, whatever the other dialogues do', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(script(), { minLength: 2, maxLength: 9 }), async (scripts) => {
          const openShared = createSharedDecoders(graph.parts, rows);
          const together = await Promise.all(scripts.map((acts) => play(openShared(), acts)));
          for (const [i, acts] of scripts.entries()) {
            const alone = await play(createSharedDecoders(graph.parts, rows)(), acts);
            expect(together[i]).toEqual(alone);
          }
        }),
        { numRuns: 6 },
      );
    });

    it('agree with passes over whole prompts to rounding', async () => {
      const ids = Array.from({ length: 40 }, (_, i) => 5 + ((i * 31) % 400));
      const shared = createSharedDecoders(graph.parts, rows);
      const [stepped, other] = [shared(), shared()];
      await Promise.all([stepped.run(ids.slice(0, 17), [0]), other.run(ids.slice(0, 3), [0])]);
      const steps = ids.slice(17).map((id) => async () => stepped.run([id], [0]));
      const side = ids.map((id) => async () => other.run([id], [0]));
      const [last] = await Promise.all([inTurn(steps), inTurn(side)]);
      const whole = await graph.openDecoder().run(ids, [0]);
      const largest = Math.max(
        ...whole.logits.map((value, i) => Math.abs(value - (last?.logits[i] ?? Number.NaN))),
      );
      expect(largest).toBeLessThan(1e-3);
    });
  },
);

describe('the probe of shared passes', () => {
  const shape = {
    dims: 64,
    hidden: 128,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    vocabulary: 96,
    context: 128,
  };
  const probe = async (style: LlamaStyle, keyValueHeads = 2): Promise<number> => {
    const path = await writeLlamaFolder(randomWeights({ ...shape, keyValueHeads }, 3), style);
    const graph = await openGraph(path);
    return probeSteps(graph.parts, { most: MOST, contextTokens: graph.contextTokens });
  };

  it.each([2, 4])('allows sixteen rows to a graph with a mask and %i key/value heads', async (heads) => {
    expect(await probe({ style: 'torch' }, heads)).toBe(MOST);
  });

  it.each<[string, LlamaStyle]>([
    ['that compares keys with positions and ignores masked places', { style: 'torch', mask: 'positions' }],
    ['whose attention writes into the cache that it is given', { style: 'genai' }],
    ['in half precision', { style: 'torch', half: true }],
  ])('allows one row to a graph %s', async (_, style) => {
    expect(await probe(style)).toBe(1);
  });
});

describe('the queue of passes', () => {
  const record = (rowsPerPass: number) => {
    const passes: string[] = [];
    const queue = createPassQueue<string, string>({
      rowsPerPass,
      runSteps: (steps) => {
        passes.push(steps.join(' '));
        return Promise.resolve([...steps]);
      },
    });
    const chunk = (label: string): Promise<void> =>
      queue.chunk(async () => {
        passes.push(label);
        return Promise.resolve();
      });
    return { queue, passes, chunk };
  };

  it('runs one pass over all waiting tokens between any two chunks of prompts', async () => {
    const { queue, passes, chunk } = record(4);
    await Promise.all([chunk('A'), chunk('B'), chunk('C'), ...['a', 'b', 'c'].map((id) => queue.step(id))]);
    expect(passes).toEqual(['A', 'a b c', 'B', 'C']);
  });

  it('takes no more tokens than were probed, and leaves the rest for the next pass', async () => {
    const { queue, passes } = record(4);
    await Promise.all('a b c d e f g'.split(' ').map((id) => queue.step(id)));
    expect(passes).toEqual(['a b c d', 'e f g']);
  });

  it('takes tokens of branches behind those of live dialogues, also where they have waited longer', async () => {
    const { queue, passes } = record(4);
    const branches = ['a', 'b', 'c'].map((id) => queue.step(id, true));
    await Promise.all([...branches, ...['d', 'e', 'f', 'g', 'h'].map((id) => queue.step(id))]);
    expect(passes).toEqual(['d e f g', 'h a b c']);
  });

  it('fails the tokens of a pass that fails, and goes on', async () => {
    let fails = true;
    const queue = createPassQueue<string, string>({
      rowsPerPass: 2,
      runSteps: (steps) => (fails ? Promise.reject(new Error('no memory')) : Promise.resolve([...steps])),
    });
    const both = [queue.step('a'), queue.step('b')];
    await expect(Promise.all(both)).rejects.toThrow('no memory');
    fails = false;
    await expect(queue.step('c')).resolves.toBe('c');
  });
});

type Act = { run: number } | { back: number } | 'fork' | 'close';

/** What a dialogue does: chunks and tokens, now and then some steps back, at the end perhaps an early close. */
function script(): fc.Arbitrary<Act[]> {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Act>({ run: 1 }) },
    { weight: 2, arbitrary: fc.integer({ min: 2, max: 40 }).map((run): Act => ({ run })) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }).map((back): Act => ({ back })) },
    { weight: 1, arbitrary: fc.constant<Act>('fork') },
  );
  const acts = fc.array(act, { minLength: 3, maxLength: 50 });
  return fc.tuple(acts, fc.boolean()).map(([all, closes]): Act[] => (closes ? [...all, 'close'] : all));
}

async function play(first: Decoder, acts: readonly Act[]): Promise<number[][]> {
  let decoder = first;
  const seen: number[][] = [];
  for (const [i, act] of acts.entries()) {
    if (act === 'close') decoder.close();
    else if (act === 'fork') {
      const parent = decoder;
      decoder = parent.fork();
      parent.close();
    } else if ('back' in act) decoder.cache.truncate(Math.max(0, decoder.cache.length - act.back));
    else {
      const ids = Array.from({ length: act.run }, (_, k) => 5 + ((i * 97 + k * 13) % 400));
      const { logits, states } = await decoder.run(ids, [0, 2]);
      seen.push([sum(logits), ...[...states.values()].map(sum), logits[7] ?? 0]);
    }
  }
  return seen;
}

/** Weighted, so that values in each other's place are seen. */
function sum(values: Float32Array): number {
  return values.reduce((total, value, i) => total + value * (1 + (i % 7)), 0);
}

async function inTurn<T>(calls: readonly (() => Promise<T>)[]): Promise<T | undefined> {
  let last: T | undefined;
  for (const call of calls) last = await call();
  return last;
}
