import { afterAll, beforeAll, expect, it } from 'vitest';
import { prepareRun } from '../../../src/coordinator/invite.ts';
import { systemClock as clock } from '../../../src/process/clock.ts';
import type { NatsLink } from '../../../src/transport/nats.ts';
import { startNats, type NatsFixture } from '../../nats-fixture.ts';

let nats: NatsFixture;
let link: NatsLink;
beforeAll(async () => {
  nats = await startNats(['coordinator'], { runs: ['r1'] });
  link = await nats.connect('coordinator');
});
afterAll(() => nats.close());

const prepare = (run: string) =>
  prepareRun({
    run,
    agents: new Set(),
    fleet: { agents: new Map(), streamUrl: '' },
    link,
    clock,
    privateKey: '',
  });

it('says in one sentence that the server does not let it into the run', async () => {
  (await prepare('r1')).stop();
  await expect(prepare('r2')).rejects.toMatchObject({ code: 'RUN_FORBIDDEN' });
});
