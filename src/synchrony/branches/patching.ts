/**
 * Patching by perturbation: is A's state before it speaks a cause of B's state after it has heard? At a turn that
 * branches A's state at the last position of its prompt is moved at one layer by a random combination of the leading
 * components of such states, drawn anew for each version; the sampling seed is the same in all of them.
 *
 *   delta = size × Σ_p z_p σ_p v_p,   z_p ~ N(0, 1) independent
 *
 * Two figures, for each layer and size by itself:
 *
 *   influence   the share of the variance of B's state that the moved state makes (influence.ts)
 *   follows     R² on held-out scenarios of B's movement from the coefficients z (matched.ts): the direction in which A
 *               was moved says where B goes
 *
 * Range: influence 0 to 1, exactly 0 where nothing that B hears depends on the moved state; `follows` up to 1.
 * Null of `follows`: coefficients permuted within histories. They are drawn independently of all else, so without an
 * effect each assignment to the versions is as likely, whatever B's states are distributed like: the test is exact.
 * Reference: Vig et al., Investigating Gender Bias in Language Models Using Causal Mediation Analysis, 2020; Geiger et
 * al., Causal Abstractions of Neural Networks, 2021: both exchange states where this draws them.
 * No value: too few histories or scenarios, values that are not finite; no `follows` where B does not move.
 */
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';
import type { Branches } from './histories.ts';
import { influence, type Influence } from './influence.ts';
import { matchedScore, type MatchedOptions, type MatchedScore } from './matched.ts';

/** Row r is one version of a turn, in which the speaker's state was moved. */
export interface PatchRows extends Pick<
  Branches,
  'n' | 'scenario' | 'episode' | 'turn' | 'alternative' | 'target'
> {
  /** z [n, components] */
  coefficients: Matrix;
}

export interface Patching {
  acts: Influence | NoScore;
  follows: MatchedScore | NoScore;
}

/** @param rows of one layer and size */
export async function patching(
  { coefficients, ...rows }: PatchRows,
  options: MatchedOptions,
): Promise<Patching> {
  // Versions differ in what moved them, also where it changed no word: none of them is left out.
  const branches = { ...rows, source: [coefficients], words: zeros(rows.n, 0), bystander: [] };
  return { acts: influence(branches, options), follows: await matchedScore(branches, options) };
}
