/** Which rows a strict score uses, and how scenarios are put into folds. */
import { describe, expect, it } from 'vitest';
import { chooseBlocks, foldsOf } from '../../../../src/synchrony/strict/blocks.ts';
import { strataOf } from '../../../../src/synchrony/strict/permutations.ts';
import type { RowLabels } from '../../../../src/synchrony/types.ts';

/** Rows of episodes, each given by its scenario and its turns. */
function labels(episodes: [scenario: number, turns: number[]][]): RowLabels {
  const rows = episodes.flatMap(([scenario, turns], episode) =>
    turns.map((turn) => ({ scenario, episode, turn })),
  );
  const of = (name: 'scenario' | 'episode' | 'turn'): Int32Array => Int32Array.from(rows, (row) => row[name]);
  return {
    scenario: of('scenario'),
    episode: of('episode'),
    turn: of('turn'),
    pair: new Int32Array(rows.length),
  };
}

describe('balanced blocks', () => {
  it('cuts the episodes of a scenario to the turns that all of them have', () => {
    const all = labels([
      [7, [0, 2, 4, 6]],
      [7, [0, 2, 4]],
      [7, [0, 4, 6]],
      [3, [0, 2]],
      [3, [0, 2]],
    ]);
    const { blocks, rows, episodes } = chooseBlocks(all);
    expect(blocks).toEqual([{ scenario: 7, start: 0, episodes: 3, turns: 2 }]);
    expect([...rows].map((row) => all.turn[row])).toEqual([0, 4, 0, 4, 0, 4]);
    expect(episodes).toBe(3);
  });

  it('leaves out an episode that has not gone as far as every finished one, and none that has', () => {
    const all = labels([
      [1, [0, 2, 4, 6]],
      [1, [0, 2, 4]],
      [1, [0, 2, 4, 6]],
      [1, [0]],
    ]);
    expect(chooseBlocks(all, { shortest: 3 }).blocks).toMatchObject([{ episodes: 3, turns: 3 }]);
    expect(chooseBlocks(all, { shortest: 4 }).blocks).toEqual([]);
  });

  it('puts whole scenarios into folds of about one size, by the seed', () => {
    const used = chooseBlocks(
      labels([...Array(23).keys()].flatMap((s) => [0, 1, 2].map((): [number, number[]] => [s, [0, 1]]))),
    );
    const folds = foldsOf(used, 5);
    expect(folds).toHaveLength(10);
    expect(folds.flat().toSorted((a, b) => a - b)).toEqual([...Array(23).keys()]);
    expect(
      Math.max(...folds.map(({ length }) => length)) - Math.min(...folds.map(({ length }) => length)),
    ).toBe(1);
    expect(foldsOf(used, 6)).not.toEqual(folds);
  });

  it('permutes many episodes of a scenario in strata of at most six', () => {
    const used = chooseBlocks(labels(Array.from({ length: 13 }, (): [number, number[]] => [1, [0, 1]])));
    expect(strataOf(used).map(({ start, episodes }) => [start, episodes])).toEqual([
      [0, 4],
      [8, 5],
      [18, 4],
    ]);
  });
});
