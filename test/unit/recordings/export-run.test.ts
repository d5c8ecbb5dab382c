import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readNpy } from '../../../src/recordings/formats/npy.ts';
import { exportRun } from '../../../src/recordings/export-run.ts';
import { verifyRun } from '../../../src/recordings/verify-run.ts';
import { run } from '../../../src/recordings/main.ts';
import { DIMS, recordedRun } from '../../fixtures/recordings/recording-fixture.ts';
import { temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

describe('exportRun', () => {
  it('writes npy files to the paths that the paper’s scripts read', async () => {
    const out = await temporaryFolder();
    const recorded = await recordedRun();
    const verified = await verifyRun(recorded);
    expect(await exportRun(recorded, { format: 'npy', out })).toEqual({ files: 8, frames: 8, verified });
    const folder = join(out, 'sotopia_results', 'tiny_tiny', 's1', 'episode_e1', 't0.7_seed7');
    const path = join(folder, 'agent_2_turn_3', 'states.npy');
    const array = await readNpy(path);
    expect(array.shape).toEqual([2, DIMS]);
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
