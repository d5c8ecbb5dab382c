/** Which analyzer records and scores a run: as an event of the run, and as the service keeps it. */
import { z } from 'zod';

/** From here on this analyzer has the run. Parts count from 1; each has its states in a recording of its own. */
export const recordedSchema = z.object({
  type: z.literal('run-recorded'),
  run: z.string(),
  analyzer: z.string(),
  part: z.int().min(1),
  atMs: z.number(),
});

export const recorderRowSchema = z.object({
  analyzer: z.string(),
  /** Where it was then; a coordinator that begins to lead while it is away tells agents this address. */
  streamUrl: z.string(),
  fingerprint: z.string().optional(),
  /** The analyzers of earlier parts, which were lost. */
  before: z.array(z.string()).default([]),
  /** Those of them that know by now that the run is over. */
  told: z.array(z.string()).default([]),
});

export type RecorderRow = z.infer<typeof recorderRowSchema>;
