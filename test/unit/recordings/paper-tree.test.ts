import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import type { DataMessage } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { exportRun } from '../../../src/recordings/export-run.ts';
import { paperModelName } from '../../../src/recordings/formats/paper-tree.ts';
import { parseCsv } from '../../../src/tables/csv.ts';
import { DIMS, episodeFrame, turnFrame } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const READER = resolve('test/fixtures/recordings/read-as-published.py');
const MODELS = 'Llama-tiny_None_0_Llama-tiny_None_0';

interface Loaded {
  family: string[];
  units: {
    mode: string;
    episode: number;
    boundaries: number[];
    shape: number[];
    a: number[][];
    b: number[][];
  }[];
}

/** What the scripts of the paper find in the tree of one condition; Debian's python3 has numpy. */
async function load(tree: string, ...flags: string[]): Promise<Loaded> {
  const python = process.platform === 'linux' ? '/usr/bin/python3' : 'python3';
  const { stdout } = await promisify(execFile)(python, [READER, MODELS, ...flags], { cwd: tree });
  return JSON.parse(stdout) as Loaded;
}

/** State of a turn: the episode's number, then the turn; the layer is added by the fixture. */
const valueOf = (episode: number, turn: number): number => 100 * episode + turn;

/** Two scenarios × 3 episodes × two conditions, of 5 turns, and of 3 in every second episode. */
async function recordedStudy(): Promise<string> {
  const folder = await temporaryFolder();
  const recording = await openRecording({ folder, log: silentLog });
  const said: object[] = [];
  for (const [role, agent] of ['ada', 'ben'].entries()) {
    const stream = await recording.stream(agent);
    let seq = 0;
    const record = async (message: DataMessage): Promise<void> => {
      await stream.append(1, [{ seq: message.seq, bytes: encodeMessage(message) }]);
      seq += 1;
    };
    for (let number = 1; number <= 12; number++) {
      const episode = `e00${String(number).padStart(2, '0')}`;
      const scenario = number % 4 < 2 ? 'table' : 'room';
      const condition = number % 2 === 0 ? 'paper-reader' : 'live';
      await record({ ...episodeFrame(seq, role), episode, scenario, condition, seed: 7000 + number });
      for (let turn = role; turn < (number % 3 === 0 ? 3 : 5); turn += 2) {
        const values = Float32Array.from(
          { length: 2 * DIMS },
          (_, i) => valueOf(number, turn) + Math.floor(i / DIMS) / 2,
        );
        const reader = new Uint8Array(values.map((value) => value + 5000).buffer);
        const beside = condition === 'live' ? {} : { reader };
        await record({ ...turnFrame(seq, turn), episode, ...packTensor(values, 'f32'), ...beside });
        const place = { stream: agent, epoch: 1, lastSeq: seq - 1 };
        const text = number === 1 && turn === 1 ? 'He said: "no",\nand left.' : `words ${number} ${turn}`;
        said.push({ episode, turn, agent, text, finish: 'stop', tokens: 1, droppedTurns: 0, ...place });
      }
    }
  }
  await recording.close();
  await writeFile(join(folder, 'transcript.jsonl'), said.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return folder;
}

let out: string;
beforeAll(async () => {
  out = await temporaryFolder();
  await exportRun(await recordedStudy(), { format: 'npy', out });
});

describe('an export as npy', () => {
  it('is loaded by the scripts of the paper: units of a scenario, its episodes as seeds', async () => {
    const { units, family } = await load(join(out, 'live'), 'A_forward', '1');
    // the scripts cut a name at its first hyphen, and find none in these
    expect(family).toEqual(['Llatiny_None_0_', 'Llatiny_None_0']);
    expect(units.map(({ mode, episode }) => [mode, episode])).toEqual([
      ['run-1', 0],
      ['run-1', 1],
    ]);
    // room: episodes 3, 7, 11 of 3, 5, 5 turns; table: 1, 5, 9 of 5, 5, 3 turns
    expect(units[0]?.boundaries).toEqual([1, 3, 5, 5, 5]);
    expect(units[1]?.boundaries).toEqual([2, 4, 5, 5, 5]);
    expect(units[1]?.shape).toEqual([5, 2, DIMS]);
    const pair = (number: number, turn: number): number[] => [
      valueOf(number, turn),
      valueOf(number, turn) + 0.5,
    ];
    expect(units[1]?.a).toEqual([pair(1, 0), pair(1, 2), pair(5, 0), pair(5, 2), pair(9, 0)]);
    expect(units[1]?.b).toEqual([pair(1, 1), pair(1, 3), pair(5, 1), pair(5, 3), pair(9, 1)]);
  });

  it('has the other direction, later turns and the other condition, each in its own tree', async () => {
    const backward = await load(join(out, 'live'), 'B_forward', '1');
    expect(backward.units[1]?.a.map(([first]) => first)).toEqual([101, 103, 501, 503, 901]);
    expect(backward.units[1]?.b.map(([first]) => first)).toEqual([102, 104, 502, 504, 902]);
    const later = await load(join(out, 'live'), 'A_forward', '3');
    expect(later.units[1]?.b.map(([first]) => first)).toEqual([103, 503]);
    const { units } = await load(join(out, 'paper-reader'), 'A_forward', '1');
    expect(units[0]?.a.map(([first]) => first)).toEqual([200, 202, 600, 1000, 1002]);
    const read = await load(join(out, 'paper-reader'), 'A_forward', '1', 'anotherread');
    expect(read.units[0]?.a.map(([first]) => first)).toEqual([5200, 5202, 5600, 6000, 6002]);
    expect(read.units[0]?.b).toEqual(units[0]?.b);
  });

  it('has a manifest of every file, with the words of the turn', async () => {
    const lines = parseCsv(await readFile(join(out, 'manifest.csv'), 'utf8'), 'manifest.csv');
    const columns = [
      'condition',
      'scenario',
      'seed',
      'turn',
      'text',
      'unit',
      'episode',
      'agent',
      'model',
      'path',
    ];
    expect(lines[0]?.fields).toEqual(columns);
    const path = `live/sotopia_results/${MODELS}/run-1/episode_1/t0.7_seed0/agent_2_turn_1/states.npy`;
    const row = ['live', 'table', '0', '1', 'He said: "no",\nand left.', '1', 'e0001', 'ben', 'tiny', path];
    expect(lines.map(({ fields }) => fields)).toContainEqual(row);
    // each turn of paper-reader has two files
    expect(lines).toHaveLength(1 + (2 * 3 + 4 * 5) * 3);
  });

  it('names models so that the scripts can take the names apart', () => {
    expect(paperModelName('entrain_8m')).toBe('Llama-entrain-8m');
    expect(paperModelName('Llama-3.2-3B-Instruct')).toBe('Llama-3.2-3B-Instruct');
    expect(paperModelName('Mistral-7B-Instruct-v0.3')).toBe('Mistral-7B-Instruct-v0.3');
    expect(paperModelName('org/Mistral-Small')).toBe('Llama-org-mistral-Small');
    expect(paperModelName('..')).not.toContain('/');
  });
});
