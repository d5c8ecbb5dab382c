import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { unpackTensor } from '../../../src/protocol/stream/tensor.ts';
import {
  RUN,
  startAnalyzer,
  temporaryFolder,
  tokenFor,
  type TestAnalyzer,
} from '../../fixtures/stream/stream-fixture.ts';

const execute = promisify(execFile);
let analyzer: TestAnalyzer;
afterEach(() => analyzer.close());

describe('the Python sender of the examples', () => {
  it('is welcomed, recorded and acknowledged, in a new epoch at each start', async () => {
    analyzer = await startAnalyzer({ folder: await temporaryFolder() });
    const env = { ...process.env, ENTRAIN_STREAM_TOKEN: tokenFor('py') };
    const send = () => execute('python3', ['examples/send.py', analyzer.url, RUN, 'py'], { env });
    expect((await send()).stdout).toBe('epoch 1: recorded up to frame 1\n');
    expect((await send()).stdout).toBe('epoch 2: recorded up to frame 1\n');
    const turn = analyzer.recorded[1]?.message;
    if (turn?.type !== 'turn') throw new Error('expected a turn frame');
    expect([...unpackTensor(turn.dtype, turn.data)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((i) => i / 8));
  });

  it('says that its token was refused', async () => {
    analyzer = await startAnalyzer({ folder: await temporaryFolder() });
    const env = { ...process.env, ENTRAIN_STREAM_TOKEN: 'x.y' };
    const send = execute('python3', ['examples/send.py', analyzer.url, RUN, 'py'], { env });
    await expect(send).rejects.toMatchObject({ stderr: expect.stringContaining('401') as string });
  });
});
