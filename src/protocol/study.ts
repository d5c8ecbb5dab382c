/**
 * The schema of study files: scenarios, agents, conditions, seeds, and what to measure. Unknown fields are
 * refused.
 */
import { z } from 'zod';
import { ruleSchema } from './scenarios/rule-schema.ts';
import { scenarioSetSchema } from './scenarios/scenario-sets.ts';
import { NAME_PATTERN } from './subjects.ts';

const name = z.string().regex(NAME_PATTERN, 'expected 1 to 64 letters, digits, "-" or "_"');

/** Most episodes of a run. */
export const MAX_EPISODES = 100_000;
const modelFolder = z.string().min(1).max(1000);

export const MAX_AGENTS = 8;
/** Alternatives of an utterance at the most: as many as a branch frame can count. */
export const MAX_ALTERNATIVES = 64;

/** Which models talk: `models` by name and their pairs, in the place of agents and `pairs`. */
export const pairingsSchema = z.object({
  models: z.record(name, modelFolder).refine((models) => Object.keys(models).length > 0, {
    error: 'expected at least one model by name, with its folder',
  }),
  /** Every ordered pair, each model with itself, or the pairs listed, in both speaking orders. */
  pairings: z.union([z.enum(['all-ordered', 'self']), z.array(z.tuple([name, name])).min(1)], {
    error: 'expected "all-ordered", "self" or a list of pairs of names of models',
  }),
});

export type Pairings = z.infer<typeof pairingsSchema>;

/** What one agent in a scenario is told; no other agent may read it. */
export const personSchema = z.strictObject({
  persona: z.string().max(2000).default(''),
  goal: z.string().max(2000).default(''),
  secret: z.string().max(2000).default(''),
});

export const scenarioSchema = z.strictObject({
  id: name,
  text: z.string().max(4000),
  /** Persons in speaking order; at least as many as the largest group of agents. */
  people: z.array(personSchema).min(2).max(MAX_AGENTS),
  /** Texts that both agents read instead of each other in `shared-input`, one before each of their turns. */
  script: z.array(z.string().max(2000)).default([]),
  /** In its place a script for each episode of the scenario, so that no two episodes have the same input. */
  scripts: z.array(z.array(z.string().max(2000)).min(1)).default([]),
  /** The persona of the reader in the condition `reader`; by default the last person of the next scenario. */
  reader: personSchema.optional(),
  /** What `entrain evaluate` scores the talk of two by; no agent is told. */
  rule: ruleSchema.optional(),
});

export const samplingSchema = z.strictObject({
  temperature: z.number().min(0).max(5).default(0.7),
  topK: z.int().min(0).default(0),
  topP: z.number().gt(0).max(1).default(0.95),
  minP: z.number().min(0).max(1).default(0),
  repetitionPenalty: z.number().min(0.5).max(2).default(1.1),
  /** Texts that end a reply without being part of it, besides those of the model's own format. */
  stops: z.array(z.string().min(1).max(100)).max(16).default([]),
});

/** How the agents are coupled. The number of a `dose` is the share of utterances that is heard. */
export type Condition =
  'live' | 'reader' | 'paper-reader' | 'monologue' | 'shared-input' | 'random' | `dose:${number}`;

/**
 * The paper's control: the talk is as in `live`, and in the place of every predicting state stands that of the
 * speaker's model as a third person who reads along and has no goal.
 */
export const PAPER_READER = 'paper-reader';

const CONDITION_PATTERN = /^(live|reader|paper-reader|monologue|shared-input|random|dose:(0|1|0\.\d{1,3}))$/;

export const conditionSchema = z
  .custom<Condition>(
    (value) => typeof value === 'string' && CONDITION_PATTERN.test(value),
    'expected "live", "reader", "paper-reader", "monologue", "shared-input", "random" or "dose:0.5" (any share from 0 to 1)',
  )
  .meta({ type: 'string', pattern: CONDITION_PATTERN.source });

/** A key of what is said under a condition: conditions with the same key give the same words. */
export function talkOf(condition: Condition): string {
  if (condition === PAPER_READER) return 'live';
  const dose = /^dose:(.*)$/.exec(condition)?.[1];
  if (dose === undefined) return condition;
  const share = Number(dose);
  return share === 0 ? 'monologue' : share === 1 ? 'live' : `dose:${share}`;
}

/** The speaker's state at the last position of its prompt is moved at one layer, before it says a word. */
export const patchSchema = z.strictObject({
  /** 1..L; each is patched by itself. */
  layers: z.array(z.int().min(1)).min(1).max(8),
  /**
   * `perturbation`: by a random combination of the leading components of such states over episodes. `interchange`:
   * replaced by the state of the same turn in another episode of the scenario.
   */
  kind: z.enum(['perturbation', 'interchange']).default('perturbation'),
  /** Of a perturbation, in standard deviations of each component; 0.5, 1 and 2 by default. */
  sizes: z.array(z.number().gt(0).max(8)).min(1).max(8).optional(),
});

/**
 * Counterfactual branches: at this share of the turns the speaker says so many more utterances from the same history.
 */
const branchesSchema = z
  .strictObject({
    share: z.number().gt(0).max(1).default(0.25),
    alternatives: z.int().min(1).max(MAX_ALTERNATIVES).default(3),
    /**
     * Besides, at each such turn: versions in which the speaker's state is moved, for each layer and size as many as
     * `alternatives` says, or for each layer and donor one.
     */
    patch: patchSchema.nullish(),
  })
  .nullable()
  .default(null);

/** The branches of one episode: with the episodes, by id, that give the states of an interchange. */
export const branchPlanSchema = z
  .strictObject({
    share: z.number(),
    alternatives: z.int(),
    patch: patchSchema.extend({ donors: z.array(z.string()).optional() }).nullish(),
  })
  .nullable();

export const studySchema = z
  .strictObject({
    name,
    seed: z.int().min(0).default(1),
    /** Groups of two or more agents, by id, in speaking order. */
    pairs: z.array(z.array(name).min(2).max(MAX_AGENTS)).min(1),
    /** Decoder folder of each agent; of one that is missing, `--model` says it. */
    models: z.record(name, modelFolder).default({}),
    /** Properties of models by the name they have in `models`: held constant in partial correlations. */
    covariates: z.record(name, z.record(name, z.number())).optional(),
    /** Order of the scenarios, groups and conditions of a round: as listed, or drawn by seed. */
    order: z.enum(['listed', 'shuffled']).default('listed'),
    /** The agent that reads along in the condition `reader`. */
    reader: name.optional(),
    scenarios: z.array(scenarioSchema).min(1),
    conditions: z.array(conditionSchema).min(1).default(['live']),
    /** Episodes per scenario × group × condition. */
    episodes: z.int().min(1).default(1),
    maxTurns: z.int().min(2).max(200).default(12),
    /** No `leave` ends an episode before this turn. */
    minTurns: z.int().min(0).default(0),
    maxTokens: z.int().min(1).max(4096).default(32),
    sampling: samplingSchema.prefault({}),
    steps: z
      .strictObject({
        layers: z.array(z.int().min(0)).nullable().default(null),
        every: z.int().min(1).default(1),
        /**
         * Whether each listener reads every turn behind the history of another episode as well, that of the first of
         * its scenario, group and condition: what the words alone give of a measure between steps.
         */
        control: z.boolean().default(false),
      })
      .nullable()
      .default(null),
    /** What was decided before the run; the report says that all else is exploratory. */
    preregistration: z
      .strictObject({
        hypothesis: z.string().min(1).max(2000),
        /** The figure by which the hypothesis is judged. */
        primary: z.string().min(1).max(2000),
      })
      .optional(),
    branches: branchesSchema,
  })
  .refine(({ minTurns, maxTurns }) => minTurns <= maxTurns, {
    path: ['minTurns'],
    error: 'expected at most maxTurns',
  })
  // Whoever plans a study makes all of its episodes at once, also the coordinator that leads the runs of others.
  .refine(
    ({ episodes, scenarios, pairs, conditions }) =>
      episodes * scenarios.length * pairs.length * conditions.length <= MAX_EPISODES,
    {
      path: ['episodes'],
      error: `expected at most ${MAX_EPISODES} episodes in a run, over all scenarios, pairs and conditions`,
    },
  );

export type Study = z.infer<typeof studySchema>;
export type Scenario = z.infer<typeof scenarioSchema>;
/** As it stands in a file: what has a default may be left out. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type EpisodeBranches = z.infer<typeof branchPlanSchema>;
export type Sampling = z.infer<typeof samplingSchema>;
export type Person = z.infer<typeof personSchema>;

/**
 * The layer of `steps` or `branches.patch` that an agent's model does not have, as the end of a sentence; undefined if
 * it has all. Layer 0 enters the first block.
 */
export function missingLayer(
  { steps, branches }: { steps: { layers: number[] | null } | null } & Pick<Study, 'branches'>,
  models: ReadonlyMap<string, { name: string; layers: number }>,
): string | undefined {
  const asked = [
    { field: 'steps.layers', wanted: steps?.layers ?? [] },
    { field: 'branches.patch.layers', wanted: branches?.patch?.layers ?? [] },
  ];
  for (const [agent, { name: model, layers }] of models)
    for (const { field, wanted } of asked) {
      const missing = wanted.find((layer) => layer > layers);
      if (missing !== undefined)
        return `has layer ${missing} in ${field}, but ${model}, the model of ${agent}, has layers 0 to ${layers}`;
    }
  return undefined;
}

/** All agents that a study names. */
export function agentsOf({ pairs, reader }: Pick<Study, 'pairs' | 'reader'>): Set<string> {
  return new Set([...pairs.flat(), ...(reader === undefined ? [] : [reader])]);
}

/**
 * The JSON Schema of study files (draft 2020-12), by which editors complete and check JSON and YAML. It cannot say that
 * ids must differ, and the like: `entrain study validate` checks those.
 */
export function studyJsonSchema(): Record<string, unknown> {
  const options = { io: 'input', unrepresentable: 'any' } as const;
  const { $schema, properties, required, ...rest } = z.toJSONSchema(studySchema, options);
  const { $schema: _, ...set } = z.toJSONSchema(scenarioSetSchema, options);
  const { pairings } = z.toJSONSchema(pairingsSchema, options).properties ?? {};
  const scenarios = properties?.['scenarios'] as { items: object };
  return {
    $schema,
    title: 'A study of entrain',
    ...rest,
    properties: {
      $schema: { type: 'string' },
      ...properties,
      pairings,
      scenarios: { ...scenarios, items: { anyOf: [scenarios.items, set] } },
    },
    required: required?.filter((field) => field !== 'pairs'),
    oneOf: [{ required: ['pairs'] }, { required: ['models', 'pairings'] }],
  };
}
