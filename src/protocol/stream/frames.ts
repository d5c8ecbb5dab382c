/**
 * The messages of the activation stream (agent → analyzer over WebSocket), as a union on `type`. Each is one msgpack map;
 * `codec.ts` turns bytes into these and back and is the only door. Data messages (`episode`, `turn`, `steps`, `branch`,
 * `gap`) carry
 * a sequence number and are recorded; the others steer the session.
 */

export type DType = 'f16' | 'f32';

/**
 * How a step went through the model: as own speech, as a peer's words, as a script's, as the own reasoning before
 * speech, or as
 * the words of an episode in which the agent has no part.
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
  /** Chosen by the sender, another one for each hello of a connection; absent: 0. */
  id?: number;
  run: string;
  stream: string;
  epoch: number;
  /** First and last sequence number the sender still holds in this epoch; last = first − 1 when it holds none. */
  firstSeq: number;
  lastSeq: number;
}

/** The answer to a hello whose stream is being opened, which may take minutes; a welcome follows. */
export interface Opening {
  type: 'opening';
  hello: number;
}

export interface Welcome {
  type: 'welcome';
  /** The `id` of the hello that this answers. */
  hello: number;
  /** The largest epoch the analyzer knows of this stream, 0 when it knows none. */
  lastEpoch: number;
  /** The last sequence number of the greeted epoch that is durable, −1 when none is. */
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

/** Frames that cannot be had any more: the numbers `from`…`to` will never come. Takes the place of frame `seq` = `to`. */
export interface Gap {
  type: 'gap';
  seq: number;
  from: number;
  to: number;
  reason: string;
}

/** What the study laid down beforehand, so that a score need not guess it from what has come so far. */
export interface StudyPlan {
  /** Seed of the study. */
  seed: number;
  /** No `leave` ends an episode before this turn. */
  minTurns: number;
  /** How many groups the study can give, at most. */
  groups: number;
}

/** What a stream is about: the first data message of a stream in an episode. */
export interface EpisodeFrame {
  type: 'episode';
  seq: number;
  run: string;
  episode: string;
  scenario: string;
  /** The pairing of agents that a study names; a unit of paper mode's split is scenario × pair. */
  pair: string;
  condition: string;
  seed: number;
  /** Agent ids in speaking order; turn t is spoken by order[t % order.length]. */
  order: string[];
  /** Index of the sending agent in `order`. */
  role: number;
  /** The models of the agents, in the order of `order`. */
  models: ModelRef[];
  /** The coordinator's signed word that the sender has this role. Absent where there is no coordinator. */
  grant?: string;
  /** Absent from recordings before 2.0, and from other senders. */
  plan?: StudyPlan;
}

/**
 * Seatings from here on are those of a reader, whose states take the place of those of the agent in whose role it reads, however often
 * that role was given away.
 */
export const READER_SEATING = 1_000_000;

/**
 * What the talk before a turn's state was like, without a word of it. Of the utterance before the turn, whoever spoke it:
 * whether
 * it says what another one says, and whether it ran to its end.
 */
export interface TalkMark {
  /** Earlier turns that the prompt of this state no longer holds, because the model's context was full. */
  dropped: number;
  /**
   * 0: the utterance of the turn before holds no letter, number or symbol. Else equal for utterances with the same ones.
   * Absent
   * where nobody spoke at that turn.
   */
  digest?: number;
  /** Whether that utterance was cut because `maxTokens` was reached. Absent with `digest`. */
  cut?: boolean;
}

/** The state at the position that produces the first token of the reply: what the paper uses. */
export interface TurnFrame {
  type: 'turn';
  seq: number;
  episode: string;
  turn: number;
  /** How often the role was given to somebody (again) before; of two frames of a turn that of the later seating counts. Absent: 0. */
  seating?: number;
  /** Layer numbers present, 1..L (0 is constant there, see the design). */
  layers: number[];
  /** [1, layers, dims], row-major. */
  shape: [steps: 1, layers: number, dims: number];
  dtype: DType;
  /** Nanoseconds on the sender's monotonic clock since the epoch began. */
  tNs: number | bigint;
  /** CRC-32 (zlib) of `data`. */
  crc32: number;
  data: Uint8Array;
  /** f32 [4096]: signed hashed character 3–5-grams of the prompt, log counts, L2-normalised. */
  text: Uint8Array;
  /** f32 [dims]: mean token embedding of the prompt. */
  words: Uint8Array;
  /** f32 [any]: the prompt by a sentence encoder, unit length. Absent where the agent has none. */
  sentence?: Uint8Array;
  /** Absent from recordings before this field was there, and from other senders. */
  talk?: TalkMark;
}

/** The states of some consecutive tokens, spoken or heard. A later frame with an earlier `step0` supersedes from there. */
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
 * The states of what might have been: at a turn, other words from the same history, or a state that was moved. No
 * measure of
 * the talk itself uses them, and no older analyzer may take one for a turn.
 */
export interface BranchFrame {
  type: 'branch';
  seq: number;
  run: string;
  episode: string;
  /** The turn that branches; a state of the next speaker belongs to the same one. */
  turn: number;
  /** `alternative`: other words. `perturbation`, `interchange`: a state was moved. Others are recorded as they are. */
  kind: string;
  /** 0: what was really said. */
  k: number;
  /** Whose state it is: `end`, `mean` of the speaker's utterance, `reply` of a listener, `bystander`. */
  state: string;
  /** The layer that was moved. */
  layer?: number;
  /** The episode whose state took its place. */
  donor?: string;
  /** By how much it was moved, in standard deviations. */
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
  /** f32 [4096] of the words of the branch, as in a turn frame. */
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
