/**
 * Many short runs on one set of resident programs with real models: what a day of a service does to memory, open files,
 * streams, rows, consumers, series and what stands on disks. Two pairs of agents play at the same time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsLink } from '../src/transport/nats/connection.ts';
import { request } from '../src/transport/nats/services.ts';
import { subjects } from '../src/protocol/subjects.ts';
import { createFleet } from '../test/fixtures/programs/fleet.ts';
import { lookAt, type ManyRunsLook } from './many-runs-figures.ts';

export interface ManyRunsOptions {
  runs: number;
  /** A row is taken after so many. */
  every: number;
  /** No run is begun after that time; the row after the last is taken then. */
  minutes: number;
  onRow(row: ManyRunsRow): void;
}

/** Figures after a number of runs. */
export interface ManyRunsRow extends ManyRunsLook {
  finished: number;
  failed: number;
  /** At the end: runs of which neither was heard for `STUCK_MS`. */
  stuck: number;
  seconds: number;
}

const PAIRS = [
  ['ada', 'ben'],
  ['cid', 'dan'],
] as const;
const AGENTS = PAIRS.flat();
const MODEL = 'models/entrain-dialogue-300k';
const EVA = { role: 'submitter', name: 'eva' };
/** The service forgets a run that long after its end: about a minute and a half in place of thirty days. */
const KEEP_DAYS = '0.001';
/** So does the analyzer, in place of a day. */
const FORGET = ['--forget-hours', '0.025'];
/** Runs that wait at a time. */
const AHEAD = 4;
const LOOK_MS = 500;
const ASK_MS = 20_000;
/** Without an end of any run for so long, those that are open will not end. */
const STUCK_MS = 600_000;
/** Programs may take long to start on a busy machine. */
const PATIENCE_MS = 300_000;

/** One episode of two turns of four tokens. */
const studyOf = (pair: readonly string[]) => ({
  name: 'short',
  seed: 1,
  pairs: [pair],
  scenarios: [
    {
      id: 'stairs',
      text: 'Two neighbors meet on the stairs.',
      people: ['dogs', 'drums'].map((what) => ({
        persona: `I love ${what}.`,
        goal: 'Say hello.',
        secret: 'None.',
      })),
    },
  ],
  episodes: 1,
  minTurns: 2,
  maxTurns: 2,
  maxTokens: 4,
});

export async function playMany({ runs, every, minutes, onRow }: ManyRunsOptions): Promise<ManyRunsRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-many-'));
  const fleet = await createFleet({
    folder,
    study: '',
    run: '',
    agents: AGENTS,
    models: Object.fromEntries(AGENTS.map((agent) => [agent, MODEL])),
    resident: { users: ['submitter-eva'] },
    coordinatorFlags: ['--keep-days', KEEP_DAYS, '--submitter-runs', String(runs + 1)],
  });
  try {
    const programs = [
      'coordinator',
      'analyzer',
      ...AGENTS.map((agent) => `agent-${agent}` as const),
    ] as const;
    for (const program of programs) await fleet.start(program, program === 'analyzer' ? FORGET : []);
    const eva = await fleet.nats.connect('submitter-eva');
    const link = await fleet.nats.connect('coordinator');
    const startMs = performance.now();
    const rows: ManyRunsRow[] = [];
    const ends = await countingEnds(eva);
    for (let submitted = 0, before = 0, endedMs = startMs, isOver = false; !isOver;) {
      const { finished, failed } = await ends();
      const ended = finished + failed;
      if (ended > before) [before, endedMs] = [ended, performance.now()];
      const seconds = (performance.now() - startMs) / 1000;
      const most = seconds < minutes * 60 ? runs : submitted;
      const isStuck = performance.now() - endedMs > STUCK_MS;
      isOver = ended >= most || isStuck;
      if (ended >= rows.length * every || isOver) {
        const stuck = isStuck ? submitted - ended : 0;
        rows.push({ finished, failed, stuck, seconds, ...(await lookAt({ fleet, folder, programs, link })) });
        onRow(rows.at(-1) as ManyRunsRow);
      }
      for (; submitted < Math.min(most, ended + AHEAD); submitted += 1) {
        const study = studyOf(PAIRS[submitted % PAIRS.length] ?? PAIRS[0]);
        await ask(eva, 'submit', { run: `r${submitted}`, study, priority: 0 });
      }
      await delay(LOOK_MS);
    }
    return rows;
  } finally {
    await fleet.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Asks again while no coordinator leads yet. */
async function ask(link: NatsLink, verb: string, body: unknown): Promise<unknown> {
  const untilMs = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const text = await request(link.connection, subjects.service(EVA, verb), { body, timeoutMs: ASK_MS });
      const answer = JSON.parse(text) as { value?: unknown; error?: { message: string } };
      if (answer.error) throw new Error(answer.error.message, { cause: 'refused' });
      return answer.value;
    } catch (error) {
      if ((error as Error).cause === 'refused' || performance.now() > untilMs) throw error;
      await delay(LOOK_MS);
    }
  }
}

/** Counts runs by their end; the service itself forgets those that ended long ago. */
async function countingEnds(link: NatsLink): Promise<() => Promise<{ finished: number; failed: number }>> {
  const ends = { finished: new Set<string>(), failed: new Set<string>() };
  return async () => {
    const { runs } = (await ask(link, 'runs', {})) as { runs: { run: string; state: string }[] };
    for (const { run, state } of runs) if (state === 'finished' || state === 'failed') ends[state].add(run);
    return { finished: ends.finished.size, failed: ends.failed.size };
  };
}
