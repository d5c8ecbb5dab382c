/**
 * A study that moves states, played by the programs themselves: its figures live, at the end, offline and by replay,
 * and the same versions where a speaker dies in the middle of them.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { PROGRAM } from '../fixtures/programs/analyzer-process.ts';
import { startDemo, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { playDisturbed, saidBy, type Outcome } from '../fixtures/programs/disturbed-run.ts';
import { linesOf } from '../fixtures/recordings/score-lines.ts';

const runProgram = promisify(execFile);
const patch = { layers: [1], sizes: [0.001, 3] };
const branches = { share: 1, alternatives: 2, patch };
/** Versions besides what is said: of other words, and of each size. */
const VERSIONS = 2 + 2 * 2;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-patching-'))));
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

async function studyOf(name: string, size: Parameters<typeof writeSmallStudy>[1]): Promise<string> {
  const plain = JSON.parse(await readFile(await writeSmallStudy(folder, size), 'utf8')) as object;
  const study = join(folder, `${name}.json`);
  await writeFile(study, JSON.stringify({ ...plain, branches }));
  return study;
}

describe('a run whose study moves states', { timeout: 400_000 }, () => {
  let demo: Demo;
  const entrain = async (...flags: string[]): Promise<string> =>
    (await runProgram(process.execPath, [PROGRAM, ...flags])).stdout;
  beforeAll(async () => {
    // Six scenarios of two episodes; the first of each gives the components.
    const study = await studyOf('whole', { scenarios: 6, episodes: 2, maxTurns: 8, maxTokens: 8 });
    demo = startDemo(folder, study, ['--once']);
    expect(await demo.ended, demo.output()).toBe(0);
  }, 400_000);

  it('has every version of every turn, and says so', async () => {
    const { faults, lacking, branches: found } = await verifyRun(demo.folder);
    expect([...faults, ...lacking]).toEqual([]);
    // Both conditions: 6 × 2 × 8 turns, half of them in second episodes.
    expect(found).toMatchObject({ turns: 192, alternatives: 384, patched: 96 * 4, unpatched: 0, skipped: 0 });
  });

  it('finds that a state moved far is a cause of the listener’s, one hardly moved is none, and unheard it is exactly 0', async () => {
    const lines = await linesOf(join(demo.folder, 'scores.jsonl'), { provisional: false });
    const groups = lines.filter(({ type }) => type === 'influence');
    expect(groups).toHaveLength(4);
    for (const { condition, patches } of groups as unknown as { condition: string; patches: PatchLine[] }[]) {
      expect(
        patches.map(({ kind, layer, size, histories, branches: versions }) => [
          kind,
          layer,
          size,
          histories,
          versions,
        ]),
      ).toEqual([
        ['perturbation', 1, 0.001, 24, 48],
        ['perturbation', 1, 3, 24, 48],
      ]);
      for (const { size, influence } of patches)
        if (condition === 'live' && size === 3) expect(influence?.ci[0]).toBeGreaterThan(0.05);
        else if (condition === 'monologue') expect(influence).toMatchObject({ value: 0, ci: [0, 0] });
        else expect(influence?.value).toBeLessThan(0.05);
    }
  });

  it('shows them in its table, and gives the same offline and by replay', async () => {
    expect(demo.output()).toMatch(/patching +direction +layer +size +turns +utterances +influence/);
    expect(demo.output()).toMatch(/monologue +1st → 2nd +1 +3 SD +24 +\d\.\d of 2 +0\.000 +0\.000 … 0\.000/);
    const runs = join(demo.folder, '..');
    expect(await entrain('replay', 'demo', '--runs', runs)).toMatch(/^(\d+) of \1 scores equal/);
    const { groups } = JSON.parse(await entrain('measure', 'influence', '--run', demo.folder, '--json')) as {
      groups: { condition: string; direction: string; patches: PatchLine[] }[];
    };
    const lines = (await linesOf(join(demo.folder, 'scores.jsonl'), {
      provisional: false,
    })) as unknown as typeof groups;
    for (const { condition, direction, patches } of groups)
      expect(
        lines.find((line) => line.condition === condition && line.direction === direction && line.patches)
          ?.patches,
      ).toEqual(patches);
  });
});

interface PatchLine {
  kind: string;
  layer: number;
  size: number;
  histories: number;
  branches: number;
  influence: { value: number; ci: [number, number] } | null;
}

describe(
  'a run in which a speaker dies between two versions with a moved state',
  { timeout: 600_000 },
  () => {
    /** An episode that gives the components, and one that is patched, in two conditions. */
    const TURNS = 2 * 2 * 18;
    const plan = { turns: TURNS, agents: ['ada', 'ben'] };
    let study: string;
    let peace: Outcome;
    beforeAll(async () => {
      study = await studyOf('small', { scenarios: 1, episodes: 2, maxTurns: 18, maxTokens: 8 });
      peace = await playDisturbed({ ...plan, folder, study, run: 'peace' });
    }, 400_000);

    it('has the same versions and states as one left in peace, though its perturbations follow from states of before', async () => {
      expect(peace.alternatives).toHaveLength((TURNS / 2) * (2 + VERSIONS));
      const outcome = await playDisturbed(
        { ...plan, folder, study, run: 'killed' },
        async ({ fleet, next }) => {
          for (const [agent, k] of [
            ['ada', 4],
            ['ben', 5],
          ] as const) {
            await next(saidBy(agent, k));
            await fleet.kill(`agent-${agent}`);
            await fleet.start(`agent-${agent}`);
          }
        },
      );
      expect(outcome).toEqual(peace);
    });

    it('goes on without moved states where another agent takes the role over, which has kept none', async () => {
      const run = 'taken-over';
      const agents = ['ada', 'ben', 'cas'];
      const outcome = await playDisturbed(
        { ...plan, folder, study, run, agents },
        async ({ fleet, next }) => {
          await next(saidBy('ben', 4));
          await fleet.kill('agent-ben');
          await next((message) => message.is === 'utterance' && message.agent === 'cas');
          await fleet.start('agent-ben');
        },
      );
      expect(outcome.words).toEqual(peace.words);
      expect(outcome.alternatives.filter((line) => line.endsWith('3  (skipped)')).length).toBeGreaterThan(0);
    });
  },
);
