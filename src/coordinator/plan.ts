/**
 * Makes the episodes of a study, as a pure function: the same study always gives the same plan. Conditions and
 * scenarios alternate, so that all groups grow evenly and a run that is cut short is still balanced.
 */
import { branchesOfRound, isBasis, type Branches } from '../protocol/branches.ts';
import { deriveSeed } from '../protocol/seed.ts';
import { talkOf, type Condition, type Person, type Scenario, type Study } from '../protocol/study.ts';

export interface PlannedEpisode {
  id: string;
  scenario: Scenario;
  /** Texts that both agents read in `shared-input`. */
  script: string[];
  /** Name of the group, equal for all speaking orders. */
  pair: string;
  /** Agent ids in speaking order. */
  order: string[];
  /** The agent that reads in the place of the last speaker. */
  reader: string | undefined;
  /** Personas of the agents: those of `order`, then the reader's. */
  people: Person[];
  condition: Condition;
  seed: number;
  /** Number of the episode among those of its scenario, group and condition. */
  round: number;
}

export function planEpisodes(study: Study): PlannedEpisode[] {
  const plan: PlannedEpisode[] = [];
  for (let round = 0; round < study.episodes; round += 1) {
    for (const { scenario, pairing, order, conditions } of blocksOf(study, round)) {
      const script = scenario.scripts[round * study.pairs.length + pairing] ?? scenario.script;
      for (const condition of conditions) {
        const id = `e${String(plan.length + 1).padStart(4, '0')}`;
        // The seed does not depend on the condition: all conditions share their draws, so that only the coupling
        // differs.
        const seed = deriveSeed(study.seed, scenario.id, order.join('+'), round);
        const reader = condition === 'reader' ? study.reader : undefined;
        const people = peopleOf(study, { scenario, order, reader });
        plan.push({
          id,
          scenario,
          script,
          pair: pairName(order),
          order,
          reader,
          people,
          condition,
          seed,
          round,
        });
      }
    }
  }
  return plan;
}

/** Number of episodes of a study. */
export const countPlanned = ({ episodes, scenarios, pairs, conditions }: Study): number =>
  episodes * scenarios.length * pairs.length * conditions.length;

/** The episodes of the scenario, speakers and condition whose states are kept for this one's patches, by id. */
function donorsOf(study: Study, episode: PlannedEpisode): string[] {
  return alike(planOf(study), episode)
    .filter(({ round }) => isBasis(study, round))
    .map(({ id }) => id);
}

/**
 * The episode behind whose history listeners read the turns of this one as well: the first of its scenario, speakers
 * and condition. Undefined where the study asks for none, for that first one itself, and where nobody hears anybody.
 */
export function controlOf(
  study: Pick<Study, 'steps'>,
  plan: readonly PlannedEpisode[],
  episode: PlannedEpisode,
): PlannedEpisode | undefined {
  if (!study.steps?.control || episode.round === 0 || UNHEARD.has(talkOf(episode.condition)))
    return undefined;
  return alike(plan, episode).find(({ round }) => round === 0);
}

type Plan = readonly PlannedEpisode[];

/** A large plan takes long to make and to look through, and each episode that begins is looked up. */
const plans = new WeakMap<Study, Plan>();
const likenesses = new WeakMap<Plan, Map<string, PlannedEpisode[]>>();

function planOf(study: Study): Plan {
  const plan = plans.get(study) ?? planEpisodes(study);
  plans.set(study, plan);
  return plan;
}

/** The episodes of a plan with the scenario, speakers and condition of one, in order. */
function alike(plan: Plan, episode: PlannedEpisode): readonly PlannedEpisode[] {
  const known = likenesses.get(plan) ?? groupAlike(plan);
  likenesses.set(plan, known);
  return known.get(likenessOf(episode)) ?? [];
}

function groupAlike(plan: Plan): Map<string, PlannedEpisode[]> {
  const groups = new Map<string, PlannedEpisode[]>();
  for (const episode of plan) {
    const key = likenessOf(episode);
    const group = groups.get(key);
    if (group) group.push(episode);
    else groups.set(key, [episode]);
  }
  return groups;
}

const likenessOf = ({ scenario, condition, order }: PlannedEpisode): string =>
  JSON.stringify([scenario.id, condition, order]);

const UNHEARD: ReadonlySet<string> = new Set(['monologue', 'random', 'shared-input']);

/** The branches of an episode. */
export function plannedBranches(study: Study, episode: PlannedEpisode): Branches {
  const donors = study.branches?.patch?.kind === 'interchange' ? donorsOf(study, episode) : [];
  return branchesOfRound(study, episode.round, donors);
}

/** Episodes that differ in their condition alone, which stand side by side in the plan. */
interface Block {
  scenario: Scenario;
  /** Place of the group among the study's pairs. */
  pairing: number;
  order: string[];
  conditions: readonly Condition[];
}

function blocksOf(study: Study, round: number): Block[] {
  const { scenarios, pairs, conditions, seed } = study;
  const blocks = scenarios.flatMap((scenario) =>
    pairs.map((order, pairing) => ({ scenario, pairing, order, conditions })),
  );
  if (study.order === 'listed') return blocks;
  const draw = ({ scenario, order }: Block, what: string): number =>
    deriveSeed(seed, 'order', round, scenario.id, order.join('+'), what);
  return blocks
    .map((block) => ({ ...block, conditions: shuffled(conditions, (name) => draw(block, name)) }))
    .toSorted((a, b) => draw(a, '') - draw(b, ''));
}

function shuffled<T>(items: readonly T[], draw: (item: T) => number): T[] {
  return items.toSorted((a, b) => draw(a) - draw(b));
}

/**
 * Largest number of groups that a study can give: one for each condition and ordered pair of places of each list of
 * agents.
 */
export function plannedGroups({ conditions, pairs }: Pick<Study, 'conditions' | 'pairs'>): number {
  return conditions.length * pairs.reduce((sum, { length }) => sum + length * (length - 1), 0);
}

/** All agents of an episode: the speakers in order, then the reader. */
export function agentsOfEpisode({ order, reader }: PlannedEpisode): string[] {
  return reader === undefined ? order : [...order, reader];
}

function peopleOf(
  study: Study,
  { scenario, order, reader }: { scenario: Scenario; order: string[]; reader: string | undefined },
): Person[] {
  const speakers = scenario.people.slice(0, order.length);
  const person = reader === undefined ? undefined : readerOf(study.scenarios, scenario);
  return person ? [...speakers, person] : speakers;
}

/**
 * The reader's persona, different from those of the speakers: the scenario's own reader, or the last person of the
 * next scenario.
 */
export function readerOf(scenarios: readonly Scenario[], scenario: Scenario): Person | undefined {
  if (scenario.reader || scenarios.length < 2) return scenario.reader;
  const next = scenarios[(scenarios.indexOf(scenario) + 1) % scenarios.length];
  return next?.people.at(-1);
}

function pairName(order: readonly string[]): string {
  return [...order].sort().join('+');
}
