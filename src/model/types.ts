/** What a model is to the rest of an agent: it hears, it speaks, and its hidden states can be read while it does. */
import type { AgentSpec } from '../protocol/control.ts';
import type { StepRole } from '../protocol/stream/frames.ts';
import type { PROVIDERS } from '../process/flags.ts';
import type { GraphChoice } from './folder/find-graph.ts';

export type Provider = (typeof PROVIDERS)[number];

export interface ModelOptions {
  /** A folder as found on the hub. */
  folder: string;
  /** Which of its graphs; left out: the first of those that are usual. */
  graph?: GraphChoice;
  provider: Provider;
  /** `cuda` and `dml` alone can be told. */
  deviceId?: number;
  threads: number;
  /** Where hashes of models are remembered. */
  cacheFolder: string;
  /** Use external weights as they lie in their file, so that agents on one machine share them; prefill takes longer. */
  shareWeights?: boolean;
  /** Folder of a sentence encoder for the text features. */
  sentenceEncoder?: string;
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
  /** What its owner should know of it, one sentence each. */
  notices: string[];
  /** How many dialogues a pass may take without a bit of difference to any of them. */
  rowsPerPass: number;
}

export interface DialogueOptions {
  id: string;
  /** System prompt: scenario, persona, goal, secret. */
  system: string;
  sampling: AgentSpec['sampling'];
  /** Which layers of which steps are wanted; null: none. Layer 0 is what enters the first block. */
  steps: AgentSpec['steps'];
  /**
   * What the chat template takes for now, ms since 1970: the instant of the run. Left out: the same fixed day for all.
   */
  atMs?: number | undefined;
}

/** The state that produces the first token of a reply. */
export interface TurnState {
  /** 1..L */
  layers: number[];
  /** [layers, dims], row-major. */
  data: Float32Array;
  /** [dims]: mean embedding (layer 0) of the prompt's tokens. */
  words: Float32Array;
  /** The plain words of the prompt, without template tokens, for the text features. */
  promptText: string;
  /** [dims]: what a sentence encoder makes of these words; empty where the agent has none. */
  sentence: Float32Array;
  /** Oldest turns that the prompt no longer holds because the context was full. */
  droppedTurns: number;
}

/** States of consecutive tokens of an utterance. */
export interface StepStates {
  /** `think`: a token of the speaker's own thoughts, which are no part of the utterance and have no bytes in it. */
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

/** An utterance that was said (k = 0) or might have been, with what the speaker's model held at it. */
export interface Branch {
  k: number;
  text: string;
  finish: Spoken['finish'];
  tokens: number;
  /** 1..L */
  layers: number[];
  /** [layers, dims]: after the last published token; at the prompt's last position where there is none. */
  end: Float32Array;
  /** [layers, dims]: mean over the published tokens; as `end` where there is none. */
  mean: Float32Array;
  /** [layers, dims]: the same model hears the utterance without persona and history, at the position of a reply. */
  bystander: Float32Array;
}

/** Where a reply would begin, after each of several versions of the last turn. */
export interface ReplyStates {
  /** 1..L */
  layers: number[];
  /** [layers, dims] each; the first after what was really said. */
  states: Float32Array[];
}

export interface SpeakOptions {
  /** Seed of the turn, an unsigned 32-bit integer. */
  seed: number;
  maxTokens: number;
  /** False: the token that ends the talk is not sampled. */
  mayLeave: boolean;
  /** Absent: the turn has no branches. */
  branches?: BranchesAsked | undefined;
  onState(state: TurnState): void;
  onToken(token: SpokenToken): void;
  onSteps(states: StepStates): void;
}

/** What might be said besides, from the same prompt; it leaves no trace in the dialogue. */
export interface BranchesAsked {
  /** A sampling seed for each alternative, k = 1 … */
  seeds: readonly number[];
  /** For k = 0 and each alternative; not at all where the context is nearly full. */
  onBranch(branch: Branch): void;
}

export interface Spoken {
  text: string;
  finish: 'stop' | 'length' | 'leave';
  tokens: number;
  /** Oldest turns taken out of the prompt for this turn because the context was full; the system prompt always stays. */
  droppedTurns: number;
  /** From the call to the first token. */
  firstTokenMs: number;
  totalMs: number;
}

/** One agent's side of one episode. Calls are carried out in order; each settles when the model is done with it. */
export interface Dialogue {
  /** The partner's words so far (growing); computed ahead while the partner speaks. A preview: may be skipped. */
  hear(textSoFar: string, onSteps: (states: StepStates) => void): Promise<void>;
  /** The partner's finished utterance. What was heard before is rewound where it disagrees. */
  heard(text: string, onSteps: (states: StepStates) => void): Promise<void>;
  /** The partner spoke, but this agent did not hear it. */
  missed(): Promise<void>;
  /** How many tokens the prompt of a reply takes now. */
  promptTokens(): Promise<number>;
  /** The state in which it would take the turn now. Nothing is said, and what comes after is as if it had not been asked. */
  turnState(): Promise<TurnState>;
  /**
   * The states in which it would take the turn now, and had the last turn been each of `alternatives`; with `script` read
   * behind it. What comes after is as if it had not been asked.
   * @returns undefined where a prompt passes the share of the context at which turns are dropped
   */
  replyStates(alternatives: readonly string[], script?: string): Promise<ReplyStates | undefined>;
  /** Takes the turn. */
  speak(options: SpeakOptions): Promise<Spoken>;
  /** An own utterance spoken earlier (an episode taken over from a dead agent). */
  recall(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A loaded model in its worker thread. */
export interface Model {
  info: ModelInfo;
  open(options: DialogueOptions): Promise<Dialogue>;
  /** Holds the model before its next pass, speaking or listening; what is asked of it meanwhile waits. */
  pause(): void;
  resume(): void;
  /** Settles with the fault if the worker dies. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}
