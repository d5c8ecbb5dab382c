/**
 * A slow second implementation of what follows an interchange, from its definition, on plain arrays: explicit ridge
 * fits for every scenario that is left out, and evidence row by row. For states of few dims, which components hold
 * whole.
 */
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { ExchangeRows } from '../../../../src/synchrony/branches/interchange.ts';
import { solve, type Rows } from '../strict/slow-twin.ts';

interface Row {
  scenario: number;
  /** Rows of one place are centred together. */
  place: string;
  turn: number;
  donor: number;
  x: number[];
  y: number[];
}

const rowAt = ({ cols, data }: Matrix, row: number): number[] => [
  ...data.subarray(row * cols, (row + 1) * cols),
];
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const transposed = (m: Rows): Rows => (m[0] ?? []).map((_, c) => m.map((row) => row[c] as number));
const dot = (x: number[], y: number[]): number =>
  x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
const times = (x: Rows, y: Rows): Rows => x.map((row) => transposed(y).map((column) => dot(row, column)));

function centred(rows: Row[]): Row[] {
  return rows.map((row) => {
    const same = rows.filter(({ place }) => place === row.place);
    const without = (side: 'x' | 'y'): number[] =>
      row[side].map((value, d) => value - mean(same.map((other) => other[side][d] as number)));
    return { ...row, x: without('x'), y: without('y') };
  });
}

const spreads = (rows: Rows): number[] =>
  transposed(rows).map((column) => Math.sqrt(mean(column.map((v) => v * v))));
const over = (row: number[], by: number[]): number[] => row.map((value, d) => value / (by[d] as number));

export interface InterchangeTwin {
  score: number;
  /** The score without each scenario. */
  without: number[];
  /** Of donors put in this order in a place: (scenario, turn) → donor → the donor whose state is taken. */
  evidence(order: (scenario: number, turn: number, donor: number) => number): number;
}

export function interchangeTwin(rows: ExchangeRows): InterchangeTwin {
  const { unpatched } = rows;
  const natural = centred(
    Array.from({ length: unpatched.n }, (_, r) => ({
      scenario: unpatched.scenario[r] as number,
      turn: unpatched.turn[r] as number,
      place: `${unpatched.scenario[r]} ${unpatched.turn[r]}`,
      donor: 0,
      x: rowAt(unpatched.source, r),
      y: rowAt(unpatched.target[0] as Matrix, r),
    })),
  );
  const units = { x: spreads(natural.map(({ x }) => x)), y: spreads(natural.map(({ y }) => y)) };
  const scaled = (all: Row[]): Row[] =>
    all.map((row) => ({ ...row, x: over(row.x, units.x), y: over(row.y, units.y) }));
  const known = scaled(natural);
  const moved = scaled(
    centred(
      Array.from({ length: rows.n }, (_, r) => ({
        scenario: rows.scenario[r] as number,
        turn: rows.turn[r] as number,
        place: `${rows.episode[r]} ${rows.turn[r]}`,
        donor: rows.donor[r] as number,
        x: rowAt(rows.moved, r),
        y: rowAt(rows.target[0] as Matrix, r),
      })),
    ),
  );
  const mapWithout = (left: (number | undefined)[]): Rows => {
    const used = known.filter(({ scenario }) => !left.includes(scenario));
    const [x, y] = [used.map((row) => row.x), used.map((row) => row.y)];
    const gram = times(transposed(x), x);
    const lambda = (3 * gram.reduce((sum, row, d) => sum + (row[d] as number), 0)) / gram.length;
    const ridge = gram.map((row, d) => row.map((value, c) => value + (c === d ? lambda : 0)));
    return solve(ridge, times(transposed(x), y));
  };
  const scenarios = [...new Set(moved.map(({ scenario }) => scenario))];
  const scoreWithout = (left: number | undefined): number => {
    const used = scenarios.filter((scenario) => scenario !== left);
    const parts = used.map((scenario) => {
      const own = moved.filter((row) => row.scenario === scenario);
      const foretold = times(
        own.map(({ x }) => x),
        mapWithout([scenario, left]),
      );
      return { foretold, seen: own.map(({ y }) => y) };
    });
    const sum = (at: typeof parts, of: (f: number[], y: number[]) => number): number =>
      at.reduce(
        (all, { foretold, seen }) =>
          all + foretold.reduce((total, f, r) => total + of(f, seen[r] as number[]), 0),
        0,
      );
    let unexplained = 0;
    for (const part of parts) {
      const others = parts.filter((other) => other !== part);
      const scale = Math.max(0, sum(others, dot) / sum(others, (f) => dot(f, f)));
      unexplained += sum([part], (f, y) =>
        y.reduce((total, v, d) => total + (v - scale * (f[d] as number)) ** 2, 0),
      );
    }
    return 1 - unexplained / sum(parts, (_, y) => dot(y, y));
  };
  return {
    score: scoreWithout(undefined),
    without: scenarios.map(scoreWithout),
    evidence: (order) =>
      scenarios.reduce((total, scenario) => {
        const map = mapWithout([scenario]);
        const own = moved.filter((row) => row.scenario === scenario);
        return (
          total +
          own.reduce((sum, row) => {
            const taken = order(scenario, row.turn, row.donor);
            const from = own.find(({ place, donor }) => place === row.place && donor === taken) as Row;
            return sum + dot(times([from.x], map)[0] as number[], row.y);
          }, 0)
        );
      }, 0),
  };
}
