/** Messages between the main thread and the model's worker. Arrays of states are transferred, never copied. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Gate } from './pause-gate.ts';
import type {
  Branch,
  DialogueOptions,
  ModelInfo,
  ModelOptions,
  PatchAsked,
  Patched,
  ReplyStates,
  SpeakOptions,
  Spoken,
  SpokenToken,
  StepStates,
  TurnState,
} from '../types.ts';

/** Data with which the worker is started. */
export interface WorkerInput {
  options: ModelOptions;
  gate: Gate;
}

/** `speak` without its callbacks. */
export type SpeakOrder = Pick<SpeakOptions, 'seed' | 'maxTokens' | 'mayLeave'> & {
  /** Seeds of the alternatives. */
  seeds: readonly number[];
  patches: readonly PatchAsked[];
};

export type Order =
  | { type: 'open'; options: DialogueOptions }
  | { type: 'hear'; text: string }
  | { type: 'heard'; text: string }
  | { type: 'aside'; text: string }
  | { type: 'missed' }
  | { type: 'count' }
  | { type: 'state' }
  | { type: 'replies'; alternatives: readonly string[]; script?: string | undefined }
  | { type: 'speak'; options: SpeakOrder }
  | { type: 'recall'; text: string }
  | { type: 'close' };

/**
 * A call of one dialogue, with its number. It is answered once, after any number of events, which are sent in
 * bundles.
 */
export interface Call {
  call: number;
  dialogue: number;
  order: Order;
}

export type CallEvent =
  | { type: 'state'; state: TurnState }
  | { type: 'count'; tokens: number }
  | { type: 'token'; token: SpokenToken }
  | { type: 'steps'; states: StepStates }
  | { type: 'branch'; branch: Branch }
  | { type: 'patched'; patched: Patched }
  | { type: 'replies'; replies: ReplyStates | undefined };

export interface Fault {
  code: ErrorCode | undefined;
  message: string;
}

export type FromWorker =
  | { type: 'ready'; info: ModelInfo }
  | { type: 'refused'; fault: Fault }
  | { type: 'events'; call: number; events: CallEvent[] }
  | { type: 'done'; call: number; spoken: Spoken | undefined }
  | { type: 'failed'; call: number; fault: Fault };
