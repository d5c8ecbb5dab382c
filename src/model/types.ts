/**
 * The interface of a model for the rest of an agent: it hears, it speaks, and its hidden states can be read
 * meanwhile.
 */
import type { AgentSpec } from '../protocol/nats-messages.ts';
import type { StepRole } from '../protocol/stream/frames.ts';
import type { PROVIDERS } from '../process/flags.ts';
import type { GraphChoice } from './folder/find-graph.ts';

export type Provider = (typeof PROVIDERS)[number];

export interface ModelOptions {
  /** A model folder as found on the hub. */
  folder: string;
  /** Which of its graphs; by default the first of the usual ones. */
  graph?: GraphChoice;
  provider: Provider;
  /** Only for `cuda` and `dml`. */
  deviceId?: number;
  threads: number;
  /** Folder in which hashes of models are cached. */
  cacheFolder: string;
  /** Map external weights from their file, so that agents on one machine share them; prefill takes longer. */
  shareWeights?: boolean;
  /** Folder of a sentence encoder for text features. */
  sentenceEncoder?: string;
  /** Bytes of the prefix cache; no cache by default. */
  prefixBytes?: number;
}

export interface ModelInfo {
  name: string;
  /** Hash over graph, weights, configuration and tokenizer. */
  sha256: string;
  layers: number;
  dims: number;
  vocabulary: number;
  contextTokens: number;
  provider: Provider;
  threads: number;
  /** What the owner of the model should know, one sentence each. */
  notices: string[];
  /** How many dialogues may share a pass without changing a bit of their results. */
  rowsPerPass: number;
  /** Bytes of keys and values that one token takes. */
  cacheTokenBytes: number;
}

/** Which steps of which layers. */
export type StepChoice = Pick<NonNullable<AgentSpec['steps']>, 'layers' | 'every'>;

export interface DialogueOptions {
  id: string;
  /** System prompt: scenario, persona, goal, secret. */
  system: string;
  sampling: AgentSpec['sampling'];
  /** The layers and steps whose states are wanted; null for none. Layer 0 is the input of the first block. */
  steps: StepChoice | null;
  /** The date for chat templates, milliseconds since 1970: when the run began. By default a fixed day. */
  atMs?: number | undefined;
  /** Layers whose states may be moved while it speaks; by default none. */
  patchLayers?: readonly number[] | undefined;
}

/** The state that produces the first token of a reply. */
export interface TurnState {
  /** 1..L */
  layers: number[];
  /** [layers, dims], row-major. */
  data: Float32Array;
  /** [dims]: mean embedding (layer 0) of the prompt's tokens. */
  words: Float32Array;
  /** Plain words of the prompt without template tokens, for text features. */
  promptText: string;
  /** [dims]: the sentence embedding of these words; empty if the agent has no encoder. */
  sentence: Float32Array;
  /** Number of oldest turns that the prompt no longer holds because the context was full. */
  droppedTurns: number;
}

/** States of consecutive tokens of an utterance. */
export interface StepStates {
  /** `think`: a token of the speaker's own reasoning, which is not part of the utterance and has no bytes in it. */
  role: StepRole;
  step0: number;
  /** Byte range of each step in the utterance's UTF-8 text. */
  bytes: [start: number, end: number][];
  layers: number[];
  /** [steps, layers, dims], row-major. */
  data: Float32Array;
}

export interface SpokenToken {
  step: number;
  text: string;
  byte0: number;
  byte1: number;
}

/** An utterance that was said (k = 0) or an alternative, with the states of the speaker's model. */
export interface Branch {
  k: number;
  text: string;
  finish: Spoken['finish'];
  tokens: number;
  /** 1..L */
  layers: number[];
  /** [layers, dims]: after the last published token; without one, at the prompt's last position. */
  end: Float32Array;
  /** [layers, dims]: mean over the published tokens; without one, equal to `end`. */
  mean: Float32Array;
  /** [layers, dims]: the same model hears the utterance without persona and history, at the position of a reply. */
  bystander: Float32Array;
}

/** A version of a turn in which the state at the prompt's last position is moved at one layer. */
export interface PatchAsked {
  k: number;
  /** 1..L, one of `patchLayers`. */
  layer: number;
  /** [dims]: what is added; absent where `state` is put in place. */
  delta?: Float32Array;
  /** [dims] */
  state?: Float32Array;
}

/** What was said from a moved state. */
export type Patched = Pick<Branch, 'k' | 'text' | 'finish' | 'tokens'>;

/** States where a reply would begin, after each of several versions of the last turn. */
export interface ReplyStates {
  /** 1..L */
  layers: number[];
  /** [layers, dims] each; the first is after what was really said. */
  states: Float32Array[];
}

export interface SpeakOptions {
  /** Seed of the turn, an unsigned 32-bit integer. */
  seed: number;
  maxTokens: number;
  /** If false, the token that ends the talk is not sampled. */
  mayLeave: boolean;
  /** Absent if the turn has no branches. */
  branches?: BranchesAsked | undefined;
  onState(state: TurnState): void;
  onToken(token: SpokenToken): void;
  onSteps(states: StepStates): void;
}

/** Alternatives to draw from the same prompt; they leave no trace in the dialogue. */
export interface BranchesAsked {
  /** One sampling seed for each alternative, k = 1, 2, … */
  seeds: readonly number[];
  /** Called for k = 0 and each alternative; not at all if the context is nearly full. */
  onBranch(branch: Branch): void;
  /** Said with the seed of what is said. */
  patches?: readonly PatchAsked[] | undefined;
  /** Called for each patch, after all of the others. */
  onPatched?: ((patched: Patched) => void) | undefined;
}

export interface Spoken {
  text: string;
  finish: 'stop' | 'length' | 'leave';
  tokens: number;
  /** Number of oldest turns taken out of the prompt because the context was full; the system prompt always stays. */
  droppedTurns: number;
  /** Milliseconds from the call to the first token. */
  firstTokenMs: number;
  totalMs: number;
}

/** One agent's side of one episode. Calls are carried out in order; each settles when the model has finished it. */
export interface Dialogue {
  /** The partner's words so far, which are read while the partner speaks. A preview: calls may be skipped. */
  hear(textSoFar: string, onSteps: (states: StepStates) => void): Promise<void>;
  /** The partner's finished utterance. Where it differs from what was heard before, the cache is rewound. */
  heard(text: string, onSteps: (states: StepStates) => void): Promise<void>;
  /** Reads words as if they were the next turn, and is unchanged afterwards. */
  readAside(text: string, onSteps: (states: StepStates) => void): Promise<void>;
  /** The partner spoke, but this agent did not hear it. */
  missed(): Promise<void>;
  /** Number of tokens of a reply's prompt at present. */
  promptTokens(): Promise<number>;
  /** The state in which it would take the turn now. Nothing is said, and the dialogue is unchanged afterwards. */
  turnState(): Promise<TurnState>;
  /**
   * The states in which it would take the turn now, and if the last turn had been each of `alternatives`, optionally
   * with `script` read after it. The dialogue is unchanged afterwards.
   * @returns undefined if a prompt exceeds the share of the context at which turns are dropped
   */
  replyStates(alternatives: readonly string[], script?: string): Promise<ReplyStates | undefined>;
  /** Takes the turn. */
  speak(options: SpeakOptions): Promise<Spoken>;
  /** Adds an own utterance spoken earlier, for an episode taken over from a dead agent. */
  recall(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A loaded model in its worker thread. */
export interface Model {
  info: ModelInfo;
  open(options: DialogueOptions): Promise<Dialogue>;
  /** Pauses the model before its next pass; calls meanwhile wait. */
  pause(): void;
  resume(): void;
  /** Settles with the fault if the worker dies. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}
