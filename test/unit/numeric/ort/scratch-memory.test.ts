import { afterEach, expect, it, vi } from 'vitest';
import { createScratchMemory } from '../../../../src/numeric/ort/scratch-memory.ts';

afterEach(() => vi.useRealTimers());

const memoryOf = (buffers: Float64Array[]): ArrayBufferLike[] => buffers.map(({ buffer }) => buffer);

it('scratch memory lends a returned buffer again, also for a slightly larger request', async () => {
  const scratch = createScratchMemory();
  const first = await scratch.lend([1000, 50], async (lent) => {
    expect(lent.map(({ length }) => length)).toEqual([1000, 50]);
    return memoryOf(lent);
  });
  const again = await scratch.lend([55, 1100], async (lent) => memoryOf(lent));
  expect(again).toEqual([first[1], first[0]]);
});

it('scratch memory never lends one buffer twice at a time, also after an error', async () => {
  const scratch = createScratchMemory();
  await expect(scratch.lend([1000], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await scratch.lend([1000], async ([outer]) => {
    const inner = await Promise.all(
      [1, 2].map(() => scratch.lend([1000], async (lent) => memoryOf(lent)[0])),
    );
    expect(new Set([outer?.buffer, ...inner]).size).toBe(3);
  });
});

it('scratch memory does not give a large buffer to a small request', async () => {
  const scratch = createScratchMemory();
  const [large] = await scratch.lend([1e6], async (lent) => memoryOf(lent));
  const both = await scratch.lend([10, 1e6], async (lent) => memoryOf(lent));
  expect(both[0]).not.toBe(large);
  expect(both[1]).toBe(large);
});

it('scratch memory keeps at most 256 MiB, the newest buffers, for a minute', async () => {
  vi.useFakeTimers();
  const scratch = createScratchMemory();
  const half = 2 ** 24 / 1.125;
  const [first] = await scratch.lend([half], async (lent) => memoryOf(lent));
  const [second] = await scratch.lend([half / 2], async (lent) => memoryOf(lent));
  const [third] = await scratch.lend([half], async (lent) =>
    scratch.lend([half], async () => memoryOf(lent)),
  );
  expect(third).toBe(first);
  expect((await scratch.lend([half / 2], async (lent) => memoryOf(lent)))[0]).not.toBe(second);
  vi.advanceTimersByTime(59_000);
  const kept = await scratch.lend([half], async (lent) => memoryOf(lent));
  vi.advanceTimersByTime(61_000);
  expect((await scratch.lend([half], async (lent) => memoryOf(lent)))[0]).not.toBe(kept[0]);
});
