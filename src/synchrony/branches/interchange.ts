/**
 * Patching by interchange: does B go where A's state says? At a turn that branches A's state at the last position of
 * its prompt is replaced at one layer by that of the same turn in another episode of the scenario, a donor. Donors
 * are episodes in which nothing is replaced; each of them is put in place once in each other episode, with the same
 * sampling seed.
 *
 *   influence   the share of the variance of B's state that the donor makes (influence.ts)
 *   follows     R² on held-out scenarios of B's movement from the movement that a map predicts. The map goes from A's
 *               state to B's next one where nothing was replaced (natural-map.ts):  ŷ = c (a_donor − ā) M
 *
 * M is fitted on other scenarios, and c ≥ 0, one number for each target layer, on the replaced states of other
 * scenarios. Movements are those from the mean of a history; R² is over all target layers, the mean, and no layer is
 * chosen. Range: influence 0 to 1, exactly 0 where B does not hear; `follows` up to 1, about 0 or a little below
 * without a relation. Null of `follows`: evidence Σ ⟨ŷ, y⟩ with donors permuted, one permutation for each scenario
 * and turn in all histories that have it, since a donor serves several of them. M is made of rows without any
 * replaced state, so where donors are exchangeable given those rows, each permutation is as likely as the identity:
 * the test is exact.
 * Reference: Geiger et al., Causal Abstractions of Neural Networks, 2021 (interchange interventions).
 * No value: too few histories, scenarios or turns without a replaced state, values that are not finite; no `follows`
 * where B does not move.
 */
import { isFinite, zeros } from '../../numeric/matrix.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { groupBy } from '../group-by.ts';
import { jackknife, meanOf } from '../stats/jackknife.ts';
import { FEWEST_PERMUTATIONS } from '../strict/permutations.ts';
import { weighEvidence, type WeighedEvidence } from '../strict/permutation-test.ts';
import type { Interval, NoScore } from '../types.ts';
import {
  BRANCH_MINIMUMS,
  centreWithin,
  orderHistories,
  tooFewHistories,
  type BranchMinimums,
  type Branches,
  type Histories,
} from './histories.ts';
import { influence, type Influence } from './influence.ts';
import { naturalMap, type NaturalMap, type UnpatchedRows } from './natural-map.ts';
import { scoreOf, squaresOf, type Moves } from './interchange-score.ts';

/** Row r is one version of a turn, in which the speaker's state was replaced. */
export interface ExchangeRows extends Pick<
  Branches,
  'n' | 'scenario' | 'episode' | 'turn' | 'alternative' | 'target'
> {
  /** Label of the episode that gave the state [n]. */
  donor: Int32Array;
  /** Its state minus the speaker's own [n, dims]. */
  moved: Matrix;
  unpatched: UnpatchedRows;
}

export interface Follows {
  score: number;
  ci: Interval;
  pValue: number;
  permutations: number;
  /** The target layer of which most is explained. */
  targetLayer: number;
}

export interface InterchangeOptions {
  algebra: LinearAlgebra;
  seed: number;
  permutations?: number;
  minimums?: BranchMinimums;
}

/** @param rows of one layer */
export async function interchange(
  rows: ExchangeRows,
  options: InterchangeOptions,
): Promise<{ acts: Influence | NoScore; follows: Follows | NoScore }> {
  const branches = branchesOf(rows, commonDonors(rows));
  return { acts: influence(branches, options), follows: await followsOf(rows, branches, options) };
}

/** These rows as those of other branches, with what moved the speaker's state as the source. */
function branchesOf(rows: ExchangeRows, kept: readonly number[]): Branches {
  const take = (labels: Int32Array): Int32Array => Int32Array.from(kept, (row) => labels[row] as number);
  const rowsOf = ({ cols, data }: Matrix): Matrix => {
    const out = zeros(kept.length, cols);
    for (const [r, row] of kept.entries())
      out.data.set(data.subarray(row * cols, (row + 1) * cols), r * cols);
    return out;
  };
  return {
    n: kept.length,
    scenario: take(rows.scenario),
    episode: take(rows.episode),
    turn: take(rows.turn),
    // Rows of a history stand in the order of its donors.
    alternative: take(rows.donor),
    source: [rowsOf(rows.moved)],
    target: rows.target.map(rowsOf),
    words: zeros(kept.length, 0),
    bystander: [],
  };
}

/**
 * Rows of histories that have the same donors as most histories of their scenario and turn: the others cannot be
 * permuted.
 */
function commonDonors({ n, scenario, episode, turn, donor }: ExchangeRows): number[] {
  const rows = Array.from({ length: n }, (_, row) => row);
  const at = (labels: Int32Array, row: number): number => labels[row] as number;
  const places = groupBy(rows, (row) => `${at(scenario, row)} ${at(turn, row)}`);
  return [...places.values()].flatMap((place) => {
    const histories = [...groupBy(place, (row) => at(episode, row)).values()];
    const sets = groupBy(histories, (own) => String(own.map((row) => at(donor, row)).sort((a, b) => a - b)));
    const most = [...sets.values()].sort((a, b) => b.length - a.length)[0] ?? [];
    return most.flat();
  });
}

const NOT_FINITE = 'a hidden state holds NaN or infinity';
const NOT_MOVED = 'the states of the listener do not move with the donors';

async function followsOf(
  { unpatched }: ExchangeRows,
  branches: Branches,
  options: InterchangeOptions,
): Promise<Follows | NoScore> {
  const { minimums = BRANCH_MINIMUMS, permutations = FEWEST_PERMUTATIONS } = options;
  const used = orderHistories(branches);
  const all = [...branches.source, ...branches.target, unpatched.source, ...unpatched.target];
  const reason = all.every(isFinite) ? tooFewHistories(used, minimums) : NOT_FINITE;
  if (reason !== undefined) return { reason };
  const map = await naturalMap(unpatched, { ...options, minimums });
  if ('reason' in map) return map;
  const moves = movesOf(map, branches, used);
  if (moves.targets.every(({ data }) => data.every((value) => value === 0))) return { reason: NOT_MOVED };
  const squares = squaresOf(map, moves);
  const scenarios = used.blocks.map(({ scenario }) => scenario);
  const layers = scoreOf(squares, undefined);
  const score = meanOf(layers);
  const replicates = scenarios.map((scenario) => ({ scenario, excess: meanOf(scoreOf(squares, scenario)) }));
  const ci = jackknife([{ excess: score, replicates }], meanOf);
  if ('reason' in ci) return ci;
  const { pValue } = permuted(map, moves, { seed: options.seed, permutations });
  const targetLayer = layers.indexOf(Math.max(...layers));
  return { score, ci: { low: ci.low, high: ci.high }, pValue, permutations, targetLayer };
}

function movesOf(map: NaturalMap, { source, target, turn }: Branches, used: Histories): Moves {
  const [moved] = source as [Matrix];
  const sides = target.map((m, layer) => map.project(centreWithin(m, used), layer));
  return {
    used,
    turn: Int32Array.from(used.rows, (row) => turn[row] as number),
    source: map.project(centreWithin(moved, used)).scores,
    targets: sides.map(({ scores }) => scores),
    energy: sides.map(({ energy }) => energy),
  };
}

/**
 * Of each scenario and turn the products of predicted movements by donor with the observed ones by donor, summed over
 * its histories: a permutation of donors takes one value from each column.
 */
function permuted(
  map: NaturalMap,
  moves: Moves,
  { seed, permutations }: { seed: number; permutations: number },
): WeighedEvidence {
  const { used, turn, source, targets } = moves;
  const random = seededRandom(seed, 17);
  const evidence = zeros(targets.length, permutations + 1);
  for (const { scenario, histories } of used.blocks) {
    const predicted = map.predict(source, [scenario]);
    for (const own of groupBy(histories, ({ start }) => turn[start] as number).values()) {
      const donors = own[0]?.alternatives ?? 0;
      const tables = targets.map((m, layer) => tableOf(predicted[layer] as Matrix, m, own));
      const orders = Array.from({ length: permutations + 1 }, (_, draw) =>
        draw === 0 ? [...Array(donors).keys()] : shuffled([...Array(donors).keys()], random),
      );
      for (const [draw, order] of orders.entries())
        for (const [layer, table] of tables.entries()) {
          const at = layer * evidence.cols + draw;
          evidence.data[at] = (evidence.data[at] as number) + alongOrder(table, order);
        }
    }
  }
  return weighEvidence(evidence);
}

/** Σ of the values at which each donor's observed movement meets what the one in its place predicts. */
const alongOrder = ({ cols, data }: Matrix, order: readonly number[]): number =>
  order.reduce((sum, from, to) => sum + (data[from * cols + to] as number), 0);

/** Σ over histories of ⟨predicted of one donor, observed of another⟩ [donors, donors] */
function tableOf(
  predicted: Matrix,
  observed: Matrix,
  histories: Histories['blocks'][number]['histories'],
): Matrix {
  const donors = histories[0]?.alternatives ?? 0;
  const out = zeros(donors, donors);
  const { cols } = observed;
  for (const { start } of histories)
    for (let from = 0; from < donors; from++)
      for (let to = 0; to < donors; to++) {
        let sum = 0;
        for (let c = 0; c < cols; c++)
          sum +=
            (predicted.data[(start + from) * cols + c] as number) *
            (observed.data[(start + to) * cols + c] as number);
        const at = from * donors + to;
        out.data[at] = (out.data[at] as number) + sum;
      }
  return out;
}
