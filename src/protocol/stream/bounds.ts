/**
 * Limits on what a well-formed message of the stream may demand of its receiver. Checked for messages that
 * arrive over the network; recordings, also those of protocol 1, are read without these limits.
 */
import { EntrainError } from '../errors.ts';
import { NAME_PATTERN } from '../subjects.ts';
import { MAX_AGENTS, MAX_ALTERNATIVES } from '../study.ts';
import { areFinite } from './finite.ts';
import type { BranchFrame, DType, EpisodeFrame, StepsFrame, StreamMessage, TurnFrame } from './frames.ts';

/** Epochs and sequence numbers are part of file names. The limit is far beyond milliseconds since 1970. */
export const MAX_NUMBER = 2 ** 48;
export const MAX_TURNS = 10_000;
export const MAX_LAYERS = 1024;
export const MAX_DIMS = 65_536;
/** Eight names and their separators. */
const MAX_PAIR_CHARS = 1024;
const MAX_CONDITION_CHARS = 64;

/** @throws EntrainError `FRAME_INVALID` */
export function checkBounds(message: StreamMessage): void {
  switch (message.type) {
    case 'hello':
      below(message, 'epoch', { value: message.epoch, most: MAX_NUMBER });
      return below(message, 'lastSeq', {
        value: Math.max(message.firstSeq, message.lastSeq),
        most: MAX_NUMBER,
      });
    case 'gap':
      return below(message, 'seq', { value: message.seq, most: MAX_NUMBER });
    case 'episode':
      return checkEpisode(message);
    case 'turn':
      return checkTurn(message);
    case 'steps':
      return checkStates(message);
    case 'branch':
      below(message, 'k', { value: message.k, most: MAX_ALTERNATIVES });
      checkFinite(message, 'text', 'f32');
      return checkStates(message);
    case 'opening':
    case 'welcome':
    case 'ack':
    case 'resend':
    case 'clock':
    case 'clock-reply':
    case 'bye':
  }
}

/** Whether a recorded frame would be accepted from the network today. */
export function isWithinBounds(message: StreamMessage): boolean {
  try {
    checkBounds(message);
    return true;
  } catch (error) {
    if (error instanceof EntrainError) return false;
    throw error;
  }
}

function checkEpisode(frame: EpisodeFrame): void {
  const { seq, order, models, role, pair, condition, plan } = frame;
  below(frame, 'seq', { value: seq, most: MAX_NUMBER });
  if (order.length < 2 || order.length > MAX_AGENTS) refuse(frame, 'order', `2 to ${MAX_AGENTS} agents`);
  if (!order.every((agent) => NAME_PATTERN.test(agent)))
    refuse(frame, 'order', 'names of 1 to 64 letters, digits, "-" or "_"');
  if (models.length !== order.length) refuse(frame, 'models', 'as many models as agents');
  if (role >= order.length) refuse(frame, 'role', 'an index in "order"');
  if (pair.length > MAX_PAIR_CHARS) refuse(frame, 'pair', `at most ${MAX_PAIR_CHARS} characters`);
  if (condition.length > MAX_CONDITION_CHARS)
    refuse(frame, 'condition', `at most ${MAX_CONDITION_CHARS} characters`);
  // Every score counts through these turns.
  if (plan && plan.minTurns > MAX_TURNS) refuse(frame, 'plan', `at most ${MAX_TURNS} turns`);
  for (const { layers, dims } of models)
    if (layers > MAX_LAYERS || dims > MAX_DIMS)
      refuse(frame, 'models', `at most ${MAX_LAYERS} layers and ${MAX_DIMS} dimensions`);
}

function checkTurn(frame: TurnFrame): void {
  checkStates(frame);
  const { sentence } = frame;
  if (sentence && sentence.length > MAX_DIMS * 4) refuse(frame, 'sentence', `at most ${MAX_DIMS} values`);
  for (const field of ['text', 'words', 'sentence', 'reader'] as const) checkFinite(frame, field, 'f32');
}

/** One value that is not finite takes the score of a whole group away. */
function checkFinite<T extends StreamMessage>(frame: T, field: keyof T & string, dtype: DType): void {
  const bytes = frame[field];
  if (bytes instanceof Uint8Array && !areFinite(bytes, dtype)) refuse(frame, field, 'finite values');
}

function checkStates(frame: TurnFrame | StepsFrame | BranchFrame): void {
  below(frame, 'seq', { value: frame.seq, most: MAX_NUMBER });
  below(frame, 'turn', { value: frame.turn, most: MAX_TURNS });
  checkFinite(frame, 'data', frame.dtype);
}

function below(
  message: StreamMessage,
  field: string,
  { value, most }: { value: number; most: number },
): void {
  if (value > most) refuse(message, field, `at most ${most}`);
}

function refuse({ type }: StreamMessage, field: string, expected: string): never {
  throw new EntrainError(
    'FRAME_INVALID',
    `The field "${field}" of a ${type} message is out of bounds; expected ${expected}.`,
  );
}
