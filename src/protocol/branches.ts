/**
 * Which turns of an episode branch, and which versions of such a turn there are. All follows from the episode's seed
 * and the turn, so it is equal in all conditions and in every life of an agent; only the donors of an interchange
 * differ, since an episode may have ended before the turn.
 *
 *   k = 0                    what is really said
 *   k = 1 … alternatives     other words: the same history, another sampling seed
 *   then a moved state, with the same history and the seed of what is said:
 *     perturbation           layer by layer and size by size, `alternatives` each
 *     interchange            layer by layer, one for each donor that has the turn
 */
import { deriveSeed } from './seed.ts';
import { MAX_ALTERNATIVES, type EpisodeBranches, type Study } from './study.ts';

export type Branches = EpisodeBranches;
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
interface Moved {
  k: number;
  /** Of sampling: that of what is really said. */
  seed: number;
  layer: number;
}

export interface PerturbedState extends Moved {
  kind: 'perturbation';
  /** In standard deviations. */
  size: number;
  /** Of the direction: different for each version. */
  direction: number;
}

export interface ExchangedState extends Moved {
  kind: 'interchange';
  /** The episode whose state of the same turn is put in place. */
  donor: string;
}

export type MovedState = PerturbedState | ExchangedState;
export type Version = OtherWords | MovedState;

/** Whether a turn branches: a draw with the probability `share`. */
export function isBranched({ seed, branches }: BranchPlan, turn: number): boolean {
  return branches != null && deriveSeed(seed, turn, 'branch') / 2 ** 32 < branches.share;
}

/** Sampling seed of an utterance: k = 0 is the one really said, k ≥ 1 are its alternatives. */
export function utteranceSeed(seed: number, turn: number, k: number): number {
  return k === 0 ? deriveSeed(seed, turn) : deriveSeed(seed, turn, 'branch', k);
}

const DEFAULT_SIZES = [0.5, 1, 2];

/** Sizes of a perturbation. */
export const sizesOf = ({ sizes = DEFAULT_SIZES }: Pick<Patch, 'sizes'>): readonly number[] => sizes;

/** Number of versions of a turn that branches, without what is really said: at most, where not every donor has it. */
export function countVersions(branches: Branches | undefined): number {
  if (!branches) return 0;
  const { alternatives, patch } = branches;
  if (!patch) return alternatives;
  const ofLayer =
    patch.kind === 'interchange' ? (patch.donors ?? []).length : alternatives * sizesOf(patch).length;
  return alternatives + patch.layers.length * ofLayer;
}

/**
 * The versions of a turn, k = 1, 2, …; empty if the turn does not branch.
 * @param donors those that have the turn; all by default
 */
export function versionsOf(plan: BranchPlan, turn: number, donors?: readonly string[]): Version[] {
  const { seed, branches } = plan;
  if (!branches || !isBranched(plan, turn)) return [];
  const { alternatives, patch } = branches;
  const words = Array.from({ length: alternatives }, (_, i): Version => {
    return { k: i + 1, kind: 'alternative', seed: utteranceSeed(seed, turn, i + 1) };
  });
  if (!patch) return words;
  const said = utteranceSeed(seed, turn, 0);
  const moved =
    patch.kind === 'interchange'
      ? exchanged(patch, donors ?? patch.donors ?? [])
      : perturbed(patch, alternatives);
  return [
    ...words,
    ...moved.map((place, i): Version => {
      const at = { ...place, k: alternatives + i + 1, seed: said };
      return at.kind === 'interchange' ? at : { ...at, direction: deriveSeed(seed, turn, 'patch', at.k) };
    }),
  ];
}

const exchanged = ({ layers }: Patch, donors: readonly string[]) =>
  layers.flatMap((layer) => donors.map((donor) => ({ kind: 'interchange' as const, layer, donor })));

const perturbed = (patch: Patch, each: number) =>
  patch.layers.flatMap((layer) =>
    sizesOf(patch).flatMap((size) =>
      Array.from({ length: each }, () => ({ kind: 'perturbation' as const, layer, size })),
    ),
  );

type BranchStudy = Pick<Study, 'branches' | 'episodes'>;

/**
 * Number of first episodes of each scenario, group and condition in which no state is moved. Perturbations of the later
 * ones are combinations of the components of their states; an interchange puts their states in place.
 */
export function basisEpisodes({ branches, episodes }: BranchStudy): number {
  if (!branches?.patch) return 0;
  return branches.patch.kind === 'interchange' ? Math.floor(episodes / 2) : 1;
}

/**
 * The branches of an episode, by its number among those of its scenario, group and condition.
 * @param donors the episodes among those whose states are kept
 */
export function branchesOfRound(study: BranchStudy, round: number, donors: readonly string[]): Branches {
  const { branches } = study;
  if (!branches?.patch) return branches;
  const { patch } = branches;
  if (patch.kind === 'interchange')
    return { ...branches, patch: { ...patch, donors: isBasis(study, round) ? [] : [...donors] } };
  return isBasis(study, round) ? { ...branches, patch: null } : branches;
}

/** The branches of an episode in which states are moved, with numbers in the place of its donors. */
export function branchesOfLater(study: BranchStudy): Branches {
  const donors = Array.from({ length: basisEpisodes(study) }, (_, round) => String(round));
  return branchesOfRound(study, study.episodes, donors);
}

/** Whether states of an episode are kept for those that are moved later. */
export function isBasis(study: BranchStudy, round: number): boolean {
  return round < basisEpisodes(study);
}

/** Layers at which states of an episode are moved. */
export function patchedLayers(branches: Branches | undefined): readonly number[] {
  if (!branches?.patch) return [];
  return countVersions(branches) > branches.alternatives ? branches.patch.layers : [];
}

const FEWEST_DONORS = 3;

/** Why a study cannot be patched as it says, as the end of a sentence; undefined if it can. */
export function patchFault(study: BranchStudy): string | undefined {
  const { branches } = study;
  if (!branches?.patch) return undefined;
  const { layers, kind, sizes } = branches.patch;
  if (new Set(layers).size < layers.length) return 'has a layer twice in branches.patch.layers';
  const fault = kind === 'interchange' ? interchangeFault(study, sizes) : perturbationFault(study);
  if (fault !== undefined) return fault;
  const most = countVersions(branchesOfLater(study));
  if (most <= MAX_ALTERNATIVES) return undefined;
  return `has ${most} versions of a turn in branches: expected at most ${MAX_ALTERNATIVES}; choose fewer alternatives, layers, ${kind === 'interchange' ? 'or episodes' : 'or sizes'}`;
}

function perturbationFault({ branches, episodes }: BranchStudy): string | undefined {
  const { sizes = [] } = branches?.patch ?? {};
  if (episodes < 2)
    return `has branches.patch and ${episodes} episodes: expected at least 2, for the first of each scenario gives the components and is not patched`;
  if (branches?.alternatives === 1)
    return 'has branches.patch and 1 in branches.alternatives: expected at least 2, for what is compared are versions of one turn';
  return new Set(sizes).size < sizes.length ? 'has a size twice in branches.patch.sizes' : undefined;
}

function interchangeFault(
  { episodes }: BranchStudy,
  sizes: readonly number[] | undefined,
): string | undefined {
  if (sizes)
    return 'has sizes in a branches.patch of the kind interchange: expected none, for a state is replaced';
  const fewest = 2 * FEWEST_DONORS;
  if (episodes >= fewest) return undefined;
  return `has a branches.patch of the kind interchange and ${episodes} episodes: expected at least ${fewest}, for the first half of each scenario's, ${FEWEST_DONORS} at least, gives the states and is not patched`;
}
