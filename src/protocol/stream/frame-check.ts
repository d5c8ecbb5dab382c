/**
 * The fields of each message of the stream as data, one check per field. Unknown fields are ignored, so that a
 * newer minor version may add some. It is written by hand, since a schema library costs more than the decoding
 * itself.
 */
import { crc32 } from 'node:zlib';
import { EntrainError } from '../errors.ts';
import {
  STEP_ROLES,
  TEXT_FEATURE_DIMS,
  type BranchFrame,
  type StepsFrame,
  type StreamMessage,
  type TurnFrame,
} from './frames.ts';
import { NAME_PATTERN } from '../subjects.ts';
import { BYTES_PER_VALUE } from './tensor.ts';
import { PROTOCOL_VERSION } from '../version.ts';

type Fields = Record<string, unknown>;
interface Check {
  expected: string;
  holds: (value: unknown) => boolean;
}

const isInt = (value: unknown, min: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min;
const isText = (value: unknown, max: number): boolean => typeof value === 'string' && value.length <= max;
const isList = (value: unknown, each: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(each);
// Lists of numbers are in every frame, so they are checked without a function call per number.
const isShape = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 3 &&
  isInt(value[0], 1) &&
  isInt(value[1], 1) &&
  isInt(value[2], 1);
const isRising = (value: unknown): boolean => {
  if (!Array.isArray(value)) return false;
  let least = 0;
  for (const number of value) {
    if (!isInt(number, least)) return false;
    least = (number as number) + 1;
  }
  return true;
};
const isRange = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && isInt(value[0], 0) && isInt(value[1], 0);
const isModel = (value: unknown): boolean => {
  const model = value as Fields | null;
  return (
    typeof model === 'object' &&
    model !== null &&
    isText(model['name'], 256) &&
    isText(model['sha256'], 128) &&
    isInt(model['layers'], 1) &&
    isInt(model['dims'], 1)
  );
};

const isPlan = (value: unknown): boolean => {
  const plan = value as Fields | null;
  return (
    typeof plan === 'object' &&
    plan !== null &&
    isInt(plan['seed'], 0) &&
    isInt(plan['minTurns'], 0) &&
    isInt(plan['groups'], 1)
  );
};

const isTalk = (value: unknown): boolean => {
  const talk = value as Fields | null;
  return (
    typeof talk === 'object' &&
    talk !== null &&
    isInt(talk['dropped'], 0) &&
    (talk['digest'] === undefined
      ? talk['cut'] === undefined
      : isInt(talk['digest'], 0) && typeof talk['cut'] === 'boolean')
  );
};

const count: Check = { expected: 'a whole number from 0', holds: (value) => isInt(value, 0) };
const countOrAbsent: Check = {
  expected: 'a whole number from 0, or no such field',
  holds: (value) => value === undefined || isInt(value, 0),
};
const positive: Check = { expected: 'a whole number from 1', holds: (value) => isInt(value, 1) };
const fromMinusOne: Check = { expected: 'a whole number from -1', holds: (value) => isInt(value, -1) };
const name: Check = {
  expected: '1 to 64 letters, digits, "-" or "_"',
  holds: (value) => typeof value === 'string' && NAME_PATTERN.test(value),
};
const text: Check = { expected: 'a string of at most 256 characters', holds: (value) => isText(value, 256) };
const grantOrAbsent: Check = {
  expected: 'a string of at most 2048 characters, or no such field',
  holds: (value) => value === undefined || isText(value, 2048),
};
const longText: Check = {
  expected: 'a string of at most 1024 characters',
  holds: (value) => isText(value, 1024),
};
const bin: Check = { expected: 'binary data', holds: (value) => value instanceof Uint8Array };
const nanoseconds: Check = {
  expected: 'a whole number of nanoseconds',
  holds: (value) => typeof value === 'bigint' || Number.isInteger(value),
};
const shape: Check = { expected: 'three whole numbers from 1', holds: isShape };
const layers: Check = { expected: 'layer numbers in rising order', holds: isRising };
const dtype: Check = { expected: '"f16" or "f32"', holds: (value) => value === 'f16' || value === 'f32' };
const role: Check = {
  expected: `one of ${STEP_ROLES.join(', ')}`,
  holds: (value) => (STEP_ROLES as readonly unknown[]).includes(value),
};
const nameOrAbsent: Check = {
  expected: `${name.expected}, or no such field`,
  holds: (value) => value === undefined || name.holds(value),
};
const sizeOrAbsent: Check = {
  expected: 'a finite number, or no such field',
  holds: (value) => value === undefined || Number.isFinite(value),
};
const floatsOrAbsent: Check = {
  expected: 'float32 values, or none',
  holds: (value) =>
    value === undefined || (value instanceof Uint8Array && value.length > 0 && value.length % 4 === 0),
};
const ranges: Check = { expected: 'pairs of byte offsets', holds: (value) => isList(value, isRange) };
const texts: Check = {
  expected: 'a list of strings',
  holds: (value) => isList(value, (item) => isText(item, 256)),
};
const models: Check = {
  expected: 'a list of {name, sha256, layers, dims}',
  holds: (value) => isList(value, isModel),
};

const planOrAbsent: Check = {
  expected: '{seed, minTurns, groups}, or no such field',
  holds: (value) => value === undefined || isPlan(value),
};

const talkOrAbsent: Check = {
  expected: '{dropped} or {dropped, digest, cut}, or no such field',
  holds: (value) => value === undefined || isTalk(value),
};

const tensor = { layers, shape, dtype, tNs: nanoseconds, crc32: count, data: bin };

const CHECKS: Record<StreamMessage['type'], Record<string, Check>> = {
  hello: {
    id: countOrAbsent,
    run: name,
    stream: name,
    epoch: positive,
    firstSeq: count,
    lastSeq: fromMinusOne,
  },
  opening: { hello: count },
  welcome: { hello: count, lastEpoch: count, durableSeq: fromMinusOne, credits: count },
  ack: { durableSeq: fromMinusOne, credits: count },
  resend: { from: count, to: count },
  gap: { seq: count, from: count, to: count, reason: text },
  episode: {
    seq: count,
    run: name,
    episode: name,
    scenario: text,
    pair: longText,
    condition: text,
    seed: count,
    order: texts,
    role: count,
    models,
    grant: grantOrAbsent,
    plan: planOrAbsent,
  },
  turn: {
    seq: count,
    episode: name,
    turn: count,
    seating: countOrAbsent,
    ...tensor,
    text: bin,
    words: bin,
    sentence: floatsOrAbsent,
    reader: floatsOrAbsent,
    talk: talkOrAbsent,
  },
  steps: { seq: count, episode: name, turn: count, step0: count, role, bytes: ranges, ...tensor },
  branch: {
    seq: count,
    run: name,
    episode: name,
    turn: count,
    kind: name,
    k: count,
    state: name,
    layer: countOrAbsent,
    donor: nameOrAbsent,
    size: sizeOrAbsent,
    seating: countOrAbsent,
    ...tensor,
    text: floatsOrAbsent,
  },
  clock: { id: count, sentNs: nanoseconds },
  'clock-reply': { id: count, sentNs: nanoseconds, receivedNs: nanoseconds, repliedNs: nanoseconds },
  bye: { reason: text },
};

const CHECK_LISTS = new Map(Object.entries(CHECKS).map(([type, checks]) => [type, Object.entries(checks)]));

/** @throws EntrainError `FRAME_INVALID`, `FRAME_CHECKSUM`, `VERSION_MISMATCH` */
export function checkMessage(value: unknown): StreamMessage {
  const fields = value as Fields;
  const type = fields['type'];
  const checks = typeof type === 'string' ? CHECK_LISTS.get(type) : undefined;
  if (!checks)
    throw new EntrainError('FRAME_INVALID', 'The message has no known "type"; expected one of the protocol.');
  if (type === 'hello') checkVersion(fields['version']);
  const message = value as StreamMessage;
  for (const [field, check] of checks)
    if (!check.holds(fields[field])) fault(message.type, field, check.expected);
  if (message.type === 'turn') checkTurn(message);
  if (message.type === 'steps') checkSteps(message);
  if (message.type === 'branch') checkBranch(message);
  if (message.type === 'gap' && (message.from > message.to || message.to !== message.seq))
    fault('gap', 'to', 'a number not below its start and equal to seq');
  return message;
}

function checkVersion(version: unknown): void {
  const major: unknown = Array.isArray(version) ? version[0] : undefined;
  if (!isList(version, (n) => isInt(n, 0))) fault('hello', 'version', '[major, minor]');
  if (major !== PROTOCOL_VERSION.major)
    throw new EntrainError(
      'VERSION_MISMATCH',
      `The peer speaks version ${String(major)} of the stream protocol; this program speaks version ${PROTOCOL_VERSION.major}. Use the same release on both sides.`,
    );
}

function checkTurn(frame: TurnFrame): void {
  if (frame.shape[0] !== 1) fault('turn', 'shape', '[1, layers, dims]');
  checkTensor(frame);
  if (frame.text.length !== TEXT_FEATURE_DIMS * 4)
    fault('turn', 'text', `${TEXT_FEATURE_DIMS} float32 values`);
  if (frame.words.length !== frame.shape[2] * 4) fault('turn', 'words', 'one float32 value per dimension');
  if (frame.reader && frame.reader.length !== frame.shape[1] * frame.shape[2] * 4)
    fault('turn', 'reader', 'layers × dims float32 values, or no such field');
}

function checkBranch(frame: BranchFrame): void {
  if (frame.shape[0] !== 1) fault('branch', 'shape', '[1, layers, dims]');
  checkTensor(frame);
  if (frame.text && frame.text.length !== TEXT_FEATURE_DIMS * 4)
    fault('branch', 'text', `${TEXT_FEATURE_DIMS} float32 values, or no such field`);
}

function checkSteps(frame: StepsFrame): void {
  if (frame.bytes.length !== frame.shape[0]) fault('steps', 'bytes', 'one pair per step of the shape');
  checkTensor(frame);
}

function checkTensor(frame: TurnFrame | StepsFrame | BranchFrame): void {
  const [steps, layerCount, dims] = frame.shape;
  if (frame.layers.length !== layerCount) fault(frame.type, 'layers', 'as many layers as the shape says');
  if (frame.data.length !== steps * layerCount * dims * BYTES_PER_VALUE[frame.dtype])
    fault(frame.type, 'data', 'as many bytes as shape × dtype');
  if (crc32(frame.data) !== frame.crc32)
    throw new EntrainError(
      'FRAME_CHECKSUM',
      `The checksum of ${frame.type} frame ${frame.seq} does not match its ${frame.data.length} bytes; it was damaged after it was made.`,
    );
}

function fault(type: string, field: string, expected: string): never {
  throw new EntrainError(
    'FRAME_INVALID',
    `The field "${field}" of a ${type} message is missing or wrong; expected ${expected}.`,
  );
}
