import { describe, expect, it } from 'vitest';
import { losePower } from '../../fixtures/chaos/power-loss.ts';

const SEEDS = 2000;

describe('a recording on a disk that loses unsynced bytes in a crash', () => {
  it(`keeps every acknowledged frame exactly once, over ${SEEDS} seeds`, async () => {
    let acknowledged = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const result = await losePower(seed);
      acknowledged += result.acknowledged;
      const { lost, doubled, damages } = result;
      if (lost + doubled + damages > 0)
        expect({ seed, ...result }).toEqual({ seed, lost: 0, doubled: 0, damages: 0 });
    }
    expect(acknowledged).toBeGreaterThan(SEEDS);
  });

  it('loses frames in this test when syncing is switched off', async () => {
    let lost = 0;
    for (let seed = 0; seed < 50; seed++) lost += (await losePower(seed, { syncIsLie: true })).lost;
    expect(lost).toBeGreaterThan(0);
  });
});
