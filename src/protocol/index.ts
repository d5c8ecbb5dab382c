/**
 * The contract between the programs: the package entry `entrain/protocol`, with the messages on NATS and on the
 * activation stream, and the study file.
 */
export { EntrainError, ERROR_CODES, type ErrorCode } from './errors.ts';
export { PROTOCOL_VERSION } from './version.ts';
export { NAME_PATTERN, names, subjects } from './subjects.ts';
export { agentsOf, studySchema, type Condition, type Scenario, type Study } from './study.ts';
export {
  agentSpecSchema,
  assignmentSchema,
  eventSchema,
  parseMessage,
  tokenSchema,
  utteranceSchema,
  type AgentSpec,
  type Assignment,
  type RunEvent,
  type Token,
  type Utterance,
} from './nats-messages.ts';
export type { GroupReport, PairReport, ScoreReport } from './reports/score-report.ts';
export type { StateReport, StreamReport } from './reports/state-report.ts';
export { decodeMessage, encodeMessage, MAX_MESSAGE_BYTES } from './stream/codec.ts';
export { packTensor, unpackTensor, type PackedTensor } from './stream/tensor.ts';
export {
  TEXT_FEATURE_DIMS,
  type Ack,
  type Bye,
  type DataMessage,
  type EpisodeFrame,
  type Gap,
  type Hello,
  type StepsFrame,
  type StreamMessage,
  type TurnFrame,
  type Welcome,
} from './stream/frames.ts';
