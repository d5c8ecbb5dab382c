/** Many things, some at the same time. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { mapAtOnce } from '../../../src/outcomes/map-at-once.ts';

it('gives results in order of the items, however long each takes, and never begins more at once than asked for', async () => {
  let [open, most] = [0, 0];
  const found = await mapAtOnce([5, 1, 4, 2, 3], 2, async (item) => {
    most = Math.max(most, (open += 1));
    await wait(item);
    open -= 1;
    return 10 * item;
  });
  expect(found).toEqual([50, 10, 40, 20, 30]);
  expect(most).toBe(2);
  expect(await mapAtOnce([], 2, () => Promise.resolve(1))).toEqual([]);
});

it('begins nothing more after an error, which it throws when what had begun has ended', async () => {
  const [begun, ended]: number[][] = [[], []];
  const all = mapAtOnce([1, 2, 3, 4], 2, async (item) => {
    begun?.push(item);
    if (item === 1) throw new Error('the first');
    await wait(1);
    ended?.push(item);
  });
  await expect(all).rejects.toThrow('the first');
  expect([begun, ended]).toEqual([[1, 2], [2]]);
});
