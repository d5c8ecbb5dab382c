/** Geometry of recorded states: which states count, as many of each condition, and what `analyze --geometry` prints. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/analysis/main.ts';
import { readGeometry } from '../../../src/analysis/state-geometry.ts';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { readTalk } from '../../../src/process/run-folder/read-talk.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { READER_SEATING, type DataMessage } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { DIMS, episodeFrame, recordedRun, turnFrame } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

afterEach(() => vi.restoreAllMocks());

const ORDER = ['ada', 'ben'];
/** States that stay where they are. */
const STILL = packTensor(new Float32Array(2 * DIMS), 'f16');

/** A run of one episode in `live`, whose states go along a line. */
async function liveRun(turns: number): Promise<string> {
  const folder = await recordedRun(turns);
  const file = join(folder, 'transcript.jsonl');
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const turnOf = (line: string): number => (JSON.parse(line) as { turn: number }).turn;
  await writeFile(file, `${lines.toSorted((a, b) => turnOf(a) - turnOf(b)).join('\n')}\n`);
  return folder;
}

/** Adds an episode in another condition whose states of layer 2 go to and fro in a plane, with a reader beside ben. */
async function withMonologue(folder: string): Promise<void> {
  const about = { episode: 'e2', condition: 'monologue' };
  const recording = await openRecording({ folder, log: silentLog });
  const turnOf = (seq: number, turn: number): DataMessage => {
    const values = Float32Array.from({ length: 2 * DIMS }, (_, i) =>
      i < DIMS ? turn : i % 2 === 0 ? Math.sin(turn) : Math.cos(turn),
    );
    return { ...turnFrame(seq, turn), ...packTensor(values, 'f16'), episode: 'e2' };
  };
  for (const [role, agent] of [...ORDER, 'cleo'].entries()) {
    const stream = await recording.stream(agent);
    const own = Math.min(role, 1);
    const first = role < 2 ? 100 : 0;
    const seating = role < 2 ? {} : { seating: READER_SEATING };
    const frames = [
      { ...episodeFrame(first, own), ...about },
      ...[0, 1, 2].map((at) => ({
        ...turnOf(first + 1 + at, 2 * at + own),
        ...seating,
        ...(role < 2 ? {} : STILL),
      })),
    ];
    for (const message of frames as DataMessage[])
      await stream.append(2, [{ seq: message.seq, bytes: encodeMessage(message) }]);
  }
  await recording.close();
  const events = [{ type: 'episode-started', ...about, scenario: 's1', order: ORDER, seed: 7, atMs: 0 }];
  await appendFile(
    join(folder, 'events.jsonl'),
    `${events.map((event) => JSON.stringify(event)).join('\n')}\n`,
  );
}

describe('the geometry of recorded states', () => {
  it('is given for each agent, condition and layer, of as many states in each condition', async () => {
    const folder = await liveRun(5);
    await withMonologue(folder);
    const geometry = await readGeometry(await readTalk(folder));
    expect(
      geometry.map(({ agent, condition, states, episodes }) => [agent, condition, states, episodes]),
    ).toEqual([
      ['ada', 'live', 3, 1],
      ['ada', 'monologue', 3, 1],
      ['ben', 'live', 3, 1],
      ['ben', 'monologue', 3, 1],
    ]);
    const [live, alone, , besideReader] = geometry;
    expect(besideReader?.layers[1]?.dimensions).toEqual([2, 2, 2]);
    for (const layer of live?.layers ?? []) {
      expect(layer.dimensions).toEqual([1, 1, 1]);
      expect(layer.straightness).toBeCloseTo(1, 6);
    }
    expect(alone?.layers[0]?.dimensions).toEqual([1, 1, 1]);
    expect(alone?.layers[1]?.dimensions).toEqual([2, 2, 2]);
    expect(alone?.layers[1]?.straightness).toBeLessThan(0.9);
  });

  it('is printed without outcomes, a line for each layer', async () => {
    const folder = await liveRun(4);
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await run([folder, '--geometry'])).toBe(0);
    const text = write.mock.calls.map(([part]) => String(part)).join('');
    expect(text).toMatch(/^run-1: dimensions of the states/);
    expect(text).toMatch(/^ben\s+ben\s+live\s+2\s+4\s+1\s+1\s+1\s+1\.000$/m);
  });
});
