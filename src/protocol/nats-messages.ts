/** The JSON messages on NATS, one schema each. `parseMessage` checks a value or throws with the name of the field. */
import { z } from 'zod';
import { agentModelSchema } from './agent-model.ts';
import { EntrainError, type ErrorCode } from './errors.ts';
import { recordedSchema } from './events/recorded.ts';
import { NAME_PATTERN } from './subjects.ts';
import { conditionSchema, branchPlanSchema, personSchema, samplingSchema, studySchema } from './study.ts';

/** The analyzer of a run, as chosen by the coordinator: where an agent streams its states, and what lets it in. */
export const analyzerSchema = z.object({
  url: z.string(),
  token: z.string(),
  /** SHA-256 of the analyzer's certificate, as hex pairs with colons; absent if it serves without TLS. */
  fingerprint: z.string().optional(),
});

/** Coordinator → agent (request): join this run. */
export const assignmentSchema = z.object({
  run: z.string(),
  stream: z.string(),
  specConsumer: z.string(),
  talkConsumer: z.string(),
  analyzer: analyzerSchema,
});

/**
 * A prompt at the beginning of an episode: what the agent is told, and the longest text that it reads from others.
 */
export const askedPromptSchema = z.object({
  scenario: z.object({ id: z.string(), text: z.string() }),
  person: personSchema,
  script: z.string(),
});

/** Coordinator → agent (request): how many tokens these prompts take. */
export const askPromptsSchema = z.object({ prompts: z.array(askedPromptSchema).max(100) });

/** Agent → coordinator (answer): token counts in the order of the prompts. */
export const promptTokensSchema = z.object({
  model: z.string(),
  contextTokens: z.int(),
  tokens: z.array(z.int()),
});

/** Coordinator → agent (request): leave this run. `over`: all of it is recorded; else it was stopped, and may go on. */
export const releaseSchema = z.object({ run: z.string(), over: z.boolean().default(false) });

/**
 * Analyzer → coordinator (answer): bytes free where it records, and what it lets one run take, and one agent of it
 * (absent: all).
 */
export const diskSchema = z.object({
  freeBytes: z.number(),
  maxRunBytes: z.number(),
  maxAgentBytes: z.number().optional(),
});

/** Coordinator → analyzer (request): this run is over and recorded. */
export const finishedSchema = z.object({ run: z.string().regex(NAME_PATTERN) });

/** Analyzer → any subscriber: the segments of a run were removed to keep the disk budget. */
export const retentionSchema = z.object({
  type: z.literal('recording-removed'),
  run: z.string(),
  bytes: z.number(),
  atMs: z.number(),
});

/**
 * What an agent hears of the others. `dose` is the share of utterances that it hears. A `script` is read
 * instead of them: one text before each of the agent's turns, as long as there are texts.
 */
export const hearsSchema = z.union([
  z.literal('all'),
  z.literal('none'),
  z.object({ dose: z.number() }),
  z.object({ script: z.array(z.string()) }),
]);

export const utteranceSchema = z.object({
  episode: z.string(),
  turn: z.int(),
  agent: z.string(),
  text: z.string(),
  /** `leave`: the speaker says nothing more in this episode. `absent`: it had left before, and the turn is empty. */
  finish: z.enum(['stop', 'length', 'leave', 'absent']),
  tokens: z.int(),
  /** Number of oldest turns that the speaker left out of its prompt because the context was full. */
  droppedTurns: z.int(),
  /** Stream and epoch with the frames of this turn; `lastSeq` is the last of them. */
  stream: z.string(),
  epoch: z.int(),
  lastSeq: z.int(),
});

/** Place of a line of `events.jsonl` or `transcript.jsonl` in the run's stream. Absent in runs of protocol 1. */
export const placeSchema = z.object({ seq: z.int().optional() });

/**
 * What the speaker of a turn might have said instead, drawn from the same history with another seed; `k` counts from 1.
 * It is published before the utterance of the turn.
 */
export const alternativeSchema = utteranceSchema
  .pick({ episode: true, turn: true, agent: true, text: true, tokens: true })
  .extend({
    k: z.int().min(1),
    /**
     * `skipped`, without words: there is no version from this k on. With k = 1 the speaker's context is nearly full; a
     * later one would have a moved state, and the speaker has kept too few states to move one by.
     */
    finish: z.enum(['stop', 'length', 'leave', 'skipped']),
    /** Of a moved state: how, at which layer, by how many standard deviations or by the state of which episode. */
    kind: z.string().optional(),
    layer: z.int().optional(),
    size: z.number().optional(),
    donor: z.string().optional(),
  });

/** What one agent may know of an episode. */
export const agentSpecSchema = z.object({
  run: z.string(),
  episode: z.string(),
  scenario: z.object({ id: z.string(), text: z.string() }),
  pair: z.string(),
  condition: conditionSchema,
  hears: hearsSchema,
  /** Agent ids in speaking order; turn t is spoken by `order[t % order.length]`. */
  order: z.array(z.string()).min(1),
  role: z.int(),
  /** False for a reader: it takes the state in which it would answer, and hears what the agent of its role says. */
  speaks: z.boolean(),
  /**
   * How often the role was given to an agent since the episode began. Frames of a later seating replace earlier
   * ones.
   */
  seating: z.int(),
  /** The coordinator's signed statement that the agent has this role and seating. */
  grant: z.string(),
  models: z.array(agentModelSchema),
  person: personSchema,
  /** Seed of the episode, from which the seed of a turn is derived. */
  seed: z.int(),
  /** When the run began, milliseconds since 1970: the date for chat templates. Absent: a fixed day. */
  startedAtMs: z.number().optional(),
  limits: z.object({ maxTurns: z.int(), minTurns: z.int(), maxTokens: z.int() }),
  /** Seed of the study, and the number of groups that it can give. */
  study: z.object({ seed: z.int(), groups: z.int() }),
  sampling: samplingSchema,
  steps: studySchema.shape.steps,
  /** As in the study, without a state to be moved in an episode whose states are kept for later ones. */
  branches: branchPlanSchema.default(null),
  /** Layers of which the agent keeps the states of its own turns: what states in later episodes are moved by. */
  keepLayers: z.array(z.int()).default([]),
  /**
   * The alternatives in `history` whose reply states this agent owes: those behind the last turn of its role, all for a
   * reader.
   */
  alternatives: z.array(alternativeSchema).default([]),
  /** The talk behind which this agent reads every turn as well, to its end. */
  control: z.object({ episode: z.string(), seed: z.int(), history: z.array(utteranceSchema) }).nullish(),
  /** What has been said already, in order: not empty when an agent comes back into an episode or takes one over. */
  history: z.array(utteranceSchema),
});

/** A token as it is spoken: a preview that may be lost. Bytes are offsets in the utterance's UTF-8 text. */
export const tokenSchema = z.object({
  episode: z.string(),
  turn: z.int(),
  agent: z.string(),
  step: z.int(),
  text: z.string(),
  byte0: z.int(),
  byte1: z.int(),
});

/** Everything that the coordinator decides or learns; the state of a run is computed from its events. */
export const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run-started'),
    run: z.string(),
    study: studySchema,
    episodes: z.int(),
    atMs: z.number(),
  }),
  z.object({
    type: z.literal('episode-started'),
    episode: z.string(),
    scenario: z.string(),
    condition: conditionSchema,
    order: z.array(z.string()),
    /** The agent that reads in the place of the last speaker. */
    reader: z.string().optional(),
    /** Absent in runs of protocol 1. */
    maxTurns: z.int().optional(),
    seed: z.int(),
    /** Which turns branch follows from it and from the seed. Absent in runs of earlier versions. */
    branches: branchPlanSchema.optional(),
    /** The episode behind whose history listeners read its turns as well. */
    control: z.string().optional(),
    atMs: z.number(),
  }),
  z.object({
    type: z.literal('episode-resumed'),
    episode: z.string(),
    /** The agent that came back, and its new service instance. */
    agent: z.string(),
    instance: z.string(),
    /** The first turn that is still to be spoken. */
    turn: z.int(),
    atMs: z.number(),
  }),
  z.object({
    type: z.literal('episode-taken-over'),
    episode: z.string(),
    role: z.int(),
    /**
     * The agent that stayed away, the agent that has its role from now on, and the service instance of the
     * latter.
     */
    lost: z.string(),
    agent: z.string(),
    instance: z.string(),
    /** The first turn that is still to be spoken. */
    turn: z.int(),
    atMs: z.number(),
  }),
  z.object({
    type: z.literal('episode-finished'),
    episode: z.string(),
    turns: z.int(),
    finish: z.enum(['turns', 'leave']),
    atMs: z.number(),
  }),
  z.object({
    type: z.literal('run-finished'),
    run: z.string(),
    episodes: z.int(),
    turns: z.int(),
    atMs: z.number(),
  }),
  z.object({ type: z.literal('run-failed'), run: z.string(), reason: z.string(), atMs: z.number() }),
  recordedSchema,
  /** A failed run was started again, its cause removed, and continues where it stopped. */
  z.object({ type: z.literal('run-resumed'), run: z.string(), atMs: z.number() }),
]);

/** `run.json`: what a run was begun with. From then on its name stands for these facts. */
export const runFactsSchema = z.object({
  run: z.string(),
  version: z.string(),
  node: z.string(),
  platform: z.string(),
  study: studySchema,
  agents: z.record(z.string(), agentModelSchema),
  startedAtMs: z.number(),
});

export type RunFacts = z.infer<typeof runFactsSchema>;
export type RetentionEvent = z.infer<typeof retentionSchema>;
export type AskedPrompt = z.infer<typeof askedPromptSchema>;
export type Disk = z.infer<typeof diskSchema>;
export type Assignment = z.infer<typeof assignmentSchema>;
export type AgentSpec = z.infer<typeof agentSpecSchema>;
export type Hears = z.infer<typeof hearsSchema>;
export type Token = z.infer<typeof tokenSchema>;
export type Utterance = z.infer<typeof utteranceSchema>;
export type Alternative = z.infer<typeof alternativeSchema>;
export type RunEvent = z.infer<typeof eventSchema>;

/**
 * Checks a JSON text, or an already parsed value, against a schema.
 * @throws EntrainError `code`, with the first wrong field and what was expected there
 */
export function parseMessage<T extends z.ZodType>(
  schema: T,
  input: unknown,
  about: { code: ErrorCode; what: string },
): z.infer<T> {
  const value: unknown = typeof input === 'string' ? parseJson(input, about) : input;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') || 'the top level';
  throw new EntrainError(
    about.code,
    `${about.what} is not valid at ${field}: ${issue?.message ?? 'unknown fault'}.`,
    {
      cause: result.error,
    },
  );
}

function parseJson(text: string, about: { code: ErrorCode; what: string }): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new EntrainError(about.code, `${about.what} is not JSON: ${(cause as Error).message}.`, { cause });
  }
}
