import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSpool, type Spool } from '../../../src/journal/spool.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { createForgetfulDisk, type ForgetfulDisk } from '../../fixtures/chaos/forgetful-disk.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

const SYNC_MS = 20;
/** Two frames fill a segment of the smallest spool. */
const FRAME_BYTES = 40_000;

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

describe('a spool on a disk that loses unsynced bytes in a crash', () => {
  it('keeps every unacknowledged frame that is older than 20 ms, also in a segment that was full by then', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = createForgetfulDisk({ random: seededRandom(seed) });
      const spool = await open(disk);
      for (let seq = 0; seq < 5; seq++) spool.append(seq, frame(seq));
      await pass(SYNC_MS);
      const after = await open(disk.crash());
      const kept = [0, 1, 2, 3, 4].filter((seq) => after.read(1, seq) !== undefined);
      expect({ seed, kept }).toEqual({ seed, kept: [0, 1, 2, 3, 4] });
    }
  });

  it('never syncs a frame that was acknowledged in time, and syncs the next one when it is due', async () => {
    const { disk, syncs } = countSyncs(createForgetfulDisk({ random: seededRandom(1) }));
    const spool = await open(disk);
    spool.append(0, frame(0));
    await pass(SYNC_MS / 2);
    spool.append(1, frame(1));
    spool.trim(1, 0);
    await pass(SYNC_MS - 1);
    expect(syncs()).toBe(0);
    await pass(1);
    expect(syncs()).toBe(1);
    await pass(10 * SYNC_MS);
    expect(syncs()).toBe(1);
  });
});

describe('a full spool', () => {
  it('keeps the bytes it was given, though the caller overwrites them', async () => {
    const spool = await open(createForgetfulDisk({ random: seededRandom(1) }));
    let seq = 0;
    for (; spool.fullness() < 1; seq++) {
      const lent = frame(seq);
      spool.append(seq, lent);
      lent.fill(0);
    }
    spool.trim(1, seq - 2);
    await pass(250);
    expect(Buffer.from(frame(seq - 1)).equals(spool.read(1, seq - 1) as Uint8Array)).toBe(true);
  });
});

async function open(disk: ForgetfulDisk): Promise<Spool> {
  const spool = await openSpool({ folder: 'spool', maxBytes: 2 ** 20, log: silentLog, disk });
  if (spool.lastEpoch() === 0) spool.begin(1);
  return spool;
}

function frame(seq: number): Uint8Array {
  const data = new Uint8Array(FRAME_BYTES).fill(seq);
  return encodeMessage({ type: 'gap', seq, from: seq, to: seq, reason: '', data } as never);
}

/** Lets the given time pass and the disk finish what it was asked to do. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

function countSyncs(disk: ForgetfulDisk): { disk: ForgetfulDisk; syncs: () => number } {
  let count = 0;
  const counting: ForgetfulDisk = {
    ...disk,
    open: (path) => {
      const file = disk.open(path);
      return { ...file, sync: () => ((count += 1), file.sync()) };
    },
  };
  return { disk: counting, syncs: () => count };
}
