/** The messages of the service: what its users ask the resident coordinator, and the rows that hold its state. */
import { z } from 'zod';
import { recorderRowSchema } from './events/recorded.ts';
import { runFactsSchema } from './nats-messages.ts';
import { studySchema } from './study.ts';
import { NAME_PATTERN, RESERVED_RUNS } from './subjects.ts';

const name = z.string().regex(NAME_PATTERN, 'expected 1 to 64 letters, digits, "-" or "_"');

/** A submitter has runs of its own; an operator acts on all runs and on the fleet. */
export const callerSchema = z.object({ role: z.enum(['submitter', 'operator']), name });

export const PRIORITIES = { least: -100, most: 100 } as const;

export const submitSchema = z.object({
  run: name.refine((run) => !RESERVED_RUNS.includes(run), 'stands for something else in subjects'),
  study: studySchema,
  priority: z.int().min(PRIORITIES.least).max(PRIORITIES.most).default(0),
});
export const ofRunSchema = z.object({ run: name });
export const ofAgentSchema = z.object({ agent: name, undo: z.boolean().default(false) });
/** With `analyzer` it is the analyzer of this name that joined. */
export const removeSchema = ofAgentSchema.extend({ analyzer: z.boolean().default(false) });
/** A new token by which machines join, for agents or for one analyzer, or the end of one. */
export const tokenSchema = z.object({ revoke: name.optional(), analyzer: z.boolean().default(false) });
export const fileSchema = z.object({ run: name, path: z.string().max(500), offset: z.int().min(0) });

/** What a caller may ask, and the schema of the request. */
export const SERVICE_REQUESTS = {
  submit: submitSchema,
  runs: z.object({}),
  stop: ofRunSchema,
  resume: ofRunSchema,
  fleet: z.object({}),
  drain: ofAgentSchema,
  remove: removeSchema,
  token: tokenSchema,
  files: ofRunSchema,
  file: fileSchema,
} as const;

export type ServiceVerb = keyof typeof SERVICE_REQUESTS;
export type ServiceRequest<V extends ServiceVerb> = z.infer<(typeof SERVICE_REQUESTS)[V]>;

export const runViewSchema = z.object({
  run: name,
  submitter: z.string(),
  priority: z.int(),
  state: z.enum(['queued', 'running', 'stopped', 'failed', 'finished']),
  /** Why it waits or failed. */
  reason: z.string().optional(),
  agents: z.array(z.string()),
  /** Those that recorded its parts, the present one last. */
  analyzers: z.array(z.string()).optional(),
  episodes: z.object({ finished: z.int(), all: z.int() }),
  /** Seconds until its last episode ends, by those that ended since this coordinator leads it. */
  etaSeconds: z.number().optional(),
  /** The sentence that its figures allow. */
  verdict: z.string().optional(),
  submittedAtMs: z.number(),
  /** When its stream is removed from NATS; absent while it runs, and if the stream is gone or stays. */
  streamUntilMs: z.number().optional(),
});

export const programViewSchema = z.object({
  program: z.enum(['agent', 'analyzer', 'coordinator']),
  name: z.string(),
  machine: z.string(),
  version: z.string(),
  state: z.enum([
    'free',
    'busy',
    'draining',
    'removed',
    'absent',
    'ready',
    'leader',
    'standby',
    'other version',
  ]),
  run: z.string().optional(),
  model: z.string().optional(),
  provider: z.string().optional(),
  atOnce: z.int().optional(),
  /** Of an analyzer: how many agents the runs have that it records now. */
  load: z.int().optional(),
});

export const runsAnswerSchema = z.object({ runs: z.array(runViewSchema) });
/** `atMs`: the coordinator's clock, milliseconds since 1970. */
export const fleetAnswerSchema = z.object({
  programs: z.array(programViewSchema),
  atMs: z.number().optional(),
});
export const filesAnswerSchema = z.object({ files: z.array(z.object({ path: z.string(), bytes: z.int() })) });
/** A part of a file in base64; the file ends with the part that has `last`. */
export const partSchema = z.object({ data: z.string(), last: z.boolean() });

/** Every answer: a value, or an error by its code. */
export const answerSchema = z.union([
  z.object({ value: z.unknown() }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

/** Rows of the bucket `entrain-runs`. Each has one writer, the coordinator that has the lease. */
export const rowSchemas = {
  /** A study that was submitted. */
  submission: z.object({
    run: name,
    study: studySchema,
    by: callerSchema,
    priority: z.int(),
    atMs: z.number(),
  }),
  /** What was asked for last. */
  wish: z.object({ want: z.enum(['run', 'stop']), by: callerSchema, atMs: z.number() }),
  /** What the run was begun with. */
  facts: runFactsSchema,
  /** Which analyzer records it. */
  recorder: recorderRowSchema,
  /** How it came to an end. It holds until a later wish. */
  outcome: z.object({
    state: z.enum(['finished', 'failed']),
    reason: z.string().optional(),
    finished: z.int(),
    all: z.int(),
    atMs: z.number(),
    /** Its stream was removed after its time; the run folder has what was said. */
    streamRemoved: z.boolean().optional(),
  }),
} as const;

/** Whether an agent is given runs: `draining` none after the present one, `removed` none at all. */
export const agentRowSchema = z.object({
  is: z.enum(['open', 'draining', 'removed']),
  by: callerSchema,
  atMs: z.number(),
});

export type RowKind = keyof typeof rowSchemas;
export type RowValue<K extends RowKind> = z.infer<(typeof rowSchemas)[K]>;
export type Caller = z.infer<typeof callerSchema>;
export type Submission = z.infer<(typeof rowSchemas)['submission']>;
export type Wish = z.infer<(typeof rowSchemas)['wish']>;
export type RunOutcome = z.infer<(typeof rowSchemas)['outcome']>;
export type AgentRow = z.infer<typeof agentRowSchema>;
export type RunView = z.infer<typeof runViewSchema>;
export type ProgramView = z.infer<typeof programViewSchema>;
