/**
 * The messages of the activation stream (agent → analyzer over WebSocket), as a union on `type`. Each is one
 * msgpack map, encoded and decoded by `codec.ts`. Data messages (`episode`, `turn`, `steps`, `branch`, `gap`)
 * have a sequence number and are recorded; the others control the session.
 */

export type DType = 'f16' | 'f32';

/**
 * Why a step went through the model: `speak`, own words; `listen`, a peer's words; `read`, a script; `think`,
 * own reasoning before speech; `control`, the words of an episode in which the agent has no role.
 */
export const STEP_ROLES = ['speak', 'listen', 'read', 'think', 'control'] as const;
export type StepRole = (typeof STEP_ROLES)[number];

export interface ModelRef {
  name: string;
  sha256: string;
  layers: number;
  dims: number;
}

export interface Hello {
  type: 'hello';
  version: [major: number, minor: number];
  /** Chosen by the sender, different for each hello of a connection. Absent: 0. */
  id?: number;
  run: string;
  stream: string;
  epoch: number;
  /** First and last sequence number that the sender holds in this epoch; last = first − 1 if it holds none. */
  firstSeq: number;
  lastSeq: number;
}

/** Answer to a hello whose stream is being opened, which may take minutes. A welcome follows. */
export interface Opening {
  type: 'opening';
  hello: number;
}

export interface Welcome {
  type: 'welcome';
  /** The `id` of the hello that this answers. */
  hello: number;
  /** The largest epoch of this stream that the analyzer knows; 0 if none. */
  lastEpoch: number;
  /** The last durable sequence number of the hello's epoch; −1 if none. */
  durableSeq: number;
  /** How many bytes the sender may have in flight. */
  credits: number;
}

export interface Ack {
  type: 'ack';
  durableSeq: number;
  credits: number;
}

export interface Resend {
  type: 'resend';
  from: number;
  to: number;
}

/**
 * Frames that are lost for good: the numbers `from`…`to` will never come. It takes the place of frame `seq` =
 * `to`.
 */
export interface Gap {
  type: 'gap';
  seq: number;
  from: number;
  to: number;
  reason: string;
}

/** What the study fixed beforehand, so that a score need not infer it from the frames so far. */
export interface StudyPlan {
  /** Seed of the study. */
  seed: number;
  /** No `leave` ends an episode before this turn. */
  minTurns: number;
  /** The largest number of groups that the study can give. */
  groups: number;
}

/** What a stream is about: the first data message of a stream in an episode. */
export interface EpisodeFrame {
  type: 'episode';
  seq: number;
  run: string;
  episode: string;
  scenario: string;
  /** The group of agents that a study names; a unit of paper mode's split is scenario × pair. */
  pair: string;
  condition: string;
  seed: number;
  /** Agent ids in speaking order; turn t is spoken by `order[t % order.length]`. */
  order: string[];
  /** Index of the sending agent in `order`. */
  role: number;
  /** The models of the agents, in the order of `order`. */
  models: ModelRef[];
  /** The coordinator's signed statement that the sender has this role. Absent if there is no coordinator. */
  grant?: string;
  /** Absent from recordings before 2.0 and from other senders. */
  plan?: StudyPlan;
}

/**
 * Seatings from this number on are those of a reader. Its states take the place of those of the agent in whose
 * role it reads, however often that role was given anew.
 */
export const READER_SEATING = 1_000_000;

/**
 * Properties of the talk before a turn's state, without a word of it: whether the utterance before the turn
 * equals another one, and whether it was cut.
 */
export interface TalkMark {
  /**
   * Number of earlier turns that the prompt of this state no longer holds, because the model's context was
   * full.
   */
  dropped: number;
  /**
   * 0 if the utterance of the turn before has no letter, number or symbol; otherwise equal for utterances with
   * the same ones. Absent if there was no utterance.
   */
  digest?: number;
  /** Whether that utterance was cut at `maxTokens`. Absent together with `digest`. */
  cut?: boolean;
}

/** The state at the position that produces the first token of the reply, as the paper uses it. */
export interface TurnFrame {
  type: 'turn';
  seq: number;
  episode: string;
  turn: number;
  /**
   * How often the role was given to an agent before; of two frames of a turn the one of the later seating
   * counts. Absent: 0.
   */
  seating?: number;
  /** Layer numbers, 1..L. Layer 0 is left out, since it is the same at this position in every prompt. */
  layers: number[];
  /** [1, layers, dims], row-major. */
  shape: [steps: 1, layers: number, dims: number];
  dtype: DType;
  /** Nanoseconds since the epoch began, on the sender's monotonic clock. */
  tNs: number | bigint;
  /** CRC-32 (zlib) of `data`. */
  crc32: number;
  data: Uint8Array;
  /** f32 [4096]: signed hashed character 3–5-grams of the prompt, log counts, L2-normalised. */
  text: Uint8Array;
  /** f32 [dims]: mean token embedding of the prompt. */
  words: Uint8Array;
  /** f32 [any]: the prompt by a sentence encoder, unit length. Absent if the agent has none. */
  sentence?: Uint8Array;
  /** Absent from recordings before this field existed, and from other senders. */
  talk?: TalkMark;
  /**
   * f32 [layers, dims]: the state of the same model as a third person who has read the same talk without a goal. It
   * predicts in the condition `paper-reader`. Absent in all others.
   */
  reader?: Uint8Array;
}

/**
 * The states of consecutive tokens, spoken or heard. A later frame with an earlier `step0` replaces what came
 * before from there on.
 */
export interface StepsFrame {
  type: 'steps';
  seq: number;
  episode: string;
  turn: number;
  step0: number;
  role: StepRole;
  /** Byte range of each step in the utterance's UTF-8 text. */
  bytes: [start: number, end: number][];
  layers: number[];
  /** [steps, layers, dims], row-major. */
  shape: [steps: number, layers: number, dims: number];
  dtype: DType;
  tNs: number | bigint;
  crc32: number;
  data: Uint8Array;
}

/**
 * Counterfactual states of a turn: other words from the same history, or a state that was changed. No measure
 * of the dialogue itself uses them. It is a type of its own, so that no older analyzer takes one for a turn.
 */
export interface BranchFrame {
  type: 'branch';
  seq: number;
  run: string;
  episode: string;
  /** The turn that branches; the state of the next speaker belongs to the same turn. */
  turn: number;
  /**
   * `alternative`: other words. `perturbation`, `interchange`: a changed state. Other kinds are recorded as
   * they are.
   */
  kind: string;
  /** 0 for what was really said. */
  k: number;
  /** Which state it is: `end` or `mean` of the speaker's utterance, `reply` of a listener, `bystander`. */
  state: string;
  /** The layer whose state was changed. */
  layer?: number;
  /** The episode from which the replacing state was taken. */
  donor?: string;
  /** Size of the change in standard deviations. */
  size?: number;
  /** As in a turn frame. */
  seating?: number;
  layers: number[];
  /** [1, layers, dims], row-major. */
  shape: [steps: 1, layers: number, dims: number];
  dtype: DType;
  tNs: number | bigint;
  crc32: number;
  data: Uint8Array;
  /** f32 [4096]: text features of the words of the branch, as in a turn frame. */
  text?: Uint8Array;
}

export interface Clock {
  type: 'clock';
  id: number;
  sentNs: number | bigint;
}

export interface ClockReply {
  type: 'clock-reply';
  id: number;
  sentNs: number | bigint;
  receivedNs: number | bigint;
  repliedNs: number | bigint;
}

export interface Bye {
  type: 'bye';
  reason: string;
}

export type DataMessage = EpisodeFrame | TurnFrame | StepsFrame | BranchFrame | Gap;
export type StreamMessage = Hello | Opening | Welcome | Ack | Resend | DataMessage | Clock | ClockReply | Bye;

/** Dimensions of the hashed text features in a turn frame. */
export const TEXT_FEATURE_DIMS = 4096;
