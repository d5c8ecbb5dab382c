/**
 * Slow second implementations of the figures of branches, from their definitions, on plain arrays: variance components
 * by traces of explicit projections, matched SyncR² by explicit ridge fits and residuals, evidence and test martingale
 * row by row. They share no code with `src/synchrony/branches`; they are for states of few dims, which their components
 * hold whole.
 */
import { solve, type Rows } from '../strict/slow-twin.ts';

export interface TwinBranch {
  scenario: number;
  episode: number;
  turn: number;
  /** Per layer [dims]. */
  a: Rows;
  b: Rows;
}

const dot = (x: number[], y: number[]): number =>
  x.reduce((sum, value, at) => sum + value * (y[at] as number), 0);
const transposed = (m: Rows): Rows => (m[0] ?? []).map((_, c) => m.map((row) => row[c] as number));
const times = (x: Rows, y: Rows): Rows => {
  const t = transposed(y);
  return x.map((row) => t.map((other) => dot(row, other)));
};
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const LEVELS: ((row: TwinBranch) => string)[] = [
  () => 'all',
  ({ scenario }) => `${scenario}`,
  ({ episode }) => `${episode}`,
  ({ episode, turn }) => `${episode} ${turn}`,
];

/** Influence of one layer: sums of squares by projections, their expectations by traces, solved as a linear system. */
export function influenceTwin(rows: TwinBranch[], layer: number): number {
  const n = rows.length;
  const same: Rows[] = LEVELS.map((of) => rows.map((x) => rows.map((y) => (of(x) === of(y) ? 1 : 0))));
  const identity: Rows = rows.map((_, r) => rows.map((__, c) => (r === c ? 1 : 0)));
  const projections = [
    ...same.map((m) => m.map((row) => row.map((value) => value / dot(row, row)))),
    identity,
  ];
  const levels = [...same.slice(1), identity];
  const forms = levels.map((_, at) =>
    (projections[at + 1] as Rows).map((row, r) =>
      row.map((value, c) => value - (projections[at]?.[r]?.[c] as number)),
    ),
  );
  const trace = (x: Rows, y: Rows): number =>
    x.reduce(
      (sum, row, r) =>
        sum +
        dot(
          row,
          y.map((other) => other[r] as number),
        ),
      0,
    );
  const dims = rows[0]?.b[layer]?.length ?? 0;
  const totals = [0, 0, 0, 0];
  for (let d = 0; d < dims; d++) {
    const y = rows.map((row) => row.b[layer]?.[d] as number);
    const centre = mean(y);
    const spread = Math.sqrt(y.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n - 1));
    const scaled = y.map((value) => (value - centre) / spread);
    const squares = forms.map((form) => [
      dot(
        scaled,
        times(
          form,
          scaled.map((value) => [value]),
        ).flat(),
      ),
    ]);
    const expected = forms.map((form) => levels.map((level) => trace(form, level)));
    for (const [at, [value]] of solve(expected, squares).entries())
      totals[at] = (totals[at] as number) + (value as number);
  }
  const [scenario, episode, history, alternative] = totals as [number, number, number, number];
  return alternative / (alternative + Math.max(0, scenario + episode + history));
}

const historyOf = ({ episode, turn }: TwinBranch): string => `${episode} ${turn}`;

/** Rows without the mean of their history, columns over their root mean square. */
export function movedTwin(rows: TwinBranch[], states: Rows): Rows {
  const centred = states.map((state, r) =>
    state.map((value, c) => {
      const own = states.filter(
        (_, at) => historyOf(rows[at] as TwinBranch) === historyOf(rows[r] as TwinBranch),
      );
      return value - mean(own.map((other) => other[c] as number));
    }),
  );
  const spreads = transposed(centred).map((values) => Math.sqrt(dot(values, values) / values.length));
  return centred.map((row) =>
    row.map((value, c) => ((spreads[c] as number) > 0 ? value / (spreads[c] as number) : 0)),
  );
}

function ridge(x: Rows, y: Rows, share: number): Rows {
  const t = transposed(x);
  const gram = times(t, x);
  const penalty = (share * gram.reduce((sum, row, r) => sum + (row[r] as number), 0)) / gram.length;
  return solve(
    gram.map((row, r) => row.map((value, c) => value + (r === c ? penalty : 0))),
    times(t, y),
  );
}

/** Σ‖y‖² − Σ‖y − ŷ‖², and Σ‖y‖². */
function explained(x: Rows, y: Rows, beta: Rows): { gain: number; total: number } {
  const predicted = times(x, beta);
  const total = y.reduce((sum, row) => sum + dot(row, row), 0);
  const error = y.reduce((sum, row, r) => {
    const rest = row.map((value, c) => value - (predicted[r]?.[c] as number));
    return sum + dot(rest, rest);
  }, 0);
  return { gain: total - error, total };
}

export interface MatchedTwin {
  rows: TwinBranch[];
  /** Scenarios of each fold. */
  folds: number[][];
  penalties: number[];
  penaltyForLayers: number;
}

/** Per source layer: the score on held-out scenarios, and the score without each scenario. */
export function matchedTwin(input: MatchedTwin, drop?: number): number[] {
  const { rows, folds, penalties, penaltyForLayers } = input;
  const layersOf = (side: 'a' | 'b'): Rows[] =>
    (rows[0]?.[side] ?? []).map((_, layer) =>
      movedTwin(
        rows,
        rows.map((row) => row[side][layer] as number[]),
      ),
    );
  const [sources, targets] = [layersOf('a'), layersOf('b')];
  const places = (scenarios: number[]): number[] =>
    [...rows.keys()].filter((at) => scenarios.includes(rows[at]?.scenario as number));
  const pick = (m: Rows, at: number[]): Rows => at.map((r) => m[r] as number[]);
  return sources.map((source) => {
    const sums = { gain: 0, total: 0 };
    for (const [held, test] of folds.entries()) {
      const training = folds.filter((_, at) => at !== held);
      const parts = [0, 1, 2].slice(0, Math.min(3, training.length));
      const inner = (target: Rows, share: number): number =>
        mean(
          parts.map((part) => {
            const inside = places(training.filter((_, at) => at % parts.length === part).flat());
            const rest = places(training.filter((_, at) => at % parts.length !== part).flat());
            const beta = ridge(pick(source, rest), pick(target, rest), share);
            const { gain, total } = explained(pick(source, inside), pick(target, inside), beta);
            return gain / total;
          }),
        );
      const byLayer = targets.map((target) => inner(target, penaltyForLayers));
      const target = targets[byLayer.indexOf(Math.max(...byLayer))] as Rows;
      const byPenalty = penalties.map((share) => inner(target, share));
      const share = penalties[byPenalty.indexOf(Math.max(...byPenalty))] as number;
      const train = places(training.flat());
      // The model is that of all training scenarios; a dropped one leaves the cross-products alone.
      const beta = ridge(
        pick(source, train),
        pick(target, train).map((row, r) =>
          rows[train[r] as number]?.scenario === drop ? row.map(() => 0) : row,
        ),
        share,
      );
      const own = places(test.filter((scenario) => scenario !== drop));
      const found = explained(pick(source, own), pick(target, own), beta);
      sums.gain += found.gain;
      sums.total += found.total;
    }
    return sums.gain / sums.total;
  });
}

/** Σ over rows of different scenarios of H · K, of one source and one target layer, target rows in the given order. */
export function evidenceTwin(
  rows: TwinBranch[],
  { a, b, order }: { a: Rows; b: Rows; order: number[] },
): number {
  const t = transposed(a);
  const gram = times(t, a);
  const penalty = (3 * gram.reduce((sum, row, r) => sum + (row[r] as number), 0)) / gram.length;
  const hat = times(
    a,
    solve(
      gram.map((row, r) => row.map((value, c) => value + (r === c ? penalty : 0))),
      t,
    ),
  );
  let sum = 0;
  for (const [r, x] of rows.entries())
    for (const [c, y] of rows.entries())
      if (x.scenario !== y.scenario)
        sum +=
          (hat[r]?.[c] as number) * dot(b[order[r] as number] as number[], b[order[c] as number] as number[]);
  return sum;
}
