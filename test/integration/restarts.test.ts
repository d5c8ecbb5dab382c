/**
 * Any program may die at any point: a run in which one is killed again and again must say the same as an undisturbed
 * one, and be recorded whole.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet, type Program } from '../fixtures/programs/fleet.ts';

const STUDY = { scenarios: 4, episodes: 1, maxTurns: 8, maxTokens: 8 };
const TURNS = 4 * 2 * 8;
const KILLS = 5;
/** Many times what a run of so few turns takes. */
const END_MS = 150_000;
/** Everything is started anew each time, which takes a while. */
const KILLS_OF_MANY = 2;

let folder: string;
let study: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-restart-'));
  study = await writeSmallStudy(folder, STUDY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withFleet(run: string, play: (fleet: Fleet) => Promise<void>): Promise<string[]> {
  const fleet = await createFleet({ folder: join(folder, run), study, run, agents: ['ada', 'ben'] });
  try {
    for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
      await fleet.start(program);
    await play(fleet);
    const status = await Promise.race([fleet.ended('coordinator'), waited(END_MS)]);
    if (status !== 0) throw new Error(`${status}: ${await whatIsKnown(fleet, run)}`);
    await until('a complete recording', () => isRecorded(join(fleet.runs, run)));
    const transcript = await readTranscript(fleet.runs, run);
    return transcript.map(
      ({ episode, turn, agent, text, finish }) => `${episode}/${turn} ${agent}: ${text} (${finish})`,
    );
  } finally {
    await fleet.close();
  }
}

const waited = async (ms: number): Promise<string> => {
  await new Promise((done) => setTimeout(done, ms).unref());
  return `the coordinator did not end within ${ms / 1000} s`;
};

/** For finding out why a run stood still. */
async function whatIsKnown(fleet: Fleet, run: string): Promise<string> {
  const logs = (['coordinator', 'agent-ada', 'agent-ben', 'analyzer'] as const).map(
    (program) => `${program}:\n${fleet.said(program).slice(-4000)}`,
  );
  return [`${await said(fleet, run)} of ${TURNS} turns`, ...logs].join('\n\n');
}

/**
 * Checks that every utterance is recorded up to the frame it names, and nothing is damaged, missing or duplicated.
 */
async function isRecorded(run: string): Promise<true | undefined> {
  const { faults, utterances } = await verifyRun(run);
  return (
    (faults.length === 0 && utterances?.total === TURNS && utterances.incomplete.length === 0) || undefined
  );
}

const said = async (fleet: Fleet, run: string): Promise<number> =>
  (await readTranscript(fleet.runs, run)).length;

/** One program, or several that are all dead before the first of them is started again. */
type Victim = Program | 'nats' | readonly Program[];

async function restart(fleet: Fleet, victim: Victim): Promise<void> {
  if (victim === 'nats') return fleet.nats.restart();
  const programs = typeof victim === 'string' ? [victim] : victim;
  for (const program of programs) await fleet.kill(program);
  for (const program of programs) await fleet.start(program);
}

/** Kills the victims in turn at evenly spread points of the run and starts each again at once. */
async function disturb(run: string, victims: readonly Victim[], times: number): Promise<string[]> {
  let kills = 0;
  const words = await withFleet(run, async (fleet) => {
    for (; kills < times; kills += 1) {
      const wanted = Math.floor((TURNS * (kills + 1)) / (times + 2));
      await until(`${wanted} turns`, async () => (await said(fleet, run)) >= wanted);
      await restart(fleet, victims[kills % victims.length] as Victim);
    }
  });
  expect(kills).toBe(times);
  return words;
}

describe(
  'a run says the same words, with no turn twice and none missing, when kill -9 hits',
  { timeout: 300_000 },
  () => {
    let undisturbed: string[];
    beforeAll(async () => {
      undisturbed = await withFleet('peace', async () => undefined);
      expect(undisturbed).toHaveLength(TURNS);
    }, 300_000);

    it.each<[string, Victim[], number]>([
      ['the coordinator', ['coordinator'], KILLS],
      ['the agents', ['agent-ada', 'agent-ben'], KILLS],
      ['the analyzer', ['analyzer'], KILLS],
      ['nats-server', ['nats'], KILLS],
      ['all but the analyzer together', [['coordinator', 'agent-ada', 'agent-ben']], KILLS_OF_MANY],
    ])('%s', async (name, programs, times) => {
      expect(await disturb(name.replaceAll(' ', '-'), programs, times)).toEqual(undisturbed);
    });
  },
);
