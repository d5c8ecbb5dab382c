/**
 * What an attacker with the NATS password of agent ben can do to a run of the real programs: speak as ada, have her
 * words dropped, pose as the analyzer, read what ben must not read. The run must go on unaffected.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { tokenSchema, utteranceSchema, type Utterance } from '../../src/protocol/nats-messages.ts';
import { ANALYZER_SERVICE, names, subjects } from '../../src/protocol/subjects.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';

const RUN = 'lab';
const STUDY = { scenarios: 1, episodes: 2, maxTurns: 6, maxTokens: 8 };
const TURNS = 2 * 2 * 6;
const STREAM = names.stream(RUN);
const FORGED = 'FORGED BY BEN';

let folder: string;
let fleet: Fleet;
let ben: NatsConnection;
let status: number | null;
let transcript: Utterance[];
/** The server's answer to each kind of forgery. */
const answers: string[] = [];
/** Agents that sent states to the analyzer that ben pretends to be. */
const hijacked: string[] = [];
const announced = { asked: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-attackers-'));
  const study = await writeSmallStudy(folder, STUDY);
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'] });
  ben = (await fleet.nats.connect('agent-ben')).connection;
  const rogue = await poseAsAnalyzer();
  await forgeTurns();
  for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
    await fleet.start(program);
  status = await fleet.ended('coordinator');
  rogue.close();
  transcript = await readTranscript(fleet.runs, RUN);
}, 300_000);
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

const publish = (subject: string, body: unknown, headers?: Record<string, string>): Promise<string> =>
  ben
    .request(subject, JSON.stringify(body), {
      timeout: 2000,
      ...(headers ? { headers: asHeaders(headers) } : {}),
    })
    .then((message) => message.string())
    .catch((error: Error) => `refused: ${error.message}`);

function asHeaders(fields: Record<string, string>) {
  const all = headers();
  for (const [name, value] of Object.entries(fields)) all.set(name, value);
  return all;
}

/** As soon as a word of an episode is heard, publishes ada's next turns in her name and in ben's. */
async function forgeTurns(): Promise<void> {
  const seen = new Set<string>();
  ben.subscribe(subjects.heardTokens(RUN, 'ben'), {
    callback: (error, message) => {
      if (error) return;
      const { episode } = tokenSchema.parse(message.json());
      if (seen.has(episode)) return;
      seen.add(episode);
      for (const turn of [0, 1, 2, 3, 4, 5, 6, 9]) void forge(episode, turn);
    },
  });
  await ben.flush();
}

async function forge(episode: string, turn: number): Promise<void> {
  const rest = { finish: 'leave', tokens: 1, droppedTurns: 0, epoch: 1, lastSeq: 0 } as const;
  const as = (agent: string, stream: string) =>
    utteranceSchema.parse({ episode, turn, agent, text: `${FORGED} ${turn}`, stream, ...rest });
  const own = subjects.utterance(RUN, { episode, turn, agent: 'ben' });
  if (turn % 2 === 1 && turn < 6) return;
  answers.push(
    await publish(subjects.utterance(RUN, { episode, turn, agent: 'ada' }), as('ada', 'ada')),
    await publish(`entrain.v1.${RUN}.episode.${episode}.utterance.${turn}`, as('ada', 'ada')),
  );
  // On his own subject he may publish anything; no program counts it.
  await publish(own, as(turn % 4 === 0 ? 'ada' : 'ben', 'ada'), {
    'Nats-Msg-Id': `${RUN}.${episode}.${turn}`,
  });
  await publish(subjects.utterance(RUN, { episode, turn: turn + 100, agent: 'ben' }), as('ben', 'ben'), {
    'Nats-Msg-Id': subjects.event(RUN, 'run-finished'),
  });
}

/** Answers every search for an analyzer, and accepts what is sent. */
async function poseAsAnalyzer(): Promise<{ close(): void }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (_, request) => hijacked.push(request.headers.authorization ?? 'nobody'));
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const streamUrl = `ws://127.0.0.1:${port}/stream`;
  const metadata = { streamUrl, httpUrl: `http://127.0.0.1:${port}`, id: 'analyzer', protocol: '2.0' };
  const info = {
    name: ANALYZER_SERVICE,
    id: 'ROGUE',
    version: '0.0.1',
    description: 'x',
    metadata,
    endpoints: [],
    type: 'io.nats.micro.v1.info_response',
  };
  for (const subject of [`$SRV.INFO.${ANALYZER_SERVICE}`, '$SRV.INFO.*', '$SRV.>', '$SRV.INFO'])
    ben.subscribe(subject, {
      callback: (error, message) => {
        if (error) return;
        announced.asked += 1;
        message.respond(JSON.stringify(info));
      },
    });
  return { close: () => server.close() };
}

describe('an attacker with the password of agent ben', { timeout: 60_000 }, () => {
  it('cannot speak as ada, and the run goes on to its end', async () => {
    expect(status, fleet.said('coordinator')).toBe(0);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.filter((answer) => !answer.startsWith('refused'))).toEqual([]);
    expect(transcript).toHaveLength(TURNS);
    expect(transcript.filter(({ text }) => text.includes(FORGED))).toEqual([]);
    expect(transcript.every(({ agent, stream }) => agent === stream)).toBe(true);
  });

  it('cannot keep the run from being recorded whole, with a transcript that agrees with its events', async () => {
    const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
    expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
  });

  it('cannot pose as the analyzer', () => {
    expect(hijacked).toEqual([]);
    expect(fleet.said('coordinator')).not.toContain('ROGUE');
  });

  it('cannot pass off a transcript in which another agent speaks as sound', async () => {
    const { checkSpeakers } = await import('../../src/recordings/check-speakers.ts');
    const lines = async (name: string) =>
      (await readFile(join(fleet.runs, RUN, name), 'utf8'))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as never);
    const [events, spoken] = [await lines('events.jsonl'), await lines('transcript.jsonl')];
    expect(checkSpeakers(events, spoken)).toEqual([]);
    const forged = spoken.map((line: Utterance) => (line.turn === 2 ? { ...line, agent: 'ben' } : line));
    expect(checkSpeakers(events, forged).length).toBeGreaterThan(0);
    const unplaced = forged.map((line: object) => ({ ...line, seq: undefined })) as never[];
    expect(checkSpeakers(events, unplaced).length).toBeGreaterThan(0);
  });

  const EPISODE = 'entrain.v2.lab.episode.x';
  it.each([
    `$JS.API.STREAM.INFO.${STREAM}`,
    `$JS.API.STREAM.DELETE.${STREAM}`,
    `$JS.API.STREAM.PURGE.${STREAM}`,
    `$JS.API.STREAM.MSG.GET.${STREAM}`,
    `$JS.API.DIRECT.GET.${STREAM}`,
    `$JS.API.CONSUMER.CREATE.${STREAM}`,
    `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.spec-ada`,
    `$JS.API.CONSUMER.INFO.${STREAM}.spec-ada`,
    '$JS.API.INFO',
    subjects.renewToken(RUN, 'ada'),
    subjects.event(RUN, 'run-finished'),
    subjects.episodeEvent(RUN, 'x', 'episode-finished.x'),
    subjects.spec(RUN, 'x', 'ada'),
    subjects.analyzerFinished('analyzer'),
    subjects.release('ada'),
    subjects.token(RUN, 'x', 'ada'),
    subjects.heardToken(RUN, 'ada', { episode: 'x', agent: 'ada' }),
    `${EPISODE}.utterance.0`,
    `${EPISODE}.utterance.0.ada`,
    `${EPISODE}.alternative.0.1.ada`,
    '_INBOX_coordinator.x',
  ])('cannot publish on %s', async (subject) => {
    expect(await publish(subject, {})).toMatch(/^refused: .*Permissions Violation/i);
  });

  it.each([
    'entrain.v2.>',
    subjects.events(RUN),
    subjects.episodeEvents(RUN),
    subjects.assign('ada'),
    '_INBOX_coordinator.>',
    '_INBOX.>',
    '_INBOX_agent-ada.>',
    '$JS.EVENT.>',
    subjects.utterances(RUN),
    subjects.tokens(RUN),
    subjects.heardTokens(RUN, 'ada'),
    subjects.talk(RUN),
    `$SRV.INFO.${ANALYZER_SERVICE}`,
    `$SRV.INFO.${ANALYZER_SERVICE}.*`,
    '$SRV.>',
  ])('cannot subscribe to %s', async (subject) => {
    const fault = new Promise((resolve) => ben.subscribe(subject, { callback: (error) => resolve(error) }));
    expect(await fault).toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
  });
});
