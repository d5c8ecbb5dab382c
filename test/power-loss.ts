/** One life of a recording on a disk that forgets: appends, crashes, starts again; says which acknowledged frames are gone. */
import { decodeMessage, encodeMessage } from '../src/protocol/codec.ts';
import { scanSegment, segmentNames } from '../src/journal/segment.ts';
import { openStreamRecording, type StreamRecording } from '../src/journal/stream-recording.ts';
import { seededRandom } from '../bench/chaos/seeded-random.ts';
import { createForgetfulDisk, type ForgetfulDisk } from './forgetful-disk.ts';
import { silentLog } from './stream-fixture.ts';

export interface PowerLossResult {
  acknowledged: number;
  lost: number;
  doubled: number;
  /** Stretches of the recovered files that are no records. */
  damages: number;
}

const FOLDER = 'streams/ada';

export async function losePower(
  seed: number,
  options: { syncIsLie?: boolean } = {},
): Promise<PowerLossResult> {
  const random = seededRandom(seed);
  let disk = createForgetfulDisk({ random, ...options });
  let acked = -1;
  for (let crash = 0; crash < 4; crash++) {
    const recording = await open(disk);
    const durable = recording.durableSeq(1);
    if (durable < acked) break;
    acked = Math.max(acked, await appendUntilCrash({ recording, random, next: durable + 1 }));
    disk = disk.crash();
  }
  await open(disk);
  const found = recordedSeqs(disk);
  const lost = Array.from({ length: acked + 1 }, (_, seq) => seq).filter((seq) => !found.has(seq)).length;
  const doubled = [...found.values()].filter((times) => times > 1).length;
  return { acknowledged: acked + 1, lost, doubled, damages: countDamages(disk) };
}

function open(disk: ForgetfulDisk): Promise<StreamRecording> {
  return openStreamRecording({
    disk,
    folder: FOLDER,
    segmentBytes: 400,
    log: silentLog,
    reserve: () => undefined,
    onFault: () => undefined,
  });
}

/** The last number that was acknowledged before the crash. */
async function appendUntilCrash(life: {
  recording: StreamRecording;
  random: () => number;
  next: number;
}): Promise<number> {
  const { recording, random } = life;
  let acked = -1;
  let { next } = life;
  for (let batch = Math.floor(random() * 8); batch >= 0; batch--) {
    const frames = Array.from({ length: 1 + Math.floor(random() * 4) }, () => frame(next++));
    const done = recording.append(1, frames).then(() => (acked = frames.at(-1)?.seq ?? -1));
    // The last batch is cut off somewhere on its way.
    if (batch > 0) await done;
    else await Promise.race([done, ticks(Math.floor(random() * 6))]);
  }
  return acked;
}

async function ticks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}

function frame(seq: number): { seq: number; bytes: Uint8Array } {
  return {
    seq,
    bytes: encodeMessage({ type: 'gap', seq, from: seq, to: seq, reason: 'x'.repeat(seq % 50) }),
  };
}

function recordedSeqs(disk: ForgetfulDisk): Map<number, number> {
  const found = new Map<number, number>();
  for (const { file } of segmentNames(disk.list(FOLDER))) {
    const bytes = disk.read(`${FOLDER}/${file}`);
    for (const { offset, length } of scanSegment(bytes).records) {
      const seq = seqOf(bytes.subarray(offset, offset + length));
      found.set(seq, (found.get(seq) ?? 0) + 1);
    }
  }
  return found;
}

function countDamages(disk: ForgetfulDisk): number {
  const scans = segmentNames(disk.list(FOLDER)).map(({ file }) =>
    scanSegment(disk.read(`${FOLDER}/${file}`)),
  );
  return scans.reduce((sum, { damages, sealHolds }) => sum + damages.length + (sealHolds ? 0 : 1), 0);
}

function seqOf(bytes: Uint8Array): number {
  const message = decodeMessage(bytes);
  return 'seq' in message ? message.seq : -1;
}
