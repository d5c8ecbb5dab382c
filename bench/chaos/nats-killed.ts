/**
 * nats-server is killed again and again while events and turns are written and read. Two agents want every turn; the ledger
 * holds what the server acknowledged to whom, and the stream is read back message by message.
 */
import { names, subjects } from '../../src/protocol/subjects.ts';
import type { NatsLink } from '../../src/transport/nats.ts';
import {
  consume,
  createConsumer,
  createRunStream,
  publishOnce,
  publishStored,
} from '../../src/transport/nats-streams.ts';
import { startNats, type NatsFixture } from '../../test/nats-fixture.ts';
import { pause } from './programs.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'nats-server killed';
const RUN = 'chaos';
const STREAM = names.stream(RUN);
const EVENT_WRITERS = 4;
const EPISODES = 4;
const CONSUMER = 'ledger';

/** What was acknowledged: subject → bodies, each as often as somebody was told that it is stored. */
type Ledger = Map<string, string[]>;

interface Load {
  ledger: Ledger;
  /** Messages that the consumer was handed, by place in the stream. */
  heard: Set<number>;
  writing: boolean;
  counts: { acknowledged: number; heard: number };
}

interface Stored {
  subject: string;
  body: string;
}

export async function killNats({ times, random }: ScenarioOptions): Promise<Outcome> {
  const nats = await startNats(['coordinator', 'agent-ada', 'agent-ben'], { runs: [RUN] });
  try {
    const [coordinator, ...agents] = (await Promise.all(
      ['coordinator', 'agent-ada', 'agent-ben'].map((user) => nats.connect(user)),
    )) as [NatsLink, NatsLink, NatsLink];
    const load: Load = {
      ledger: new Map(),
      heard: new Set(),
      writing: true,
      counts: { acknowledged: 0, heard: 0 },
    };
    const listening = await listen(coordinator, load);
    const writers = startWriters(load, coordinator, agents);
    const pausesMs: number[] = [];
    for (let i = 0; i < times; i++) {
      await pause(100 + random() * 300);
      pausesMs.push(await killOnce(nats, load));
    }
    load.writing = false;
    await Promise.all(writers);
    const stored = await readStream(coordinator);
    await waitFor(() => load.heard.size >= stored.length);
    await listening.stop();
    return judge(load, { stored, times, pausesMs });
  } finally {
    await nats.close();
  }
}

async function listen(link: NatsLink, load: Load): Promise<{ stop(): Promise<void> }> {
  await createRunStream(link.connection, { name: STREAM, subjects: subjects.stored(RUN) });
  const filter = subjects.everything(RUN);
  await createConsumer(link.connection, { stream: STREAM, name: CONSUMER, filter });
  return consume(link.connection, {
    stream: STREAM,
    consumer: CONSUMER,
    take: ({ seq, ack }) => {
      load.heard.add(seq);
      load.counts.heard += 1;
      ack();
    },
  });
}

function startWriters(load: Load, coordinator: NatsLink, agents: NatsLink[]): Promise<void>[] {
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return [
    ...numbers(EVENT_WRITERS).map((i) => writeEvents(load, coordinator, i)),
    ...numbers(EPISODES).flatMap((i) => agents.map((link, who) => speak(load, link, `e${i}-${who}`))),
  ];
}

async function writeEvents(load: Load, { connection }: NatsLink, writer: number): Promise<void> {
  const subject = subjects.event(RUN, `w${writer}`);
  for (let i = 0; load.writing; i++) {
    const id = `w${writer}-${i}`;
    await publishStored(connection, { subject, id, body: id });
    acknowledge(load, { subject, body: JSON.stringify(id) });
  }
}

/** Both agents say turn after turn of the same episode, each its own words. */
async function speak(load: Load, { connection }: NatsLink, speaker: string): Promise<void> {
  const [episode] = speaker.split('-') as [string];
  for (let turn = 0; load.writing; turn++) {
    const subject = subjects.utterance(RUN, episode, turn);
    const body = `${speaker} says ${turn}`;
    const first = await publishOnce(connection, { subject, id: `${speaker}-${turn}`, body });
    if (first) acknowledge(load, { subject, body: JSON.stringify(body) });
  }
}

function acknowledge(load: Load, { subject, body }: Stored): void {
  load.counts.acknowledged += 1;
  const bodies = load.ledger.get(subject);
  if (bodies) bodies.push(body);
  else load.ledger.set(subject, [body]);
}

/** Milliseconds from the kill until messages are both stored and heard again. */
async function killOnce(nats: NatsFixture, { counts }: Load): Promise<number> {
  await nats.restart();
  const startMs = performance.now();
  const before = { ...counts };
  await waitFor(() => counts.acknowledged > before.acknowledged + 1 && counts.heard > before.heard + 1);
  return performance.now() - startMs;
}

async function waitFor(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!holds() && performance.now() < deadlineMs) await pause(5);
}

async function readStream({ connection }: NatsLink): Promise<Stored[]> {
  const manager = await connection.jetstreamManager();
  const { state } = await manager.streams.info(STREAM);
  const stored: Stored[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(STREAM, { seq });
    stored.push({ subject: message.subject, body: message.string() });
  }
  return stored;
}

function judge(
  load: Load,
  { stored, times, pausesMs }: { stored: Stored[]; times: number; pausesMs: number[] },
): Outcome {
  const found = new Map<string, number>();
  const turns = new Map<string, number>();
  for (const { subject, body } of stored) {
    found.set(`${subject} ${body}`, (found.get(`${subject} ${body}`) ?? 0) + 1);
    if (subject.includes('.utterance.')) turns.set(subject, (turns.get(subject) ?? 0) + 1);
  }
  const promised = [...load.ledger].flatMap(([subject, bodies]) =>
    bodies.map((body) => `${subject} ${body}`),
  );
  const lost = promised.filter((key) => !found.has(key)).length;
  const doubled = [...turns.values()].filter((count) => count > 1).length;
  const unheard = stored.length - load.heard.size;
  const worst = Math.max(...pausesMs);
  const failures = Object.entries({ lost, 'turns doubled': doubled, 'never heard': unheard })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${NAME}: ${count} ${what}`);
  if (promised.length === 0) failures.push(`${NAME}: nothing was written`);
  const middle = pausesMs.toSorted((a, b) => a - b)[Math.floor(pausesMs.length / 2)] ?? 0;
  const again = `on again after ${(middle / 1000).toFixed(1)} s (median), ${(worst / 1000).toFixed(1)} s (worst)`;
  const counts = `${promised.length} messages acknowledged, ${turns.size} turns, ${unheard} not delivered`;
  return { name: NAME, figures: `${times} kills, ${again}; ${counts}`, lost, doubled, failures };
}
