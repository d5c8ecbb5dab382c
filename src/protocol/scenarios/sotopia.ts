/**
 * SOTOPIA's files as they are published (Zhou et al., ICLR 2024): what is read of them; other fields are passed over.
 */
import { z } from 'zod';

/** 0 strangers, 1 know each other by name, 2 acquaintances, 3 friends, 4 in a relationship, 5 family. */
const relationshipSchema = z.int().min(0).max(5);

/** By id. Scenario and goals hold tags that say who may read a part. */
export const sotopiaScenariosSchema = z.record(
  z.string(),
  z.object({
    codename: z.string(),
    scenario: z.string(),
    agent_goals: z.tuple([z.string(), z.string()]),
    relationship: relationshipSchema,
  }),
);

/** By id. */
export const sotopiaAgentsSchema = z.record(
  z.string(),
  z.object({
    first_name: z.string(),
    last_name: z.string(),
    age: z.number(),
    occupation: z.string(),
    gender_pronoun: z.string(),
    public_info: z.string(),
    personality_and_values: z.string(),
    secret: z.string(),
  }),
);

export const sotopiaCombinationsSchema = z.array(
  z.object({ pk: z.string(), env_id: z.string(), agent_ids: z.tuple([z.string(), z.string()]) }),
);

export type SotopiaScenarios = z.infer<typeof sotopiaScenariosSchema>;
export type SotopiaAgents = z.infer<typeof sotopiaAgentsSchema>;
export type SotopiaAgent = SotopiaAgents[string];
export type SotopiaCombination = z.infer<typeof sotopiaCombinationsSchema>[number];
