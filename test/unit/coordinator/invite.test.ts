import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRunStream } from '../../../src/coordinator/invite.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { startNats, type NatsFixture } from '../../fixtures/programs/nats-fixture.ts';

let nats: NatsFixture;
let link: NatsLink;
beforeAll(async () => {
  nats = await startNats(['coordinator'], { runs: ['r1'] });
  link = await nats.connect('coordinator');
});
afterAll(() => nats.close());

it('inviteAll says in one sentence that the NATS server does not let it into the run', async () => {
  expect(await openRunStream(link, 'r1')).toBe(0);
  await expect(openRunStream(link, 'r2')).rejects.toMatchObject({ code: 'RUN_FORBIDDEN' });
});
