/** A sealed recording in which one byte is flipped or one file is cut: it must be found, and the rest must be readable. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { verifyRun } from '../../src/analyzer/recorded/verify-run.ts';
import { readRecording } from '../../src/journal/read-recording.ts';
import { openRecording } from '../../src/journal/recording.ts';
import { encodeMessage } from '../../src/protocol/codec.ts';
import type { DataMessage } from '../../src/protocol/frames.ts';
import { packTensor } from '../../src/protocol/tensor.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'recording damaged';
const STREAMS = ['ada', 'ben'];
const FRAMES = 12;
const SEGMENT_BYTES = 1200;

interface Damage {
  file: string;
  bytes: Buffer;
  /** Bytes of the file that are not as they were; a cut goes to the end. */
  from: number;
  to: number;
}

/** A frame's place and content. */
interface Stood {
  key: string;
  file: string;
  from: number;
  to: number;
  hash: string;
}

/** `times` recordings with one damage each. */
export async function damageRecordings({ times, random }: ScenarioOptions): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-chaos-'));
  try {
    await record(folder);
    const whole = await readFrames(folder);
    const counts = { flips: 0, cuts: 0, unseen: 0, unreadable: 0, changed: 0 };
    for (let i = 0; i < times; i++) await tryOne(folder, { whole, counts, random });
    const failures = (['unseen', 'unreadable', 'changed'] as const)
      .filter((what) => counts[what] > 0)
      .map((what) => `${NAME}: ${counts[what]} ${what}`);
    if (!(await verifyRun(folder)).sound) failures.push(`${NAME}: the undamaged recording is not sound`);
    const figures = `${counts.flips} bytes flipped, ${counts.cuts} files cut: ${counts.unseen} unseen; of the ${whole.length} frames of a recording ${counts.unreadable} unreadable that were not hit, ${counts.changed} read otherwise than written`;
    return { name: NAME, figures, failures };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tryOne(
  folder: string,
  of: { whole: Stood[]; counts: Record<string, number>; random: () => number },
): Promise<void> {
  const { whole, counts, random } = of;
  const damage = await damageOne(folder, random);
  counts[damage.to === Infinity ? 'cuts' : 'flips']! += 1;
  const { sound } = await verifyRun(folder);
  if (sound) counts['unseen']! += 1;
  const found = new Map((await readFrames(folder)).map((frame) => [frame.key, frame.hash]));
  for (const { key, file, from, to, hash } of whole) {
    const hit = file === damage.file && from < damage.to && to > damage.from;
    const now = found.get(key);
    if (now === undefined && !hit) counts['unreadable']! += 1;
    if (now !== undefined && now !== hash) counts['changed']! += 1;
  }
  await writeFile(join(folder, damage.file), damage.bytes);
}

async function damageOne(folder: string, random: () => number): Promise<Damage> {
  const stream = join('streams', pick(STREAMS, random));
  const files = (await readdir(join(folder, stream))).filter((name) => name.endsWith('.seg'));
  const file = join(stream, pick(files, random));
  const bytes = await readFile(join(folder, file));
  const from = Math.floor(random() * bytes.length);
  if (random() < 0.3) {
    await writeFile(join(folder, file), bytes.subarray(0, from));
    return { file, bytes, from, to: Infinity };
  }
  const bent = Buffer.from(bytes);
  bent[from]! ^= 1 + Math.floor(random() * 255);
  await writeFile(join(folder, file), bent);
  return { file, bytes, from, to: from + 1 };
}

async function record(folder: string): Promise<void> {
  const log = pino({ level: 'silent' });
  const recording = await openRecording({ folder, log, segmentBytes: SEGMENT_BYTES });
  for (const name of STREAMS) {
    const stream = await recording.stream(name);
    for (let seq = 0; seq < FRAMES; seq++)
      await stream.append(1, [{ seq, bytes: encodeMessage(steps(seq)) }]);
  }
  await recording.close();
}

function steps(seq: number): DataMessage {
  const values = Float32Array.from({ length: 32 }, (_, i) => Math.sin(seq * 32 + i));
  return {
    type: 'steps',
    seq,
    episode: 'e1',
    turn: seq,
    step0: 0,
    role: 'speak',
    bytes: [[0, 1]],
    layers: [1],
    shape: [1, 1, values.length],
    tNs: seq,
    ...packTensor(values, 'f16'),
  };
}

/** What can be read, and where it stands with its header. */
async function readFrames(folder: string): Promise<Stood[]> {
  const HEADER_BYTES = 8;
  const frames: Stood[] = [];
  for await (const { stream, message, at } of readRecording(folder)) {
    if (message.type !== 'steps') continue;
    const hash = createHash('sha256').update(encodeMessage(message)).digest('hex');
    const place = { file: at.file, from: at.offset - HEADER_BYTES, to: at.offset + at.length };
    frames.push({ key: `${stream} ${message.seq}`, ...place, hash });
  }
  return frames;
}

const pick = <T>(list: readonly T[], random: () => number): T =>
  list[Math.floor(random() * list.length)] as T;
