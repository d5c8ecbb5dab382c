/** The answer of an agent that is asked in which runs it takes part. */
import { z } from 'zod';

export const membershipsSchema = z.object({
  runs: z.array(z.string()),
  /** Those with frames that are not acknowledged. */
  undrained: z.array(z.string()),
  /** Run → why the analyzer does not take its frames; absent if it takes them. */
  refusals: z.record(z.string(), z.string()).optional(),
});

export type Memberships = z.infer<typeof membershipsSchema>;
