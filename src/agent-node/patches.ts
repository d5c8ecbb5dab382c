/**
 * What moves an agent's state before it speaks: perturbations, random combinations of the leading components of its own
 * states, and interchange, one of its own states of the same turn in another episode.
 *
 *   delta = size × Σ_p z_p σ_p v_p,   z_p standard normal, drawn by seed for each version
 *
 * v_p and σ_p are the components of the states that were kept, and their standard deviations. Same states and seeds
 * give the same moves, in every life of the agent.
 */
import {
  versionsOf,
  type BranchPlan,
  type ExchangedState,
  type PerturbedState,
} from '../protocol/branches.ts';
import { createPlainAlgebra } from '../numeric/plain-algebra.ts';
import { settledComponents } from '../numeric/principal-components.ts';
import { seededRandom } from '../numeric/random.ts';
import { zeros } from '../numeric/matrix.ts';
import type { KeptStates } from './kept-states.ts';

/** Components that are combined. */
const COMPONENTS = 8;
/** Of fewer states the components would be little but those states. */
const FEWEST_STATES = COMPONENTS + 1;

/** One version of a turn with what moves its state. */
export interface Perturbation extends PerturbedState {
  /** z, [components] */
  coefficients: Float32Array;
  /** [dims] */
  delta: Float32Array;
}

export interface Exchange extends ExchangedState {
  /** [dims]: what is put in place. */
  state: Float32Array;
}

export type Move = Perturbation | Exchange;

/** σ_p v_p, [dims] each. */
export type Basis = readonly Float32Array[];

/** Undefined of too few states. */
export async function basisOf(states: readonly Float32Array[]): Promise<Basis | undefined> {
  const [n, dims] = [states.length, states[0]?.length ?? 0];
  if (n < FEWEST_STATES) return undefined;
  const algebra = createPlainAlgebra();
  const centred = zeros(n, dims);
  for (let d = 0; d < dims; d++) {
    const mean = states.reduce((sum, state) => sum + (state[d] as number), 0) / n;
    for (const [row, state] of states.entries()) centred.data[row * dims + d] = (state[d] as number) - mean;
  }
  // Columns u_p √λ_p of K = X Xᵀ; Xᵀ u_p = √λ_p v_p, and σ_p = √(λ_p / (n − 1)).
  const scores = await settledComponents(await algebra.gram(centred), COMPONENTS, algebra);
  return Array.from({ length: scores.cols }, (_, p) => {
    const direction = new Float64Array(dims);
    let eigenvalue = 0;
    for (let row = 0; row < n; row++) {
      const score = scores.data[row * scores.cols + p] as number;
      eigenvalue += score * score;
      for (let d = 0; d < dims; d++)
        direction[d] = (direction[d] as number) + score * (centred.data[row * dims + d] as number);
    }
    // Xᵀ (u √λ) = λ v
    return Float32Array.from(direction, (value) => value / Math.sqrt(eigenvalue * (n - 1)));
  });
}

/**
 * The versions of a turn with a moved state: none if the agent has kept too few states for perturbations, and one for
 * each donor of which it has kept the turn. Components are computed once for a condition and layer, as the states of it
 * are complete before any is moved.
 */
export type MoveStates = (plan: BranchPlan & { condition: string }, turn: number) => Promise<Move[]>;

export function createMoves(kept: Pick<KeptStates, 'at' | 'of'>): MoveStates {
  const perturbations = createPerturb(kept);
  return (plan, turn) =>
    plan.branches?.patch?.kind === 'interchange' ? exchanges(kept, plan, turn) : perturbations(plan, turn);
}

export function createPerturb(
  kept: Pick<KeptStates, 'of'>,
): (...at: Parameters<MoveStates>) => Promise<Perturbation[]> {
  const bases = new Map<string, Promise<Basis | undefined>>();
  const basisAt = (condition: string, layer: number): Promise<Basis | undefined> => {
    const key = `${condition} ${layer}`;
    const basis = bases.get(key) ?? kept.of({ condition, layer }).then(basisOf);
    bases.set(key, basis);
    return basis;
  };
  return async (plan, turn) => {
    const out: Perturbation[] = [];
    for (const version of versionsOf(plan, turn)) {
      if (version.kind !== 'perturbation') continue;
      const basis = await basisAt(plan.condition, version.layer);
      if (!basis) return [];
      out.push(perturb(version, basis));
    }
    return out;
  };
}

async function exchanges(
  kept: Pick<KeptStates, 'at'>,
  ...[plan, turn]: Parameters<MoveStates>
): Promise<Exchange[]> {
  const { layers = [], donors = [] } = plan.branches?.patch ?? {};
  const stateOf = (donor: string, layer: number): Promise<Float32Array | undefined> =>
    kept.at({ condition: plan.condition, episode: donor, turn, layer });
  const have: string[] = [];
  for (const donor of donors) {
    const states = await Promise.all(layers.map((layer) => stateOf(donor, layer)));
    if (states.every((state) => state !== undefined)) have.push(donor);
  }
  const out: Exchange[] = [];
  for (const version of versionsOf(plan, turn, have))
    if (version.kind === 'interchange')
      out.push({ ...version, state: (await stateOf(version.donor, version.layer)) as Float32Array });
  return out;
}

function perturb(version: PerturbedState, basis: Basis): Perturbation {
  const random = seededRandom(version.direction);
  const coefficients = Float32Array.from(basis, () => random.normal());
  const delta = new Float32Array(basis[0]?.length ?? 0);
  for (const [p, component] of basis.entries())
    for (let d = 0; d < delta.length; d++)
      delta[d] = (delta[d] as number) + version.size * (coefficients[p] as number) * (component[d] as number);
  return { ...version, coefficients, delta };
}
