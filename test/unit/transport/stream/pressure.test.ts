import { afterEach, describe, expect, it } from 'vitest';
import { realDisk, type Disk } from '../../../../src/journal/disk.ts';
import { readRecording } from '../../../../src/journal/read-recording.ts';
import type { SegmentScan } from '../../../../src/journal/segment-format.ts';
import { openSpool } from '../../../../src/journal/spool.ts';
import { createStreamSender, type StreamSender } from '../../../../src/transport/stream/sender/sender.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import {
  RUN,
  recordedLines,
  silentLog,
  startAgent,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  tokenFor,
  waitFor,
} from '../../../fixtures/stream/stream-fixture.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** The real disk with `room` bytes of free space; `room` may be changed. */
function smallDisk(room: number): { disk: Disk; give(bytes: number): void } {
  let left = room;
  const disk: Disk = {
    ...realDisk,
    open: (path) => {
      const file = realDisk.open(path);
      const append = (parts: Uint8Array[]): void => {
        const bytes = parts.reduce((sum, part) => sum + part.length, 0);
        if (bytes > left) {
          // Writes what fits and then fails, as a real disk does.
          file.append([Buffer.alloc(Math.max(0, left))]);
          throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
        }
        left -= bytes;
        file.append(parts);
      };
      // eslint-disable-next-line typescript/require-await -- a throw must come as a rejection
      return { ...file, append, write: async (parts) => append(parts) };
    },
  };
  return { disk, give: (bytes) => (left = bytes) };
}

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const late = Symbol('late');
  const wait = new Promise((resolve) => setTimeout(resolve, 50, late));
  return (await Promise.race([promise, wait])) !== late;
};

/** Bytes that a half-written batch would leave behind. */
async function damagesIn(folder: string): Promise<number> {
  let damages = 0;
  const onSegment = ({ scan }: { scan: SegmentScan }): void => void (damages += scan.damages.length);
  for await (const _ of readRecording(folder, { onSegment }));
  return damages;
}

function fill(sender: StreamSender, frames: number): void {
  for (let turn = 0; turn < frames; turn++) sender.append(stepsFrame(turn, 5000));
}

describe('backpressure of the spool', () => {
  it('pauses turns at 80 % of the spool and tokens at 95 %, and ends by itself', async () => {
    const folder = await temporaryFolder();
    const first = await startAnalyzer({ folder });
    const spoolFolder = await temporaryFolder();
    const agent = await startAgent({ url: first.url, folder: spoolFolder, stream: 'ada', maxBytes: 2 ** 20 });
    stops.push(() => agent.close());
    await first.close();
    fill(agent.sender, 80); // 80 × 10,135 bytes: 77 %
    expect(await isSettled(agent.sender.room('turn'))).toBe(true);
    fill(agent.sender, 8);
    expect(await isSettled(agent.sender.room('token'))).toBe(true);
    const turn = agent.sender.room('turn');
    expect(await isSettled(turn)).toBe(false);
    fill(agent.sender, 14);
    const token = agent.sender.room('token');
    expect(await isSettled(token)).toBe(false);
    expect(agent.sender.status().pauses).toEqual({ turn: 1, token: 1 });
    const again = await startAnalyzer({ folder, port: first.port });
    stops.push(() => again.close());
    await Promise.all([turn, token]);
    expect(await agent.sender.drained(10_000)).toBe(true);
    expect(await recordedLines(folder)).toHaveLength(102);
    await waitFor(() => agent.spool.fullness() < 0.2, { what: 'an empty spool' });
  });
});

describe('a full disk', () => {
  it('at the analyzer stops acknowledgements and readiness, and both come back with space', async () => {
    const folder = await temporaryFolder();
    const { disk, give } = smallDisk(60_000);
    const analyzer = await startAnalyzer({ folder, recording: { disk } });
    stops.push(() => analyzer.close());
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    fill(agent.sender, 3);
    await agent.sender.drained(5000);
    fill(agent.sender, 20);
    await waitFor(() => analyzer.recording.status().fault !== undefined, {
      what: 'the fault',
      timeoutMs: 2000,
    });
    expect(agent.sender.status().ackedSeq).toBeLessThan(22);
    // What is recorded is acknowledged, a moment later.
    const recorded = await recordedLines(folder);
    await expect.poll(() => agent.sender.status().ackedSeq + 1).toBe(recorded.length);
    give(10 ** 9);
    expect(await agent.sender.drained(5000)).toBe(true);
    expect(analyzer.recording.status().fault).toBeUndefined();
    expect((await recordedLines(folder)).length).toBe(23);
    expect(await damagesIn(folder)).toBe(0);
  });

  it('at the agent makes frames wait in memory and the agent pause; no frame is sent before it is spooled', async () => {
    const folder = await temporaryFolder();
    const analyzer = await startAnalyzer({ folder });
    stops.push(() => analyzer.close());
    const { disk, give } = smallDisk(25_000);
    const options = { folder: await temporaryFolder(), maxBytes: 2 ** 24, log: silentLog, disk };
    const spool = await openSpool({ ...options, maxWaitingBytes: 100_000 });
    const sender = await createStreamSender({
      url: () => analyzer.url,
      token: () => tokenFor('ada'),
      run: RUN,
      stream: 'ada',
      spool,
      log: silentLog,
      clock: systemClock,
    });
    stops.push(() => sender.close());
    fill(sender, 6);
    const room = sender.room('token');
    expect(await isSettled(room)).toBe(false);
    await waitFor(() => analyzer.recorded.length === 2, { what: 'the two frames that fitted' });
    expect(() => fill(sender, 20)).toThrow(expect.objectContaining({ code: 'JOURNAL_FULL' }) as Error);
    const accepted = sender.lastSeq() + 1;
    give(10 ** 9);
    await room;
    expect(await sender.drained(5000)).toBe(true);
    expect(analyzer.recorded).toHaveLength(accepted);
  });

  it('counts also when the recording has used up its budget', async () => {
    const folder = await temporaryFolder();
    const analyzer = await startAnalyzer({ folder, recording: { maxBytes: 50_000 } });
    stops.push(() => analyzer.close());
    const agent = await startAgent({ url: analyzer.url, folder: await temporaryFolder(), stream: 'ada' });
    stops.push(() => agent.close());
    fill(agent.sender, 20);
    await waitFor(() => analyzer.recording.status().fault !== undefined, {
      what: 'the budget to be used up',
    });
    expect(analyzer.recording.status().bytes).toBeLessThanOrEqual(50_000);
    expect(agent.sender.status().ackedSeq).toBeLessThan(5);
  });
});
