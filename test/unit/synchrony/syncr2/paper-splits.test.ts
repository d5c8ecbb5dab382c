import { describe, expect, it } from 'vitest';
import {
  drawPaperSplit,
  unitsOf,
  type PaperUnit,
  type SplitRows,
} from '../../../../src/synchrony/syncr2/paper-splits.ts';

/** 6 settings × 2 pairs of personas × 3 episodes × 5 turns, of which the shorter episodes have 3. */
function rowsOf(): SplitRows {
  const rows: { episode: number; scenario: number; setting: number; turn: number }[] = [];
  for (let scenario = 0; scenario < 12; scenario++)
    for (let episode = 0; episode < 3; episode++)
      for (let turn = 0; turn < (episode === 1 ? 3 : 5); turn++)
        rows.push({ episode: 3 * scenario + episode, scenario, setting: scenario >> 1, turn });
  const label = (of: keyof (typeof rows)[number]): Int32Array => Int32Array.from(rows, (row) => row[of]);
  const labels = { episode: label('episode'), scenario: label('scenario'), setting: label('setting') };
  return { n: rows.length, ...labels, pair: new Int32Array(rows.length), turn: label('turn') };
}

describe('a split of paper mode', () => {
  it.each<[PaperUnit, number]>([
    ['episode', 36],
    ['personas', 12],
    ['scenario', 6],
  ])('draws each %s as a whole, until a fifth of the rows is drawn', (unit, count) => {
    const rows = rowsOf();
    const units = unitsOf(rows, unit);
    expect(units.size).toBe(count);
    const largest = Math.max(...[...units.values()].map(({ length }) => length));
    for (let index = 0; index < 20; index++) {
      const split = drawPaperSplit(rows, { seed: 3, index, unit }) as Uint8Array;
      for (const own of units.values()) expect(new Set(own.map((row) => split[row])).size).toBe(1);
      const drawn = split.filter(Boolean).length;
      expect(drawn).toBeGreaterThanOrEqual(0.2 * rows.n);
      expect(drawn - largest).toBeLessThan(0.2 * rows.n);
    }
  });

  it('leaves the other episodes of a scenario in the training part if episodes are drawn', () => {
    const rows = rowsOf();
    const split = drawPaperSplit(rows, { seed: 3, index: 0, unit: 'episode' }) as Uint8Array;
    const mixed = [...unitsOf(rows, 'personas').values()].filter(
      (own) => new Set(own.map((row) => split[row])).size > 1,
    );
    expect(mixed.length).toBeGreaterThan(0);
  });
});
