import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import type { BranchFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { readNpy } from '../../../src/recordings/formats/npy.ts';
import { exportRun } from '../../../src/recordings/export-run.ts';
import { verifyRun } from '../../../src/recordings/verify-run.ts';
import { run } from '../../../src/recordings/main.ts';
import { DIMS, recordedRun } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

describe('exportRun', () => {
  it('writes npy files to the paths that the paper’s scripts read', async () => {
    const out = await temporaryFolder();
    const recorded = await recordedRun();
    const verified = await verifyRun(recorded);
    expect(await exportRun(recorded, { format: 'npy', out })).toEqual({ files: 9, frames: 8, verified });
    const models = 'Llama-tiny_None_0_Llama-tiny_None_0';
    const folder = join(out, 'live', 'sotopia_results', models, 'run-1', 'episode_0', 't0.7_seed0');
    const path = join(folder, 'agent_2_turn_3', 'states.npy');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const array = await readNpy(path);
    expect(array.shape).toEqual([2, 1, DIMS]);
    expect([...array.data]).toEqual(Array.from({ length: 2 * DIMS }, (_, i) => 3 + i / 8));
  });

  it('writes one safetensors file per episode with named axes', async () => {
    const out = await temporaryFolder();
    await exportRun(await recordedRun(), { format: 'safetensors', out });
    const bytes = await readFile(join(out, 'e1.safetensors'));
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    expect(length % 8).toBe(0);
    expect(header['agent_1.turn_0.states']).toMatchObject({ dtype: 'F16', shape: [2, DIMS] });
    const [from, to] = header['agent_2.turn_1.words']?.data_offsets ?? [0, 0];
    expect(to - from).toBe(DIMS * 4);
    expect(bytes.readFloatLE(8 + length + from)).toBe(1);
    expect(header['__metadata__']).toMatchObject({ scenario: 's1', order: 'ada,ben' });
  });

  it('writes the states of branches into the safetensors file, those of the latest seating', async () => {
    const folder = await recordedRun();
    const recording = await openRecording({ folder, log: silentLog });
    const branch = (seq: number, state: string, seating: number): BranchFrame => ({
      type: 'branch',
      seq,
      run: 'run-1',
      episode: 'e1',
      turn: 0,
      kind: 'alternative',
      k: 2,
      state,
      seating,
      layers: [1, 2],
      shape: [1, 2, DIMS],
      ...packTensor(new Float32Array(2 * DIMS).fill(seating), 'f32'),
      tNs: 1,
    });
    const frames = [
      branch(5, 'reply', 0),
      branch(6, 'reply', 3),
      branch(7, 'reply', 1),
      branch(8, 'skipped', 0),
    ];
    const bytesOf = frames.map((frame) => ({ seq: frame.seq, bytes: encodeMessage(frame) }));
    await (await recording.stream('ben')).append(1, bytesOf);
    await recording.close();
    const out = await temporaryFolder();
    expect((await exportRun(folder, { format: 'safetensors', out })).frames).toBe(9);
    const bytes = await readFile(join(out, 'e1.safetensors'));
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
      string,
      { shape: number[]; data_offsets: [number, number] }
    >;
    const found = header['agent_2.turn_0.alternative.2.reply'];
    expect(found?.shape).toEqual([2, DIMS]);
    expect(bytes.readFloatLE(8 + length + (found?.data_offsets[0] ?? 0))).toBe(3);
    expect(Object.keys(header).filter((name) => name.includes('skipped'))).toEqual([]);
  });

  it('says what the recording lacks, and exits with status 1 then', async () => {
    const folder = await recordedRun();
    const argv = ['export', folder, '--format', 'npy', '--out', await temporaryFolder()];
    expect(await run(argv)).toBe(0);
    const stream = join(folder, 'streams', (await readdir(join(folder, 'streams')))[0] as string);
    const segment = join(stream, (await readdir(stream)).sort()[0] as string);
    const bytes = await readFile(segment);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 1;
    await writeFile(segment, bytes);
    expect(await run(argv)).toBe(1);
  });
});
