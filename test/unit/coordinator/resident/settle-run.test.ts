/** The end of a run is kept once the store has room, and its agents are free only then. */
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { settleRun, type SettleParts } from '../../../../src/coordinator/resident/settle-run.ts';
import { systemClock as clock } from '../../../../src/process/clock.ts';
import { EntrainError } from '../../../../src/protocol/errors.ts';

function settle(writes: (EntrainError | undefined)[], isHeld = () => true) {
  const kept: unknown[] = [];
  const parts: SettleParts = {
    rows: {
      runs: new Map(),
      writeRun: async (run, kind, value) => {
        const fault = writes.shift();
        if (fault) throw fault;
        kept.push([run, kind, (value as { state: string }).state]);
      },
    },
    share: { giveBack: (run) => void kept.push(`free ${run}`) },
    led: new Map(),
    resting: new Map(),
    againMs: 5,
    lease: { isHeld },
    clock,
    log: pino({ level: 'silent' }),
  };
  return settleRun(parts, { run: 'x', state: () => undefined }, { as: 'finished' }).then(() => kept);
}

const full = (): EntrainError => new EntrainError('NATS_FULL', 'full');

it('waits while the store is full, and for nothing else', async () => {
  expect(await settle([full(), full()])).toEqual([['x', 'outcome', 'finished'], 'free x']);
  expect(await settle([new EntrainError('LEASE_LOST', 'lost')])).toEqual(['free x']);
});

it('leaves the rest to the next leader once the lease is gone', async () => {
  let looks = 0;
  expect(await settle([full(), full(), full()], () => (looks += 1) < 2)).toEqual(['free x']);
});
