import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../src/process/log.ts';
import { systemClock as clock } from '../../../src/process/clock.ts';
import { inviteAgent, openRunStream, type InviteOptions } from '../../../src/coordinator/invite.ts';
import { assignmentSchema } from '../../../src/protocol/nats-messages.ts';
import { subjects } from '../../../src/protocol/subjects.ts';
import type { NatsLink } from '../../../src/transport/nats/connection.ts';
import { startNats, type NatsFixture } from '../../fixtures/programs/nats-fixture.ts';
import { keys } from '../../fixtures/stream/stream-fixture.ts';

let nats: NatsFixture;
let link: NatsLink;
beforeAll(async () => {
  nats = await startNats(['coordinator', 'agent-ada'], { runs: ['r1'] });
  link = await nats.connect('coordinator');
});
afterAll(() => nats.close());

it('inviteAll says in one sentence that the NATS server does not let it into the run', async () => {
  expect(await openRunStream(link, 'r1')).toBe(0);
  await expect(openRunStream(link, 'r2')).rejects.toMatchObject({ code: 'RUN_FORBIDDEN' });
});

describe('inviteAgent', () => {
  /** An agent that is a member of the given runs. */
  async function playAgent(runs: string[]) {
    const { connection } = await nats.connect('agent-ada');
    const urls: string[] = [];
    connection.subscribe(subjects.memberships('ada'), {
      callback: (_, message) => void message.respond(JSON.stringify({ runs, undrained: [] })),
    });
    connection.subscribe(subjects.assign('ada'), {
      callback: (_, message) => {
        urls.push(assignmentSchema.parse(message.json()).analyzer.url);
        message.respond('{}');
      },
    });
    await connection.flush();
    return { urls, close: () => connection.close() };
  }

  const invitation = (): InviteOptions => ({
    run: 'r1',
    agents: new Set(['ada']),
    fleet: { agents: new Map(), analyzer: { id: 'analyzer', streamUrl: 'ws://here/stream' } },
    link,
    clock,
    privateKey: keys.privateKeyPem,
    unanswered: new Set(),
    log: createLog('test').child({}, { level: 'silent' }),
  });

  it('tells a member where the analyzer is, which may have moved while there was no coordinator', async () => {
    const agent = await playAgent(['r1']);
    expect(await inviteAgent(invitation(), 'ada')).toBe(false);
    expect(agent.urls).toEqual(['ws://here/stream']);
    await agent.close();
  });

  it('says of an agent that joined without an answer that it was invited, for its episodes are not given to it yet', async () => {
    const runs: string[] = [];
    const options = invitation();
    const agent = await playAgent(runs);
    options.privateKey = 'no key';
    await expect(inviteAgent(options, 'ada')).rejects.toMatchObject({ code: 'AGENT_LOST' });
    options.privateKey = keys.privateKeyPem;
    runs.push('r1');
    expect(await inviteAgent(options, 'ada')).toBe(true);
    expect(await inviteAgent(options, 'ada')).toBe(false);
    await agent.close();
  });
});
