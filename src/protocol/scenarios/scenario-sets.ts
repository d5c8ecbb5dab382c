/** Scenarios that a study names by set: `{ "set": "bargaining", "count": 12 }` among its scenarios. */
import { z } from 'zod';

/** Made by seed; a rule scores them, all but a wish. The names of the families are those of `training/`. */
export const TASK_SETS = {
  'mutual-friend': 'friend',
  division: 'divide',
  bargaining: 'price',
  meeting: 'meet',
  secret: 'secret',
  'moved-thing': 'know',
  wish: 'wish',
} as const;

export type TaskSet = keyof typeof TASK_SETS;
export type TaskFamily = (typeof TASK_SETS)[TaskSet];

/** Written by hand; whom they are about is drawn by seed. */
export const SOCIAL_SETS = [
  'persuasion',
  'comfort',
  'planning',
  'confidence',
  'apology',
  'favor',
  'belief',
  'advice',
  'reunion',
] as const;

export type SocialSet = (typeof SOCIAL_SETS)[number];

const taskSets = Object.keys(TASK_SETS) as [TaskSet, ...TaskSet[]];

export const scenarioSetSchema = z.strictObject({
  set: z.enum([...taskSets, ...SOCIAL_SETS]),
  /** How many scenarios of the set. */
  count: z.int().min(1).max(1000),
  /** Number of the first one: the same number always gives the same scenario. */
  first: z.int().min(1).max(1_000_000).default(1),
  /** Words of the sets made by seed: `heldOut`, which the shipped models have not learnt, or `train`. */
  words: z.enum(['heldOut', 'train']).default('heldOut'),
});

export type ScenarioSet = z.infer<typeof scenarioSetSchema>;
export type Words = ScenarioSet['words'];

/** Lists of texts of both kinds of words, or of one for both, by name. */
const grammarListSchema = z.union([
  z.array(z.string()),
  z.array(z.number()),
  z.object({ train: z.array(z.string()), heldOut: z.array(z.string()) }),
  z.array(
    z.object({
      verb: z.array(z.string()),
      noun: z.object({ train: z.array(z.string()), heldOut: z.array(z.string()) }),
    }),
  ),
]);

/** The file of `training/` that says what a scenario made by seed is put together from. */
export const taskGrammarSchema = z
  .object({ about: z.string() })
  .catchall(z.record(z.string(), grammarListSchema));

export type TaskGrammar = Record<string, Record<string, z.infer<typeof grammarListSchema>>>;

const two = z.tuple([z.string(), z.string()]);

/** 0 strangers, 1 know each other by name, 2 acquaintances, 3 friends, 4 partners, 5 family. */
const relationshipSchema = z.int().min(0).max(5);

const characterSchema = z.strictObject({
  name: z.string(),
  /** Such as "a baker". */
  work: z.string(),
  likes: z.string(),
  /** A sentence that only this person is told. */
  own: z.string(),
  secret: z.string(),
});

export const socialScenariosSchema = z.strictObject({
  about: z.string(),
  people: z.array(characterSchema).min(24),
  sets: z.record(
    z.enum(SOCIAL_SETS),
    z.strictObject({
      about: z.string(),
      scenarios: z
        .array(
          z.strictObject({ text: z.string(), relationship: relationshipSchema, goals: two, secrets: two }),
        )
        .min(1),
    }),
  ),
});

export type SocialScenarios = z.infer<typeof socialScenariosSchema>;
export type Character = SocialScenarios['people'][number];
