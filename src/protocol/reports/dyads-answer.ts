/** The answer of `entrain measure MEASURE --dyads DIR --json`, as a report reads it again. */
import { z } from 'zod';

export const dyadsAnswerSchema = z.object({
  measure: z.string().min(1),
  /** Mean over real dyads, and over pseudo-dyads of members of different dyads. */
  value: z.number(),
  pseudo_mean: z.number(),
  excess: z.number(),
  ci: z.tuple([z.number(), z.number()]),
  p_value: z.number().min(0).max(1),
  permutations: z.number(),
  exact: z.boolean(),
  dyads: z.number(),
  /** How many rows the second member is taken later. */
  lag: z.number().default(0),
});

export type DyadsAnswer = z.infer<typeof dyadsAnswerSchema>;
