/**
 * The catalogue of errors. A code is stable and documented in `docs/errors.md`. A message is one sentence that
 * says what was wrong, what was expected and what to do.
 */
export const ERROR_CODES = {
  USAGE: 'A command, flag or value on the command line is unknown or malformed.',
  CONFIG_INVALID: 'A setting from the environment or a file is missing or malformed.',
  STUDY_INVALID: 'A study file is missing, is neither JSON nor YAML, or does not follow the schema.',
  FILE_UNUSABLE: 'A file or folder cannot be read, made or written.',
  MACHINE_EXHAUSTED: 'The machine has no room, inodes, open files, processes or memory left.',
  PORT_IN_USE: 'The address a program should listen on is taken.',
  NATS_MISSING: 'No nats-server could be found or installed.',
  NATS_UNREACHABLE: 'The NATS server cannot be reached or refused the credentials.',
  NATS_NO_JETSTREAM: 'JetStream is switched off on the NATS server.',
  NATS_FULL: 'The NATS server has no room to store a message.',
  RUN_FORBIDDEN: 'The NATS server does not let a program into the run.',
  RUN_TAKEN:
    'The name of a run stands for another study, seed or model already, or for a run that is finished.',
  RUN_RUNNING: 'Another program has the run at this moment.',
  RUN_UNKNOWN: 'The service has no run of that name, or none that the caller may see.',
  AGENT_TAKEN: 'The name of an agent that wants to join stands for another one already.',
  AGENT_UNKNOWN: 'The service has never seen an agent of that name.',
  SERVICE_UNTRUSTED: 'What answers as the service is not the one that a token names.',
  SERVICE_MISSING: 'No resident coordinator answers.',
  NOT_ALLOWED: 'The caller has no right to what it asked the service for.',
  QUOTA_REACHED: 'A submitter has as many runs that are not over as one may have.',
  LEASE_LOST: 'Another coordinator leads the runs now.',
  CHILD_FAILED: 'A program started by the supervisor ended before its work was done.',
  SCORES_LATE: 'The analyzer has not scored all that was recorded, and nothing new came for a long time.',
  AGENTS_MISSING: 'The agents that a study names did not appear in time.',
  AGENT_LOST: 'An agent stopped answering while it had an episode.',
  ANALYZER_MISSING: 'No analyzer announced itself in time.',
  ANALYZER_UNTRUSTED: 'What answers as the analyzer shows another certificate than the coordinator named.',
  MESSAGE_INVALID: 'A message on NATS does not follow its schema.',
  FRAME_INVALID: 'A message on the activation stream is not a valid frame.',
  FRAME_TOO_LARGE: 'A message on the activation stream exceeds the size limit.',
  FRAME_CHECKSUM: 'The checksum of a frame does not match its bytes.',
  VERSION_MISMATCH: 'The peer speaks another major version of the protocol.',
  TOKEN_INVALID: 'An access token is missing, malformed, expired or not meant for this stream.',
  ROLE_MISSING: 'A frame belongs to an episode in which its agent has no such role.',
  STUDY_TOO_LARGE: 'A study may take more room than the analyzer has for it.',
  JOURNAL_CORRUPT: 'A segment of a spool or recording is damaged.',
  JOURNAL_FULL: 'A spool or recording has no room left.',
  MODEL_MISSING: 'A model folder or one of its files does not exist.',
  MODEL_UNSUPPORTED: 'The model cannot be run by this program.',
  MODEL_CORRUPT: 'A file of the model is truncated or damaged.',
  MODEL_UNSAFE: 'A file of the model points outside its own folder.',
  PROVIDER_UNAVAILABLE: 'The execution provider asked for is not available on this machine.',
  CONTEXT_OVERFLOW: 'A prompt does not fit into the context of the model.',
  TENSOR_TOO_LARGE: 'A tensor of the model does not fit into memory.',
  VOCABULARY_MISMATCH: 'The tokenizer and the model do not have the same tokens.',
  STATE_NOT_FINITE: 'A hidden state holds NaN or infinity.',
  MEASURE_UNKNOWN: 'There is no measure of that name.',
  MEASURE_INPUT: 'The arrays given to a measure do not fit each other or the measure.',
  RECORDING_INCOMPLETE: 'A run has ended, but frames of it wait in the spools of its agents.',
  TELEMETRY_ON: 'ONNX Runtime would be loaded with its reports to its maker on.',
  OUTCOMES_INVALID: 'A file of outcomes is missing, is no CSV, or does not fit the run.',
  RUN_INVALID: 'A run folder is missing or incomplete.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error that a user can act on: a stable `code`, one sentence, and the original error as `cause`. */
export class EntrainError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EntrainError';
    this.code = code;
  }
}
