import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyRun } from '../../../src/recordings/verify-run.ts';
import { HEADER_BYTES, scanSegment } from '../../../src/journal/segment-format.ts';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { digestOf } from '../../../src/protocol/stream/talk-digest.ts';
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

/** What verify finds missing in a run one of whose files was changed. */
async function lackingAfter(file: string, change: (text: string) => string | undefined): Promise<string[]> {
  const folder = await recordedRun();
  const path = join(folder, file);
  const text = change(await readFile(path, 'utf8'));
  if (text === undefined) await rm(path);
  else await writeFile(path, text);
  const { lacking, complete } = await verifyRun(folder);
  expect(complete).toBe(false);
  return lacking;
}

const withoutLine = (number: number) => (text: string) =>
  text
    .split('\n')
    .filter((_, at) => at !== number - 1)
    .join('\n');

describe('verifyRun, comparing the folder with its plan and transcript', () => {
  it.each([
    ['run.json', () => undefined, 'run.json is not there: what was planned is not known'],
    ['run.json', () => '{', 'run.json cannot be read: what was planned is not known'],
    ['run.json', () => '', 'run.json cannot be read: what was planned is not known'],
    [
      'run.json',
      (text: string) => text.replaceAll('run-1', 'run-2'),
      'run.json is of the run run-2, the events are of run-1',
    ],
    ['events.jsonl', () => undefined, 'events.jsonl is not there'],
    ['events.jsonl', () => '', 'the events do not say that the run was started'],
    ['events.jsonl', (text: string) => text.slice(0, -20), 'events.jsonl: line 4 is no event of a run'],
    ['events.jsonl', withoutLine(4), 'the run has not ended: 1 of 1 episodes are finished'],
    [
      'events.jsonl',
      (text: string) => text.replace('"episodes":1', '"episodes":9'),
      'the events finish 1 episodes, of 9 planned and 1 at the end of the run',
    ],
    ['events.jsonl', withoutLine(3), 'the events of the episodes have 0 turns, the end of the run has 8'],
    ['transcript.jsonl', withoutLine(2), 'turn 2 of e1 is not in the transcript'],
    [
      'transcript.jsonl',
      (text: string) => text.split('\n')[0] + '\n',
      'turn 7 of e1 is not in the transcript',
    ],
    ['transcript.jsonl', () => '', 'turn 0 of e1 is not in the transcript'],
    ['transcript.jsonl', (text: string) => text.slice(0, -9), 'transcript.jsonl: line 8 is no utterance'],
    [
      'transcript.jsonl',
      (text: string) => text + (text.split('\n')[0] as string) + '\n',
      'turn 0 of e1 is in the transcript 2 times',
    ],
  ])('names what is missing after %s was changed: case %#', async (file, change, sentence) => {
    expect(await lackingAfter(file, change)).toContain(sentence);
  });

  it('names an utterance whose words are not those that were heard', async () => {
    const folder = await recordedRun();
    const recording = await openRecording({ folder, log: silentLog });
    const frame = { ...turnFrame(0, 4), talk: { dropped: 0, digest: digestOf('Hello!'), cut: false } };
    const stream = await recording.stream('cas');
    await stream.append(1, [{ seq: 0, bytes: encodeMessage(frame) }]);
    await recording.close();
    const sentence = 'turn 3 of e1: its words are not those that the next speaker had before it';
    expect((await verifyRun(folder)).lacking).not.toContain(sentence);
    const path = join(folder, 'transcript.jsonl');
    const lines = (await readFile(path, 'utf8')).split('\n');
    const forged = lines.map((line) => (line.includes('"turn":3,') ? line.replace('hello', 'never') : line));
    await writeFile(path, forged.join('\n'));
    expect((await verifyRun(folder)).lacking).toContain(sentence);
  });

  it('names an utterance that ends before its turn frame', async () => {
    const folder = await recordedRun();
    const path = join(folder, 'transcript.jsonl');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll(/"lastSeq":\d+/g, '"lastSeq":0'));
    const { complete, utterances } = await verifyRun(folder);
    expect(complete).toBe(false);
    expect(utterances?.incomplete).toHaveLength(8);
    expect(utterances?.incomplete).toContain(
      'turn 7 of e1 (ben epoch 1 up to 0): its turn frame is number 4, after the last that it names',
    );
  });

  it('names a recorded turn that is neither in the events nor in the transcript', async () => {
    const folder = await recordedRun();
    const recording = await openRecording({ folder, log: silentLog });
    await (await recording.stream('ada')).append(1, [{ seq: 5, bytes: encodeMessage(turnFrame(5, 8)) }]);
    await recording.close();
    const { lacking, sound } = await verifyRun(folder);
    expect([lacking, sound]).toEqual([['turn 8 of e1 is recorded, and is not in the transcript'], true]);
  });
});

describe('verifyRun', () => {
  it('finds an undamaged run sound and complete', async () => {
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

  it('names each missing frame of a reader, turn by turn of the role in whose place it reads', async () => {
    const folder = await recordedRun();
    const started = {
      type: 'episode-started',
      episode: 'e1',
      scenario: 's1',
      order: ['ada', 'ben'],
      seed: 1,
    };
    const events = await readFile(join(folder, 'events.jsonl'), 'utf8');
    const isOf = (condition: string): Promise<void> =>
      writeFile(
        join(folder, 'events.jsonl'),
        events.replace(/.*episode-started.*/, JSON.stringify({ ...started, condition, atMs: 0 })),
      );
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

  it(`finds a flipped byte or a cut at any place and still reads the rest, ${CASES} times`, async () => {
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
      // A flip loses at most one frame, a cut at most the four of its segment.
      expect(report.frames).toBeGreaterThanOrEqual(flip ? 9 : 6);
      await writeFile(path, whole);
    }
    expect((await verifyRun(folder)).complete).toBe(true);
  });

  it('finds that a record was cut out in front of the seal', async () => {
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

  it('finds that a segment is missing', async () => {
    const folder = await recordedRun();
    await rm((await segmentsOf(folder))[0] as string);
    expect((await verifyRun(folder)).faults).toHaveLength(1);
    const other = await recordedRun();
    await rm((await segmentsOf(other)).at(-1) as string);
    expect((await verifyRun(other)).complete).toBe(false);
  });

  it('does not call a run complete if frames were declared lost', async () => {
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
