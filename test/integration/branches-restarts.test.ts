/**
 * A program may die in the middle of a branch: the run then says the same words, has the same alternatives, and its
 * recording the same states, byte for byte, as one left in peace.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/journal/read-recording.ts';
import { names, storedKind, subjects, type StoredKind } from '../../src/protocol/subjects.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { consume, createConsumer } from '../../src/transport/nats/streams.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet, type Program } from '../fixtures/programs/fleet.ts';

/** Two episodes of six turns. */
const TURNS = 2 * 6;
const branches = { share: 1, alternatives: 2 };
const END_MS = 200_000;

let folder: string;
let study: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-branches-'));
  study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 6, maxTokens: 8 });
  const plain = JSON.parse(await readFile(study, 'utf8')) as object;
  await writeFile(study, JSON.stringify({ ...plain, branches }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Outcome {
  words: string[];
  alternatives: string[];
  /** By episode, turn, state, version and role: the tensor of the latest seating. */
  states: Map<string, string>;
}

interface Moment {
  fleet: Fleet;
  /** Settles at the next alternative or utterance of which `is` holds. */
  next(is: (message: StoredKind) => boolean): Promise<void>;
}

async function play(run: string, agents: string[], disturb: (at: Moment) => Promise<void>): Promise<Outcome> {
  // Soon only where somebody is there to take over.
  const graceSeconds = agents.length > 2 ? '4' : '60';
  const coordinatorFlags = ['--grace-seconds', graceSeconds, '--wait-seconds', '60'];
  const fleet = await createFleet({ folder: join(folder, run), study, run, agents, coordinatorFlags });
  try {
    const watcher = await fleet.nats.connect('coordinator');
    const programs: Program[] = ['analyzer', ...agents.map((id): Program => `agent-${id}`), 'coordinator'];
    for (const program of programs) await fleet.start(program);
    const watch = await watchStream(watcher, run);
    const { next } = watch;
    await disturb({ fleet, next });
    await until(
      'all turns',
      async () =>
        (await readTranscript(fleet.runs, run)).length === TURNS || failure(fleet.said('coordinator')),
      END_MS,
    );
    await until('a complete recording', () => isRecorded(join(fleet.runs, run)));
    await watch.stop();
    return await outcomeOf(fleet, run);
  } finally {
    await fleet.close();
  }
}

/** The messages of the run's stream as they are stored. */
async function watchStream(
  { connection }: NatsLink,
  run: string,
): Promise<Pick<Moment, 'next'> & { stop(): Promise<void> }> {
  const waiting = new Set<(message: StoredKind) => void>();
  const place = { stream: names.stream(run), consumer: 'watch' };
  await until('the stream of the run', () =>
    createConsumer(connection, { stream: place.stream, name: 'watch', filter: subjects.talk(run) }).then(
      () => true,
      () => undefined,
    ),
  );
  const { stop } = await consume(connection, {
    ...place,
    take: ({ subject, ack }) => {
      ack();
      for (const tell of waiting) tell(storedKind(subject));
    },
  });
  const next: Moment['next'] = (is) =>
    new Promise((resolve) => {
      const tell = (message: StoredKind): void => {
        if (!is(message)) return;
        waiting.delete(tell);
        resolve();
      };
      waiting.add(tell);
    });
  return { next, stop };
}

/** @throws Error once the run has failed */
function failure(said: string): undefined {
  if (said.includes('AGENT_LOST')) throw new Error(said.slice(-2000));
  return undefined;
}

/** Everything but the seals, which are made when the analyzer ends. */
async function isRecorded(run: string): Promise<true | undefined> {
  const { faults, lacking, utterances } = await verifyRun(run);
  const whole = [...faults, ...lacking].length === 0 && utterances?.incomplete.length === 0;
  return (whole && utterances.total === TURNS) || undefined;
}

async function outcomeOf(fleet: Fleet, run: string): Promise<Outcome> {
  const at = join(fleet.runs, run);
  const lines = (await readFile(join(at, 'branches.jsonl'), 'utf8')).split('\n').filter(Boolean);
  const latest = new Map<string, { seating: number; data: string }>();
  const roles = new Map<string, number>();
  for await (const { stream, epoch, message } of readRecording(at)) {
    if (message.type === 'episode') roles.set(`${stream}/${epoch}/${message.episode}`, message.role);
    if (message.type !== 'branch') continue;
    const { episode, turn, state, k, seating = 0, data } = message;
    const key = `${episode}/${turn} ${state} ${k} role ${roles.get(`${stream}/${epoch}/${episode}`)}`;
    if ((latest.get(key)?.seating ?? -1) <= seating)
      latest.set(key, { seating, data: Buffer.from(data).toString('base64') });
  }
  return {
    // Episodes are played side by side, and how their turns interleave is no part of the outcome.
    words: (await readTranscript(fleet.runs, run))
      .map(({ episode, turn, text }) => `${episode}/${turn} ${text}`)
      .toSorted(),
    alternatives: lines
      .map((line) => {
        const { episode, turn, k, text, finish } = JSON.parse(line) as Record<string, string>;
        return `${episode}/${turn} ${k} ${text} (${finish})`;
      })
      .toSorted(),
    states: new Map([...latest].map(([key, { data }]) => [key, data])),
  };
}

const isAlternative = (k: number) => (message: StoredKind) => message.is === 'alternative' && message.k === k;
const saidBy = (agent: string, k: number) => (message: StoredKind) =>
  message.is === 'alternative' && message.k === k && message.agent === agent;
const spokenBy = (agent: string) => (message: StoredKind) =>
  message.is === 'utterance' && message.agent === agent;

describe('a run in which a program is killed in the middle of a branch', { timeout: 400_000 }, () => {
  let peace: Outcome;
  beforeAll(async () => {
    peace = await play('peace', ['ada', 'ben'], async () => undefined);
  }, 400_000);

  it('has, left in peace, every alternative and every state', () => {
    expect(peace.words).toHaveLength(TURNS);
    expect(peace.alternatives).toHaveLength(TURNS * 2);
    expect(peace.states.size).toBe(TURNS * (3 * 3 + 3));
  });

  async function restart(fleet: Fleet, program: Program): Promise<void> {
    await fleet.kill(program);
    await fleet.start(program);
  }

  it('is the same where speakers die between two alternatives', async () => {
    const outcome = await play('speakers', ['ada', 'ben'], async ({ fleet, next }) => {
      for (const agent of ['ada', 'ben', 'ada'] as const) {
        await next(saidBy(agent, 1));
        await restart(fleet, `agent-${agent}`);
      }
    });
    expect(outcome).toEqual(peace);
  });

  it('is the same where listeners die when they hear what was said', async () => {
    const outcome = await play('listeners', ['ada', 'ben'], async ({ fleet, next }) => {
      for (const [speaker, listener] of [
        ['ada', 'ben'],
        ['ben', 'ada'],
      ] as const) {
        await next(spokenBy(speaker));
        await restart(fleet, `agent-${listener}`);
      }
    });
    expect(outcome).toEqual(peace);
  });

  it('is the same where coordinator, analyzer and nats-server die', async () => {
    const outcome = await play('servers', ['ada', 'ben'], async ({ fleet, next }) => {
      await next(isAlternative(2));
      await restart(fleet, 'coordinator');
      await next(isAlternative(1));
      await restart(fleet, 'analyzer');
      await next(isAlternative(1));
      await fleet.nats.restart();
    });
    expect(outcome).toEqual(peace);
  });

  it('is the same where another agent takes the role over between two alternatives', async () => {
    const outcome = await play('takeover', ['ada', 'ben', 'cas'], async ({ fleet, next }) => {
      await next(saidBy('ben', 1));
      await fleet.kill('agent-ben');
      // What the lost agent had in its spool is sent once it is back, as a program that has no role.
      await until('another speaker', async () =>
        (await readTranscript(fleet.runs, 'takeover')).some(({ agent }) => agent === 'cas'),
      );
      await fleet.start('agent-ben');
    });
    expect(outcome.words).toEqual(peace.words);
    expect(outcome.alternatives).toEqual(peace.alternatives);
    expect(outcome.states).toEqual(peace.states);
  });
});
