/**
 * Which turns of an episode branch, and which versions of such a turn there are. All follows from the episode's seed
 * and the turn, so it is equal in all conditions and in every life of an agent.
 *
 *   k = 0                    what is really said
 *   k = 1 … alternatives     other words: the same history, another sampling seed
 *   then, layer by layer and size by size, `alternatives` each:
 *                            a moved state: the same history and the seed of what is said
 */
import { deriveSeed } from './seed.ts';
import type { Study } from './study.ts';

export type Branches = Study['branches'];
export type Patch = NonNullable<NonNullable<Branches>['patch']>;

/** What determines the branches of an episode. */
export interface BranchPlan {
  /** Seed of the episode. */
  seed: number;
  /** As in the study; null or absent if no turn branches. */
  branches?: Branches | undefined;
}

/** A version of a turn with other words. */
export interface OtherWords {
  k: number;
  kind: 'alternative';
  /** Of sampling. */
  seed: number;
}

/** A version of a turn in which the speaker's state before its first word is moved. */
export interface MovedState {
  k: number;
  kind: Patch['kind'];
  /** Of sampling: that of what is really said. */
  seed: number;
  layer: number;
  /** In standard deviations. */
  size: number;
  /** Of the direction: different for each version. */
  direction: number;
}

export type Version = OtherWords | MovedState;

/** Whether a turn branches: a draw with the probability `share`. */
export function isBranched({ seed, branches }: BranchPlan, turn: number): boolean {
  return branches != null && deriveSeed(seed, turn, 'branch') / 2 ** 32 < branches.share;
}

/** Sampling seed of an utterance: k = 0 is the one really said, k ≥ 1 are its alternatives. */
export function utteranceSeed(seed: number, turn: number, k: number): number {
  return k === 0 ? deriveSeed(seed, turn) : deriveSeed(seed, turn, 'branch', k);
}

/** Number of versions of a turn that branches, without what is really said. */
export function countVersions(branches: Branches | undefined): number {
  if (!branches) return 0;
  const { alternatives, patch } = branches;
  return alternatives * (1 + (patch ? patch.layers.length * patch.sizes.length : 0));
}

/** The versions of a turn, k = 1, 2, …; empty if the turn does not branch. */
export function versionsOf(plan: BranchPlan, turn: number): Version[] {
  const { seed, branches } = plan;
  if (!branches || !isBranched(plan, turn)) return [];
  const { alternatives, patch } = branches;
  const each = Array.from({ length: alternatives }, (_, i) => i + 1);
  const words = each.map((k): Version => ({ k, kind: 'alternative', seed: utteranceSeed(seed, turn, k) }));
  const places = patch?.layers.flatMap((layer) => patch.sizes.map((size) => ({ layer, size }))) ?? [];
  const moved = places.flatMap(({ layer, size }, place) =>
    each.map((i): Version => {
      const k = alternatives * (place + 1) + i;
      const direction = deriveSeed(seed, turn, 'patch', k);
      const kind = patch?.kind ?? 'perturbation';
      return { k, kind, seed: utteranceSeed(seed, turn, 0), layer, size, direction };
    }),
  );
  return [...words, ...moved];
}

/**
 * Episodes of each scenario, group and condition in which no state is moved: perturbations of the later ones are
 * combinations of the components of their states.
 */
const BASIS_EPISODES = 1;

/** The branches of an episode, by its number among those of its scenario, group and condition. */
export function branchesOfRound(branches: Branches, round: number): Branches {
  return branches?.patch && isBasis(branches, round) ? { ...branches, patch: null } : branches;
}

/** Whether states of an episode are kept for those that are moved later. */
export function isBasis(branches: Branches, round: number): boolean {
  return branches?.patch != null && round < BASIS_EPISODES;
}

/** Why a study cannot be patched as it says, as the end of a sentence; undefined if it can. */
export function patchFault({ branches, episodes }: Pick<Study, 'branches' | 'episodes'>): string | undefined {
  if (!branches?.patch) return undefined;
  const { alternatives, patch } = branches;
  if (episodes <= BASIS_EPISODES)
    return `has branches.patch and ${episodes} episodes: expected at least ${BASIS_EPISODES + 1}, for the first of each scenario gives the components and is not patched`;
  if (alternatives < 2)
    return 'has branches.patch and 1 in branches.alternatives: expected at least 2, for what is compared are versions of one turn';
  if (new Set(patch.layers).size < patch.layers.length) return 'has a layer twice in branches.patch.layers';
  if (new Set(patch.sizes).size < patch.sizes.length) return 'has a size twice in branches.patch.sizes';
  return undefined;
}
