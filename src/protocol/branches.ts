/**
 * Which turns of an episode branch, and the seeds of their alternatives. Both follow from the episode's seed and the
 * turn, so they are equal in all conditions and in every life of an agent.
 */
import { deriveSeed } from './seed.ts';
import type { Study } from './study.ts';

export type Branches = Study['branches'];

/** What determines the branches of an episode. */
export interface BranchPlan {
  /** Seed of the episode. */
  seed: number;
  /** As in the study; null or absent if no turn branches. */
  branches?: Branches | undefined;
}

/** Whether a turn branches: a draw with the probability `share`. */
export function isBranched({ seed, branches }: BranchPlan, turn: number): boolean {
  return branches != null && deriveSeed(seed, turn, 'branch') / 2 ** 32 < branches.share;
}

/** Sampling seed of an utterance: k = 0 is the one really said, k ≥ 1 are its alternatives. */
export function utteranceSeed(seed: number, turn: number, k: number): number {
  return k === 0 ? deriveSeed(seed, turn) : deriveSeed(seed, turn, 'branch', k);
}

/** Seeds of the alternatives of a turn, k = 1, 2, …; empty if the turn does not branch. */
export function alternativeSeeds(plan: BranchPlan, turn: number): number[] {
  const alternatives = isBranched(plan, turn) ? (plan.branches?.alternatives ?? 0) : 0;
  return Array.from({ length: alternatives }, (_, i) => utteranceSeed(plan.seed, turn, i + 1));
}
