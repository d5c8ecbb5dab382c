/** Branches as rows of plain arrays, for the slow twins, and some rows of branches. */
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { Branches } from '../../../../src/synchrony/branches/histories.ts';
import type { TwinBranch } from './slow-twin.ts';

export function twinRows({ n, scenario, episode, turn, source, target }: Branches): TwinBranch[] {
  const row = ({ cols, data }: Matrix, r: number): number[] => [...data.subarray(r * cols, (r + 1) * cols)];
  return Array.from({ length: n }, (_, r) => ({
    scenario: scenario[r] as number,
    episode: episode[r] as number,
    turn: turn[r] as number,
    a: source.map((m) => row(m, r)),
    b: target.map((m) => row(m, r)),
  }));
}

/** These rows, in this order. */
export function pick(branches: Branches, rows: number[]): Branches {
  const labels = (from: Int32Array): Int32Array => Int32Array.from(rows, (row) => from[row] as number);
  const states = (m: Matrix): Matrix => ({
    rows: rows.length,
    cols: m.cols,
    data: Float64Array.from(rows.flatMap((row) => [...m.data.subarray(row * m.cols, (row + 1) * m.cols)])),
  });
  return {
    n: rows.length,
    scenario: labels(branches.scenario),
    episode: labels(branches.episode),
    turn: labels(branches.turn),
    alternative: labels(branches.alternative),
    source: branches.source.map(states),
    target: branches.target.map(states),
    words: states(branches.words),
    bystander: branches.bystander.map(states),
  };
}
