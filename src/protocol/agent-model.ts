/** The model of an agent, as the agent announces it and as a run records it. */
import { z } from 'zod';

export const agentModelSchema = z.object({
  name: z.string(),
  sha256: z.string(),
  layers: z.int(),
  dims: z.int(),
  /** How many dialogues share a decode pass of the agent; what is computed does not depend on it. */
  rowsPerPass: z.int().positive().optional(),
});

export type AgentModel = z.infer<typeof agentModelSchema>;

/** The model of an agent, as its NATS service announces it. */
export function announcedModel({
  model: name = '',
  sha256 = '',
  layers,
  dims,
  rowsPerPass,
}: Record<string, string>): AgentModel {
  const passes = rowsPerPass === undefined ? {} : { rowsPerPass: Number(rowsPerPass) };
  return { name, sha256, layers: Number(layers), dims: Number(dims), ...passes };
}
