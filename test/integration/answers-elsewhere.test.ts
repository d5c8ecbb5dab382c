/**
 * nats-server lets a request name any subject for its answer. With the password of agent ben an attacker names subjects
 * on which ben may not publish, so that the server, the coordinator or he himself would publish there.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenSchema } from '../../src/protocol/nats-messages.ts';
import { names, subjects } from '../../src/protocol/subjects.ts';
import { API_OF_PROGRAMS } from '../../src/transport/nats/permissions.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';

const RUN = 'lab';
const STREAM = names.stream(RUN);
const STUDY = { scenarios: 1, episodes: 2, maxTurns: 6, maxTokens: 8 };
const TURNS = 2 * 2 * 6;
const FORGED = 'FORGED BY BEN';

let folder: string;
let fleet: Fleet;
let ben: NatsConnection;
let status: number | null;
/** What came back of requests that ben may not make. */
const allowed: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-answers-'));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'] });
  ben = (await fleet.nats.connect('agent-ben')).connection;
  await attackAtFirstWord();
  for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
    await fleet.start(program);
  status = await fleet.ended('coordinator');
}, 300_000);
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

async function attackAtFirstWord(): Promise<void> {
  const seen = new Set<string>();
  ben.subscribe(subjects.heardTokens(RUN, 'ben'), {
    callback: (fault, message) => {
      if (fault || message.subject.endsWith('.ben')) return;
      const { episode } = tokenSchema.parse(message.json());
      if (seen.has(episode)) return;
      seen.add(episode);
      void attack(episode);
    },
  });
  await ben.flush();
}

const own = (episode: string, turn: number): string =>
  subjects.utterance(RUN, { episode, turn, agent: 'ben' });
const adas = (episode: string, turn: number): string =>
  subjects.utterance(RUN, { episode, turn, agent: 'ada' });

async function attack(episode: string): Promise<void> {
  // The server stores its acknowledgements where ada's turns and the coordinator's events belong.
  const taken = [
    ...[2, 4].map((turn) => adas(episode, turn)),
    subjects.episodeEvent(RUN, episode, `episode-finished.${episode}`),
    subjects.event(RUN, 'run-finished'),
  ];
  for (const [at, reply] of taken.entries()) ben.publish(own(episode, 100 + at), '{}', { reply });
  // It takes them for orders to empty the stream.
  ben.publish(own(episode, 200), '{}', { reply: `$JS.API.STREAM.PURGE.${STREAM}` });
  // The coordinator answers where ben may not publish.
  ben.publish(subjects.renewToken(RUN, 'ben'), '{}', { reply: `$JS.API.STREAM.PURGE.${STREAM}` });
  ben.publish(subjects.renewToken(RUN, 'ben'), '{}', { reply: subjects.event(RUN, 'by-the-coordinator') });
  // What ben stored is delivered as a request to the analyzer, to end the run. One message each: what he takes from his
  // own agent comes there 5 s later.
  ben.publish(own(episode, 300), JSON.stringify({ run: RUN }));
  for (const subject of [subjects.analyzerFinished('analyzer'), subjects.release('ada')])
    for (const api of ['$JS.API', API_OF_PROGRAMS])
      ben.publish(`${api}.CONSUMER.MSG.NEXT.${STREAM}.${names.talkConsumer('ben')}`, '1', { reply: subject });
  // He sends himself a request, and answers it in ada's name or with an order to the server.
  const rest = { finish: 'leave', tokens: 1, droppedTurns: 0, epoch: 1, lastSeq: 0 };
  const words = { episode, turn: 2, agent: 'ada', text: FORGED, stream: 'ada', ...rest };
  for (const [subject, body] of [
    [adas(episode, 2), JSON.stringify(words)],
    [subjects.heardToken(RUN, 'ada', { episode, agent: 'ada' }), '{}'],
    [`$JS.API.STREAM.INFO.${STREAM}`, ''],
    [`$JS.API.STREAM.MSG.GET.${STREAM}`, '{"seq":1}'],
    [`$JS.API.STREAM.PURGE.${STREAM}`, ''],
  ] as const) {
    ben.publish(subjects.heardToken(RUN, 'ben', { episode, agent: 'ben' }), '{}', { reply: subject });
    await ben.flush();
    const answer = ben.request(subject, body, { timeout: 2000 }).then((message) => message.string());
    allowed.push(await answer.catch((error: Error) => `refused: ${error.message}`));
  }
}

describe('an attacker who has answers sent elsewhere', { timeout: 60_000 }, () => {
  it('gets no right to publish by a request to himself', () => {
    expect(allowed.length).toBeGreaterThan(0);
    expect(allowed.filter((answer) => !/^refused: .*Permissions Violation/i.test(answer))).toEqual([]);
  });

  it('cannot keep anybody from speaking, or the run from its end', async () => {
    expect(status, fleet.said('coordinator')).toBe(0);
    const transcript = await readTranscript(fleet.runs, RUN);
    expect(transcript).toHaveLength(TURNS);
    expect(transcript.filter(({ text }) => text.includes(FORGED))).toEqual([]);
    const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
    expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
  });

  it('has nothing of the run removed, and nothing published by the coordinator', async () => {
    const { connection } = await fleet.nats.connect('coordinator');
    const manager = await connection.jetstreamManager();
    const { state } = await manager.streams.info(STREAM, { subjects_filter: '>' });
    expect({ first: state.first_seq, missing: state.last_seq - state.messages }).toEqual({
      first: 1,
      missing: 0,
    });
    expect(Object.keys(state.subjects ?? {})).not.toContain(subjects.event(RUN, 'by-the-coordinator'));
  });

  it('may answer on subjects of ben alone', async () => {
    const answer = (agent: string): string => `_INBOX_coordinator.agent.${agent}.x`;
    for (const [subject, isAllowed] of [
      [answer('ben'), true],
      [answer('ada'), false],
      ['_INBOX_coordinator.found.x', true],
      ['_INBOX_agent-ada.found.x', false],
    ] as const) {
      const said = await ben.request(subject, '', { timeout: 500 }).then(
        () => '',
        (error: Error) => error.message,
      );
      expect(/Permissions Violation/i.test(said), subject).toBe(!isAllowed);
    }
  });
});
