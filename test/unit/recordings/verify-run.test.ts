import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyRun } from '../../../src/recordings/verify-run.ts';
import { HEADER_BYTES, scanSegment } from '../../../src/journal/segment.ts';
import { openRecording } from '../../../src/journal/recording.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { READER_SEATING } from '../../../src/protocol/stream/frames.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { episodeFrame, recordedRun, turnFrame } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const CASES = 1000;

async function segmentsOf(folder: string): Promise<string[]> {
  const all: string[] = [];
  for (const stream of ['ada', 'ben'])
    for (const file of await readdir(join(folder, 'streams', stream)))
      if (file.endsWith('.seg')) all.push(join(folder, 'streams', stream, file));
  return all.sort();
}

describe('verifyRun', () => {
  it('finds a whole run sound and complete', async () => {
    const report = await verifyRun(await recordedRun());
    expect(report).toMatchObject({
      frames: 10,
      sound: true,
      complete: true,
      faults: [],
      open: [],
      gapFrames: 0,
    });
    expect(report.segments).toBeGreaterThan(2);
  });

  it('misses the frame of a reader, turn by turn of the role it reads in', async () => {
    const folder = await recordedRun();
    const started = {
      type: 'episode-started',
      episode: 'e1',
      scenario: 's1',
      order: ['ada', 'ben'],
      seed: 1,
    };
    const isOf = (condition: string): Promise<void> =>
      writeFile(join(folder, 'events.jsonl'), `${JSON.stringify({ ...started, condition, atMs: 0 })}\n`);
    await isOf('live');
    expect(await verifyRun(folder)).toMatchObject({ complete: true });
    await isOf('reader');
    const owed = [1, 3, 5, 7].map((turn) => `turn ${turn} of e1: the frame of its reader is not there`);
    expect((await verifyRun(folder)).utterances?.incomplete).toEqual(owed);
    const recording = await openRecording({ folder, log: silentLog });
    const cas = await recording.stream('cas');
    for (const [seq, turn] of [1, 3, 7].entries())
      await cas.append(1, [
        { seq, bytes: encodeMessage({ ...turnFrame(seq, turn), seating: READER_SEATING }) },
      ]);
    await recording.close();
    expect(await verifyRun(folder)).toMatchObject({
      sound: true,
      complete: false,
      utterances: { incomplete: [owed[2]] },
    });
  });

  it(`finds a flipped byte or a cut anywhere and still reads the rest, ${CASES} times`, async () => {
    const folder = await recordedRun();
    const files = await segmentsOf(folder);
    const random = seededRandom(11);
    for (let i = 0; i < CASES; i++) {
      const path = files[Math.floor(random() * files.length)] as string;
      const whole = await readFile(path);
      const at = Math.floor(random() * whole.length);
      const flip = i % 2 === 0;
      const broken = flip ? Buffer.from(whole) : whole.subarray(0, at);
      if (flip) broken[at] = (broken[at] as number) ^ (1 << Math.floor(random() * 8));
      await writeFile(path, broken);
      const report = await verifyRun(folder);
      expect({ i, at, path, sound: report.sound, complete: report.complete }).toMatchObject({
        sound: false,
        complete: false,
      });
      // One frame at most is lost to a flip, and to a cut at most the four of its segment.
      expect(report.frames).toBeGreaterThanOrEqual(flip ? 9 : 6);
      await writeFile(path, whole);
    }
    expect((await verifyRun(folder)).complete).toBe(true);
  });

  it('finds a record that was cut out in front of the seal', async () => {
    const folder = await recordedRun();
    const path = (await segmentsOf(folder)).at(-1) as string;
    const bytes = await readFile(path);
    const { records, end } = scanSegment(bytes);
    const last = records.at(-1) as { offset: number; length: number };
    const seal = bytes.subarray(last.offset + last.length, end);
    await writeFile(path, Buffer.concat([bytes.subarray(0, last.offset - HEADER_BYTES), seal]));
    expect((await verifyRun(folder)).faults).toEqual([
      expect.stringContaining('its seal names another count'),
    ]);
  });

  it('finds a segment that is gone', async () => {
    const folder = await recordedRun();
    await rm((await segmentsOf(folder))[0] as string);
    expect((await verifyRun(folder)).faults).toHaveLength(1);
    const other = await recordedRun();
    await rm((await segmentsOf(other)).at(-1) as string);
    expect((await verifyRun(other)).complete).toBe(false);
  });

  it('does not call a run complete when frames were declared lost', async () => {
    const folder = await temporaryFolder();
    const recording = await openRecording({ folder, log: silentLog });
    const stream = await recording.stream('ada');
    const messages = [
      episodeFrame(0, 0),
      { type: 'gap' as const, seq: 2, from: 1, to: 2, reason: 'trimmed' },
      turnFrame(3, 0),
    ];
    await stream.append(
      1,
      messages.map((message) => ({ seq: message.seq, bytes: encodeMessage(message) })),
    );
    await recording.close();
    const utterance = { episode: 'e1', turn: 0, agent: 'ada', text: 'x', finish: 'stop', tokens: 1 };
    const line = JSON.stringify({ ...utterance, stream: 'ada', epoch: 1, lastSeq: 3 });
    await writeFile(join(folder, 'transcript.jsonl'), `${line}\n`);
    const report = await verifyRun(folder);
    expect(report).toMatchObject({ sound: true, complete: false, gapFrames: 2 });
    expect(report.utterances?.incomplete).toEqual([
      'turn 0 of e1 (ada epoch 1 up to 3): frames 1…2 are not there',
    ]);
  });
});
