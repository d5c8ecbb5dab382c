import { describe, expect, it } from 'vitest';
import { createPassQueue, type PassQueue } from '../../../src/model/runtime/pass-queue.ts';

/** A queue whose chunks share a pass if their labels begin alike. */
function record(rowsPerPass: number): { queue: PassQueue<string, string>; passes: string[] } {
  const passes: string[] = [];
  const run = (rows: readonly string[]): Promise<string[]> => {
    passes.push(rows.join(' '));
    return Promise.resolve([...rows]);
  };
  const chooseChunks = (waiting: readonly string[]): string[] =>
    waiting.filter((label) => label[0] === waiting[0]?.[0]).slice(0, rowsPerPass);
  return { queue: createPassQueue({ rowsPerPass, runSteps: run, runChunks: run, chooseChunks }), passes };
}

describe('the queue of passes', () => {
  it('runs one pass over all waiting tokens between any two passes over chunks', async () => {
    const { queue, passes } = record(4);
    const chunks = ['A1', 'B1', 'C1'].map((label) => queue.chunk(label));
    await Promise.all([...chunks, ...['a', 'b', 'c'].map((id) => queue.step(id))]);
    expect(passes).toEqual(['A1', 'a b c', 'B1', 'C1']);
  });

  it('runs chunks that may share a pass together, and others in the order in which they came', async () => {
    const { queue, passes } = record(4);
    const labels = ['A1', 'B1', 'A2', 'C1', 'B2', 'A3'];
    expect(await Promise.all(labels.map((label) => queue.chunk(label)))).toEqual(labels);
    expect(passes).toEqual(['A1 A2 A3', 'B1 B2', 'C1']);
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

  it('takes chunks of branches behind those of live dialogues', async () => {
    const { queue, passes } = record(2);
    const branches = ['A1', 'B1'].map((label) => queue.chunk(label, true));
    await Promise.all([...branches, ...['B2', 'C1'].map((label) => queue.chunk(label))]);
    expect(passes).toEqual(['B2 B1', 'C1', 'A1']);
  });

  it('fails the tokens of a pass that fails, and goes on', async () => {
    let fails = true;
    const run = (rows: readonly string[]): Promise<string[]> =>
      fails ? Promise.reject(new Error('no memory')) : Promise.resolve([...rows]);
    const queue = createPassQueue<string, string>({
      rowsPerPass: 2,
      runSteps: run,
      runChunks: run,
      chooseChunks: (waiting) => waiting,
    });
    const calls = [queue.step('a'), queue.step('b'), queue.chunk('A'), queue.chunk('B')];
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
    fails = false;
    await expect(queue.step('c')).resolves.toBe('c');
    await expect(queue.chunk('C')).resolves.toBe('C');
  });
});
