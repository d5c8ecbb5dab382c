/**
 * A program may die in the middle of a branch: the run then says the same words, has the same alternatives, and its
 * recording the same states, byte for byte, as one left in peace.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import {
  isAlternative,
  playDisturbed,
  saidBy,
  spokenBy,
  type Moment,
  type Outcome,
} from '../fixtures/programs/disturbed-run.ts';
import { readTranscript, type Fleet, type Program } from '../fixtures/programs/fleet.ts';

/** Two episodes of six turns. */
const TURNS = 2 * 6;
const branches = { share: 1, alternatives: 2 };

let folder: string;
let study: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-branches-'));
  study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 6, maxTokens: 8 });
  const plain = JSON.parse(await readFile(study, 'utf8')) as object;
  await writeFile(study, JSON.stringify({ ...plain, branches }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const play = (run: string, agents: string[], disturb?: (at: Moment) => Promise<void>): Promise<Outcome> =>
  playDisturbed({ folder, study, turns: TURNS, run, agents }, disturb);

describe('a run in which a program is killed in the middle of a branch', { timeout: 400_000 }, () => {
  let peace: Outcome;
  beforeAll(async () => {
    peace = await play('peace', ['ada', 'ben']);
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
