/**
 * A slow second implementation of the strict score, from its definition: dense least squares for the centring, explicit
 * ridge fits, every permutation by moving the raw rows and starting over. It shares no code with
 * `src/synchrony/strict`; it is for states of few dimensions, which their components hold whole.
 */
export type Rows = number[][];

export interface TwinRow {
  scenario: number;
  episode: number;
  turn: number;
  a: number[];
  b: number[];
}

const dot = (x: number[], y: number[]): number =>
  x.reduce((sum, value, at) => sum + value * (y[at] as number), 0);
const column = (m: Rows, c: number): number[] => m.map((row) => row[c] as number);
const transposed = (m: Rows): Rows => (m[0] ?? []).map((_, c) => column(m, c));
const times = (x: Rows, y: Rows): Rows => {
  const t = transposed(y);
  return x.map((row) => t.map((other) => dot(row, other)));
};

/** Gauss-Jordan with pivots. */
export function solve(s: Rows, b: Rows): Rows {
  const n = s.length;
  const m = s.map((row, r) => [...row, ...(b[r] as number[])]);
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c; r < n; r++)
      if (Math.abs(m[r]?.[c] as number) > Math.abs(m[pivot]?.[c] as number)) pivot = r;
    [m[c], m[pivot]] = [m[pivot] as number[], m[c] as number[]];
    const head = m[c] as number[];
    const by = head[c] as number;
    m[c] = head.map((value) => value / by);
    for (let r = 0; r < n; r++)
      if (r !== c) {
        const weight = m[r]?.[c] as number;
        m[r] = (m[r] as number[]).map((value, at) => value - weight * (m[c]?.[at] as number));
      }
  }
  return m.map((row) => row.slice(n));
}

/** Residuals of a least-squares fit of episode and scenario × turn indicators, columns over their root mean square. */
export function centredTwin(states: Rows, rows: TwinRow[]): Rows {
  const names = [...new Set(rows.flatMap(labelsOf))];
  const design = rows.map((row) => names.map((name) => (labelsOf(row).includes(name) ? 1 : 0)));
  const gram = times(transposed(design), design).map((row, r) =>
    row.map((value, c) => value + (r === c ? 1e-9 : 0)),
  );
  const fit = times(design, solve(gram, times(transposed(design), states)));
  const rest = states.map((row, r) => row.map((value, c) => value - (fit[r]?.[c] as number)));
  const spreads = transposed(rest).map((values) => Math.sqrt(dot(values, values) / values.length));
  return rest.map((row) =>
    row.map((value, c) => ((spreads[c] as number) > 1e-7 ? value / (spreads[c] as number) : 0)),
  );
}

const labelsOf = ({ scenario, episode, turn }: TwinRow): string[] => [`e${episode}`, `c${scenario} ${turn}`];

/** (XᵀX + λI)⁻¹ with λ a share of the mean eigenvalue. */
function ridge(x: Rows, share: number): Rows {
  const gram = times(transposed(x), x);
  const mean = gram.reduce((sum, row, r) => sum + (row[r] as number), 0) / gram.length;
  const identity = gram.map((_, r) => gram.map((__, c) => (r === c ? 1 : 0)));
  return solve(
    gram.map((row, r) => row.map((value, c) => value + (r === c ? share * mean : 0))),
    identity,
  );
}

/** Σ over rows of different scenarios of H · K: one source and one target layer. */
export function evidenceTwin(rows: TwinRow[]): number {
  const a = centredTwin(
    rows.map((row) => row.a),
    rows,
  );
  const b = centredTwin(
    rows.map((row) => row.b),
    rows,
  );
  const energy = b.reduce((sum, row) => sum + dot(row, row), 0);
  const smooth = times(a, ridge(a, 3));
  let sum = 0;
  for (const [i, one] of rows.entries())
    for (const [j, other] of rows.entries())
      if (one.scenario !== other.scenario)
        sum +=
          (dot(smooth[i] as number[], a[j] as number[]) * dot(b[i] as number[], b[j] as number[])) / energy;
  return sum;
}

/** B's episode in the place of each, raw states and all. */
export function movedTwin(rows: TwinRow[], comes: (episode: number) => number): TwinRow[] {
  return rows.map((row) => {
    const from = rows.find(
      ({ episode, turn }) => episode === comes(row.episode) && turn === row.turn,
    ) as TwinRow;
    return { ...row, b: from.b };
  });
}

export interface EffectTwin {
  score: number;
  excess: number;
  without: Map<number, number>;
}

/**
 * What a fold's fit explains of its held-out rows, with the scenarios in `fitted` giving the coefficients and the
 * inverse of all training ones.
 */
function explainedTwin(
  data: { rows: TwinRow[]; a: Rows; b: Rows },
  of: { held: Set<number>; fitted: Set<number>; counted: Set<number>; penalty: number },
): number {
  const { rows, a, b } = data;
  const at = (keep: (row: TwinRow) => boolean): number[] =>
    [...rows.keys()].filter((r) => keep(rows[r] as TwinRow));
  const train = at(({ scenario }) => !of.held.has(scenario));
  const fitted = train.filter((r) => of.fitted.has(rows[r]?.scenario as number));
  const pick = (m: Rows, places: number[]): Rows => places.map((r) => m[r] as number[]);
  const beta = times(ridge(pick(a, train), of.penalty), times(transposed(pick(a, fitted)), pick(b, fitted)));
  return at(({ scenario }) => of.held.has(scenario) && of.counted.has(scenario)).reduce((sum, r) => {
    const predicted = times([a[r] as number[]], beta)[0] as number[];
    return sum + 2 * dot(predicted, b[r] as number[]) - dot(predicted, predicted);
  }, 0);
}

export interface EffectInput {
  rows: TwinRow[];
  /** Scenarios of each fold. */
  folds: number[][];
  penalty: number;
  /** Every permutation, as a map of episodes. */
  all: ((episode: number) => number)[];
}

/**
 * Score, excess and the excess without each scenario, at one penalty: the null's mean over every permutation there is.
 */
export function effectTwin({ rows, folds, penalty, all }: EffectInput): EffectTwin {
  const names = [...new Set(rows.map(({ scenario }) => scenario))];
  const a = centredTwin(
    rows.map((row) => row.a),
    rows,
  );
  const centredB = (of: TwinRow[]): Rows =>
    centredTwin(
      of.map((row) => row.b),
      of,
    );
  const explained = (b: Rows, left?: number): number =>
    folds.reduce((sum, fold) => {
      const kept = new Set(names.filter((name) => name !== left));
      return (
        sum + explainedTwin({ rows, a, b }, { held: new Set(fold), fitted: kept, counted: kept, penalty })
      );
    }, 0);
  const own = centredB(rows);
  const total = (left?: number): number =>
    own.reduce((sum, row, r) => (rows[r]?.scenario === left ? sum : sum + dot(row, row)), 0);
  const permuted = all.map((comes) => centredB(movedTwin(rows, comes)));
  const excess = (left?: number): number => {
    const expected = permuted.reduce((sum, b) => sum + explained(b, left), 0) / permuted.length;
    return (explained(own, left) - expected) / total(left);
  };
  return {
    score: explained(own) / total(),
    excess: excess(),
    without: new Map(names.map((name) => [name, excess(name)])),
  };
}
