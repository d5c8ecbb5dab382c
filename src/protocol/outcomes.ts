/** What came of an episode: the lines of `outcomes.jsonl`, and the answers of a judge. */
import { z } from 'zod';

/** Who judged, and by which instructions. */
const judgeSchema = z.object({ model: z.string(), promptSha256: z.string() });

const aboutSchema = z.object({ run: z.string(), episode: z.string(), atMs: z.number() });

export const outcomeLineSchema = z.discriminatedUnion('type', [
  aboutSchema.extend({
    type: z.literal('outcome'),
    /** Who had the role when the episode began. */
    agent: z.string(),
    /** What was valued, such as `success` or `goal`. */
    name: z.string(),
    value: z.number(),
    /** `intrinsic`: from the logits of the agent's own model. */
    source: z.enum(['rule', 'judge', 'file', 'intrinsic']),
    judge: judgeSchema.optional(),
  }),
  /** An episode that a judge was asked about and that has no value by it. */
  aboutSchema.extend({
    type: z.literal('unscored'),
    source: z.literal('judge'),
    judge: judgeSchema,
    reason: z.string(),
  }),
]);

export type OutcomeLine = z.infer<typeof outcomeLineSchema>;
export type Outcome = Extract<OutcomeLine, { type: 'outcome' }>;

/** SOTOPIA's dimensions of social performance with their ranges (Zhou et al., ICLR 2024). */
export const DIMENSIONS = {
  believability: [0, 10],
  relationship: [-5, 5],
  knowledge: [0, 10],
  secret: [-10, 0],
  social_rules: [-10, 0],
  financial_benefit: [-5, 5],
  goal: [0, 10],
} as const satisfies Record<string, readonly [least: number, most: number]>;

export type Dimension = keyof typeof DIMENSIONS;

const inRange = (dimension: Dimension) =>
  z.object({
    reason: z.string().default(''),
    score: z.number().min(DIMENSIONS[dimension][0]).max(DIMENSIONS[dimension][1]),
  });

const judgedSchema = z.object({
  believability: inRange('believability'),
  relationship: inRange('relationship'),
  knowledge: inRange('knowledge'),
  secret: inRange('secret'),
  social_rules: inRange('social_rules'),
  financial_benefit: inRange('financial_benefit'),
  goal: inRange('goal'),
});

/** Of an episode of so many speakers, in speaking order. */
export const judgeAnswerSchema = (speakers: number) =>
  z.object({ agents: z.array(judgedSchema).length(speakers) });

export type JudgeAnswer = z.infer<ReturnType<typeof judgeAnswerSchema>>;

/** What is read of a chat completion (OpenAI's HTTP interface); all else in it is passed over. */
export const chatCompletionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  usage: z.object({ total_tokens: z.number() }).nullish(),
});
