/** The study file: which scenarios, agents, conditions and seeds, and what to measure. Other fields are refused. */
import { z } from 'zod';
import { NAME_PATTERN } from './subjects.ts';

const name = z.string().regex(NAME_PATTERN, 'expected 1 to 64 letters, digits, "-" or "_"');

/** What one agent in a scenario is told; no other agent may read it. */
export const personSchema = z.strictObject({
  persona: z.string().max(2000).default(''),
  goal: z.string().max(2000).default(''),
  secret: z.string().max(2000).default(''),
});

export const scenarioSchema = z.strictObject({
  id: name,
  text: z.string().max(4000),
  people: z.tuple([personSchema, personSchema]),
});

export const samplingSchema = z.strictObject({
  temperature: z.number().min(0).max(5).default(0.7),
  topK: z.int().min(0).default(0),
  topP: z.number().gt(0).max(1).default(0.95),
  minP: z.number().min(0).max(1).default(0),
  repetitionPenalty: z.number().min(0.5).max(2).default(1.1),
});

export const conditionSchema = z.enum(['live', 'monologue']);

export const studySchema = z.strictObject({
  name,
  seed: z.int().min(0).default(1),
  /** Pairings of agent ids; the first opens. */
  pairs: z.array(z.tuple([name, name])).min(1),
  scenarios: z.array(scenarioSchema).min(1),
  conditions: z.array(conditionSchema).min(1).default(['live']),
  /** Episodes per scenario × pair × condition. */
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
    })
    .nullable()
    .default(null),
});

export type Study = z.infer<typeof studySchema>;
export type Scenario = z.infer<typeof scenarioSchema>;
export type Sampling = z.infer<typeof samplingSchema>;
export type Condition = z.infer<typeof conditionSchema>;
