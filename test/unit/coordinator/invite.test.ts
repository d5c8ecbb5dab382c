import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../src/process/log.ts';
import { systemClock as clock } from '../../../src/process/clock.ts';
import {
  awaitDrained,
  inviteAgent,
  openRunStream,
  type InviteOptions,
} from '../../../src/coordinator/invite.ts';
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

describe('awaitDrained', () => {
  /** An agent that gives these answers, the last of them for ever. Every answer takes 4 s of the clock. */
  async function waitFor(answers: object[]): Promise<void> {
    const { connection } = await nats.connect('agent-ada');
    let nowMs = 0;
    connection.subscribe(subjects.memberships('ada'), {
      callback: (_, message) => {
        nowMs += 4000;
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        void message.respond(JSON.stringify({ runs: ['r1'], ...answer }));
      },
    });
    await connection.flush();
    const options = { ...invitation(), clock: { ...clock, monotonicMs: () => nowMs } };
    try {
      await awaitDrained(options, { timeoutMs: 60_000, isAway: () => false });
    } finally {
      await connection.close();
    }
  }
  const held = { undrained: ['r1'] };
  const refused = { undrained: ['r1'], refusals: { r1: 'shape does not match' } };

  it('gives up on frames that the analyzer refuses, with its reason', async () => {
    await expect(waitFor([held, refused])).rejects.toMatchObject({
      code: 'RECORDING_INCOMPLETE',
      message: expect.stringMatching(
        /frames of agent "ada" were not .* within 12 s: the analyzer refuses them \("shape does not match"\)/,
      ) as string,
    });
  });

  it('goes on where a refusal passes, and waits its time for an analyzer that says nothing', async () => {
    await waitFor([refused, refused, held, refused, held, { undrained: [] }]);
    await expect(waitFor([held])).rejects.toMatchObject({
      code: 'RECORDING_INCOMPLETE',
      message: expect.stringMatching(/within 60 s: start the analyzer again/) as string,
    });
  });
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
