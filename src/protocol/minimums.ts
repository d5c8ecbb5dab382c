/** The number of samples that a score needs, and whether a study can ever give that many. */
import { talkOf, type Condition, type Study } from './study.ts';

/** Below these numbers no score is given: it would say more about chance than about the agents. */
export const MINIMUMS = { scenarios: 6, episodes: 18, samples: 120 } as const;

/** Episodes of a group that a scenario needs to count, since the test permutes them. */
export const EPISODES_PER_SCENARIO = 3;

export type SampleCounts = Record<keyof typeof MINIMUMS, number>;

/** What is missing for a score; undefined if nothing is. */
export function shortOf(counts: SampleCounts): string | undefined {
  const short = (['scenarios', 'episodes', 'samples'] as const)
    .filter((what) => counts[what] < MINIMUMS[what])
    .map((what) => `${counts[what]} of ${MINIMUMS[what]} ${what === 'samples' ? 'turn pairs' : what}`);
  return short.length === 0 ? undefined : short.join(', ');
}

/** The reason given for a group without a score. */
export const tooFew = (short: string): string => `Too few for a score: ${short}.`;

/** Name of an agent's model, or anything that tells models apart. */
export type ModelOf = (agent: string) => string | undefined;

/**
 * A warning before a study begins: which groups can never give a score. Undefined if all can. A group is what
 * is scored together: all episodes of the same models in the same speaking order, from one place to another.
 * @param modelOf by default all agents have one model; then the warning holds whatever their models are
 */
export function hopelessStudy(study: Study, modelOf: ModelOf = () => ''): string | undefined {
  const groups = groupsOf(study, modelOf).toSorted((a, b) => pairsIn(study, b) - pairsIn(study, a));
  const short = groups.flatMap((group) => shortOfGroup(study, group) ?? []);
  const [best] = short;
  if (best === undefined) return sameTalk(study);
  return short.length === groups.length
    ? `this study can give at most ${best} a group: no score will appear`
    : `${short.length} of the ${groups.length} groups of each condition can give at most ${best}: no score of theirs will appear`;
}

/** Where the likeliest token is always taken, only what differs in the input makes episodes of a scenario differ. */
function sameTalk({ sampling, conditions, scenarios }: Study): string | undefined {
  const why = alwaysLikeliest(sampling);
  if (why === undefined) return undefined;
  const same = conditions.filter((condition) => !hasOtherInput(condition, scenarios));
  if (same.length === 0) return undefined;
  const [where, whose] =
    same.length === conditions.length ? ['', ''] : [` in ${same.join(', ')}`, ' of theirs'];
  return `${why} the episodes of a scenario are the same${where}: no strict score${whose} will appear, and paper mode measures copies`;
}

function alwaysLikeliest({ temperature, topK, minP }: Study['sampling']): string | undefined {
  if (temperature === 0) return 'at temperature 0';
  if (topK === 1) return 'with topK 1';
  return minP === 1 ? 'with minP 1' : undefined;
}

/**
 * Whether episodes of a scenario differ in what is heard or read: `random` is drawn anew, and at a temperature of its
 * own.
 */
function hasOtherInput(condition: Condition, scenarios: Study['scenarios']): boolean {
  if (condition === 'shared-input')
    return scenarios.every(
      ({ scripts }) => new Set(scripts.map((script) => JSON.stringify(script))).size > 1,
    );
  return condition === 'random' || talkOf(condition).startsWith('dose:');
}

/** A group of each condition when all is spoken, and what it lacks for a score. */
export interface GroupSize extends Pick<DyadGroup, 'agents' | 'source' | 'target'> {
  counts: SampleCounts;
  short?: string;
}

export function groupSizes(study: Study, modelOf: ModelOf = () => ''): GroupSize[] {
  return groupsOf(study, modelOf).map((group) => {
    const { agents, source, target } = group;
    const short = shortOfGroup(study, group);
    const counts = countsOf(study, group);
    return { agents, source, target, counts, ...(short === undefined ? {} : { short }) };
  });
}

interface DyadGroup {
  /** Episodes of each scenario in the whole study. */
  perScenario: number;
  /** Number of agents that talk. */
  agents: number;
  /** Places in the speaking order, from 0. */
  source: number;
  target: number;
}

function groupsOf({ pairs, episodes }: Study, modelOf: ModelOf): DyadGroup[] {
  const orders = new Map<string, { agents: number; perScenario: number }>();
  for (const order of pairs) {
    const key = order.map(modelOf).join('\u001f');
    const known = orders.get(key) ?? { agents: order.length, perScenario: 0 };
    orders.set(key, { ...known, perScenario: known.perScenario + episodes });
  }
  return [...orders.values()].flatMap((of) => {
    const places = Array.from({ length: of.agents }, (_, place) => place);
    return places.flatMap((source) =>
      places.filter((target) => target !== source).map((target) => ({ ...of, source, target })),
    );
  });
}

/** Number of turn pairs of a group if every dialogue goes on to its last turn. */
function pairsIn({ scenarios, maxTurns }: Study, group: DyadGroup): number {
  const { perScenario, agents, source, target } = group;
  const distance = (target - source + agents) % agents;
  // Turns t = source, source + agents, … for which a turn t + distance exists.
  return perScenario * scenarios.length * Math.max(0, Math.ceil((maxTurns - distance - source) / agents));
}

function countsOf(study: Study, group: DyadGroup): SampleCounts {
  const scenarios = study.scenarios.length;
  return { scenarios, episodes: group.perScenario * scenarios, samples: pairsIn(study, group) };
}

function shortOfGroup(study: Study, group: DyadGroup): string | undefined {
  const { perScenario } = group;
  const short = shortOf(countsOf(study, group));
  if (perScenario >= EPISODES_PER_SCENARIO) return short;
  const few = `${perScenario} of ${EPISODES_PER_SCENARIO} episodes of a scenario`;
  return short === undefined ? few : `${few}, ${short}`;
}
