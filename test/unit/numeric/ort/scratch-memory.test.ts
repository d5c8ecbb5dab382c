import { afterEach, expect, it, vi } from 'vitest';
import { createRooms } from '../../../../src/numeric/ort/scratch-memory.ts';

afterEach(() => vi.useRealTimers());

const memoryOf = (rooms: Float64Array[]): ArrayBufferLike[] => rooms.map(({ buffer }) => buffer);

it('lends memory again once it is given back, a little more than was asked for', async () => {
  const rooms = createRooms();
  const first = await rooms.lend([1000, 50], async (lent) => {
    expect(lent.map(({ length }) => length)).toEqual([1000, 50]);
    return memoryOf(lent);
  });
  const again = await rooms.lend([55, 1100], async (lent) => memoryOf(lent));
  expect(again).toEqual([first[1], first[0]]);
});

it('never lends the same memory twice at a time, also after an error', async () => {
  const rooms = createRooms();
  await expect(rooms.lend([1000], () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await rooms.lend([1000], async ([outer]) => {
    const inner = await Promise.all([1, 2].map(() => rooms.lend([1000], async (lent) => memoryOf(lent)[0])));
    expect(new Set([outer?.buffer, ...inner]).size).toBe(3);
  });
});

it('does not give a small one the place of a large one', async () => {
  const rooms = createRooms();
  const [large] = await rooms.lend([1e6], async (lent) => memoryOf(lent));
  const both = await rooms.lend([10, 1e6], async (lent) => memoryOf(lent));
  expect(both[0]).not.toBe(large);
  expect(both[1]).toBe(large);
});

it('keeps 256 MiB at most, the newest, and for a minute', async () => {
  vi.useFakeTimers();
  const rooms = createRooms();
  const half = 2 ** 24 / 1.125;
  const [first] = await rooms.lend([half], async (lent) => memoryOf(lent));
  const [second] = await rooms.lend([half / 2], async (lent) => memoryOf(lent));
  const [third] = await rooms.lend([half], async (lent) => rooms.lend([half], async () => memoryOf(lent)));
  expect(third).toBe(first);
  expect((await rooms.lend([half / 2], async (lent) => memoryOf(lent)))[0]).not.toBe(second);
  vi.advanceTimersByTime(59_000);
  const kept = await rooms.lend([half], async (lent) => memoryOf(lent));
  vi.advanceTimersByTime(61_000);
  expect((await rooms.lend([half], async (lent) => memoryOf(lent)))[0]).not.toBe(kept[0]);
});
