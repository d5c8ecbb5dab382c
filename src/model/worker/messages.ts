/** What the main thread and the model's worker tell each other. Arrays of states travel by transfer, never by copy. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Gate } from './pause-gate.ts';
import type {
  Branch,
  DialogueOptions,
  ModelInfo,
  ModelOptions,
  ReplyStates,
  SpeakOptions,
  Spoken,
  SpokenToken,
  StepStates,
  TurnState,
} from '../types.ts';

/** What the worker is started with. */
export interface WorkerInput {
  options: ModelOptions;
  gate: Gate;
}

/** `speak`, less its callbacks. */
export type SpeakOrder = Pick<SpeakOptions, 'seed' | 'maxTokens' | 'mayLeave'> & {
  /** Of alternatives. */
  seeds: readonly number[];
};

export type Order =
  | { type: 'open'; options: DialogueOptions }
  | { type: 'hear'; text: string }
  | { type: 'heard'; text: string }
  | { type: 'missed' }
  | { type: 'count' }
  | { type: 'state' }
  | { type: 'replies'; alternatives: readonly string[]; script?: string | undefined }
  | { type: 'speak'; options: SpeakOrder }
  | { type: 'recall'; text: string }
  | { type: 'close' };

/** Orders of one dialogue carry its number; a call is answered once, after any number of events, which come in bundles. */
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
