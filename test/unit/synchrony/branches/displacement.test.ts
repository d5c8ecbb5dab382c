/** How far alternatives move the listener, beside the definition written out row by row. */
import { expect, it } from 'vitest';
import { displacements } from '../../../../src/synchrony/branches/displacement.ts';
import type { Branches } from '../../../../src/synchrony/branches/histories.ts';
import { plantedBranches } from '../../../fixtures/planted/planted-branches.ts';
import { pick, twinRows } from './twin-rows.ts';

const { branches } = plantedBranches({
  kind: 'moved',
  seed: 3,
  scenarios: 3,
  episodes: 2,
  turns: 2,
  alternatives: 4,
  dims: 3,
  layers: 2,
});

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** From the definition alone: loops over rows, histories, layers and dims. */
function twin(of: Branches): number[] {
  const rows = twinRows(of);
  return rows.map((row) => {
    const own = rows.filter(({ episode, turn }) => episode === row.episode && turn === row.turn);
    const squares = row.b.flatMap((layer, at) =>
      layer.map((value, dim) => {
        const all = rows.map(({ b }) => b[at]?.[dim] as number);
        const spread = Math.sqrt(
          all.reduce((sum, one) => sum + (one - mean(all)) ** 2, 0) / (all.length - 1),
        );
        return ((value - mean(own.map(({ b }) => b[at]?.[dim] as number))) / spread) ** 2;
      }),
    );
    return Math.sqrt(mean(squares));
  });
}

it('is the distance from the mean of the history, in spreads of the dims, over all layers', () => {
  const expected = twin(branches);
  const values = displacements(branches);
  expect(values).toHaveLength(branches.n);
  for (const { row, value } of values) expect(value).toBeCloseTo(expected[row] as number, 12);
});

it('keeps the rows apart however they are ordered, and leaves out a history of one alternative', () => {
  const order = [...Array(branches.n).keys()].reverse();
  const turned = displacements(pick(branches, order));
  const values = new Map(displacements(branches).map(({ row, value }) => [row, value]));
  for (const { row, value } of turned)
    expect(value).toBeCloseTo(values.get(order[row] as number) as number, 12);
  const single = pick(branches, [0, ...order.filter((row) => row > 3).toReversed()]);
  expect(displacements(single).map(({ row }) => row)).not.toContain(0);
});

it('is exactly 0 where the listener does not hear', () => {
  const same = branches.target.map((m) => {
    const data = m.data.slice();
    for (let r = 0; r < branches.n; r += 1)
      data.copyWithin(r * m.cols, Math.floor(r / 4) * 4 * m.cols, (Math.floor(r / 4) * 4 + 1) * m.cols);
    return { ...m, data };
  });
  expect(displacements({ ...branches, target: same }).map(({ value }) => value)).toEqual(
    Array(branches.n).fill(0),
  );
});
