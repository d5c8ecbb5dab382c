/** Text taken out of states, beside plain refits: what is left of a training row is what a fit without its scenario leaves. */
import { describe, expect, it } from 'vitest';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { takeRows, zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import {
  centreByEpisode,
  fitResidualiser,
  heldOutRows,
  trainingRows,
  type Residual,
} from '../../../../src/synchrony/strict/residuals.ts';
import { chooseRows, type StrictRows } from '../../../../src/synchrony/strict/rows.ts';
import { strictScore } from '../../../../src/synchrony/strict/strict-score.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { StrictScore, TurnPairs } from '../../../../src/synchrony/types.ts';
import { leftOutResiduals } from '../slow-text-twin.ts';

const algebra = createPlainAlgebra();
const SIZE = { scenarios: 6, episodes: 4, turns: 5, dims: 16, kind: 'text', textStep: 1.4 } as const;

interface Fold {
  rows: StrictRows;
  fold: number;
  text: Matrix;
  states: Matrix;
}

/** States and text of a planted world in the order of the usable rows, episode means out. */
function foldOf(shortest: number): Fold {
  const { pairs } = plantedWorld({ ...SIZE, seed: 4, textRank: 9, shortest });
  const rows = chooseRows(pairs, 2);
  const centred = (m: Matrix): Matrix => centreByEpisode(takeRows(m, rows.rows), rows.episode);
  const states = centred(pairs.source[0] as Matrix);
  return { rows, fold: rows.fold[0] as number, text: centred(pairs.history), states };
}

async function residualOf({ states, ...input }: Fold): Promise<Residual> {
  const { residuals } = await fitResidualiser({ ...input, algebra });
  return (await residuals([states]))[0] as Residual;
}

function largestDifference(a: Matrix, b: Matrix): number {
  return Math.max(...a.data.map((value, at) => Math.abs(value - (b.data[at] as number))));
}

const squares = (m: Matrix): number => m.data.reduce((sum, value) => sum + value * value, 0);

describe.each([5, 3])('text taken out, episodes of %i turns and more', (shortest) => {
  it('leaves of every row what a fit without its scenario leaves', async () => {
    const fold = foldOf(shortest);
    const { rest, penalty } = await residualOf(fold);
    expect(largestDifference(rest, leftOutResiduals(fold, penalty))).toBeLessThan(1e-4);
  });

  it('takes the penalty that errs least on scenarios left out', async () => {
    const fold = foldOf(shortest);
    const { penalty } = await residualOf(fold);
    const error = (of: number): number =>
      squares(takeRows(leftOutResiduals(fold, of), trainingRows(fold.rows, fold.fold)));
    expect(error(penalty)).toBeLessThan(error(10 * penalty));
    expect(error(penalty)).toBeLessThan(error(penalty / 10));
  });

  it('takes the text out of other rows of the same kind at a penalty that is given', async () => {
    const fold = foldOf(shortest);
    const { residualsAt } = await fitResidualiser({ ...fold, algebra });
    expect(largestDifference(await residualsAt(3, fold.states), leftOutResiduals(fold, 3))).toBeLessThan(
      1e-4,
    );
  });
});

async function score(pairs: TurnPairs): Promise<StrictScore> {
  const answer = await strictScore(pairs, { algebra, seed: 5, permutations: 99, bootstraps: 100 });
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

describe('text of many dimensions', () => {
  it('is not taken for coupling, at three times the noise', async () => {
    let found = 0;
    for (let seed = 0; seed < 12; seed++) {
      const { pairs } = plantedWorld({ ...SIZE, seed: 1000 + seed, textRank: 24 });
      if ((await score(pairs)).pValue <= 0.05) found += 1;
    }
    expect(found).toBeLessThanOrEqual(2);
  }, 60_000);

  it('does no harm where every scenario has words and ways of its own', async () => {
    const { rows, fold, text } = foldOf(5);
    // Axis k is loud in scenario k alone; states follow the text to the letter, but each scenario in another way.
    const own = { ...text, data: text.data.slice() };
    const states = zeros(text.rows, text.cols);
    for (const [row, scenario] of rows.scenario.entries())
      for (let k = 0; k < text.cols; k++) {
        const at = row * text.cols + k;
        if (k % rows.scenarios !== scenario) own.data[at] = 0.01 * (own.data[at] as number);
        states.data[row * text.cols + ((k + scenario) % text.cols)] = text.data[at] as number;
      }
    const input = { rows, fold, text: own, states };
    const heldOut = (m: Matrix): number => squares(takeRows(m, heldOutRows(rows, fold)));
    expect(heldOut(leftOutResiduals(input, 1e-9))).toBeGreaterThan(100 * heldOut(states));
    expect(heldOut((await residualOf(input)).rest)).toBeLessThan(1.1 * heldOut(states));
  });
});
