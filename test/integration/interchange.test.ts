/**
 * A study that exchanges states between episodes, played by the programs themselves: what is recorded, its figures
 * live, offline and by replay.
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
import { linesOf } from '../fixtures/recordings/score-lines.ts';

const runProgram = promisify(execFile);
const branches = { share: 1, alternatives: 1, patch: { layers: [3], kind: 'interchange' } };

let folder: string;
let demo: Demo;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-interchange-'));
  // Six scenarios of six episodes; the first three of each give their states. Before the first turn all states of a
  // scenario are the same, so the speaker of that turn has fewer distinct versions.
  const size = { scenarios: 6, episodes: 6, maxTurns: 6, maxTokens: 6 };
  const plain = JSON.parse(await readFile(await writeSmallStudy(folder, size), 'utf8')) as object;
  const study = join(folder, 'interchange.json');
  await writeFile(study, JSON.stringify({ ...plain, branches, conditions: ['live'] }));
  demo = startDemo(folder, study, ['--once']);
  expect(await demo.ended, demo.output()).toBe(0);
}, 400_000);
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const entrain = async (...flags: string[]): Promise<string> =>
  (await runProgram(process.execPath, [PROGRAM, ...flags])).stdout;

const rounded = (of: unknown): unknown =>
  JSON.parse(JSON.stringify(of), (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toFixed(7)) : value,
  );

interface Group {
  condition: string;
  direction: string;
  patches: {
    kind: string;
    layer: number;
    size?: number;
    histories: number;
    branches: number;
    influence: { value: number; ci: [number, number] } | null;
    follows: { score: number; p_value: number } | null;
  }[];
}

describe('a run whose study exchanges states', { timeout: 400_000 }, () => {
  it('has a version of each turn of a later episode for each of the three donors', async () => {
    const { faults, lacking, branches: found } = await verifyRun(demo.folder);
    expect([...faults, ...lacking]).toEqual([]);
    // 36 × 6 turns, half of them in later episodes.
    expect(found).toMatchObject({
      turns: 216,
      alternatives: 216,
      patched: 108 * 3,
      unpatched: 0,
      skipped: 0,
    });
    const lines = (await readFile(join(demo.folder, 'branches.jsonl'), 'utf8')).trim().split('\n');
    const given = lines.map((line) => JSON.parse(line) as { episode: string; donor?: string });
    const donors = given.filter(({ donor }) => donor !== undefined);
    expect(donors.every(({ episode, donor }) => donor !== episode)).toBe(true);
    // No later episode is a donor, and each donor serves three episodes of six turns.
    expect(donors.filter(({ donor }) => donors.some(({ episode }) => episode === donor))).toEqual([]);
    expect(new Set(donors.map(({ donor }) => donor)).size).toBe(18);
  });

  it('finds what the donor makes of the listener’s state, and has a figure of where it goes', async () => {
    const lines = await linesOf(join(demo.folder, 'scores.jsonl'), { provisional: false });
    const groups = lines.filter(({ type }) => type === 'influence') as unknown as Group[];
    expect(groups.map(({ direction }) => direction).sort()).toEqual(['first_to_second', 'second_to_first']);
    for (const { patches } of groups) {
      expect(patches).toHaveLength(1);
      expect(patches[0]).toMatchObject({ kind: 'interchange', layer: 3, histories: 54, branches: 162 });
      expect(patches[0]).not.toHaveProperty('size');
      expect(patches[0]?.influence?.ci[0]).toBeGreaterThan(0);
      expect(patches[0]?.follows?.p_value).toBeGreaterThan(0);
    }
  });

  it('shows them in its table, and gives the same offline and by replay', async () => {
    expect(demo.output()).toMatch(/live +1st → 2nd +3 +exchanged +54 +\d\.\d of 3 +0\.\d+/);
    expect(await entrain('replay', 'demo', '--last', '--runs', join(demo.folder, '..'))).toMatch(
      /^(\d+) of \1 scores equal/,
    );
    const answer = await entrain('measure', 'influence', '--run', demo.folder, '--json');
    const { groups } = JSON.parse(answer) as { groups: Group[] };
    const lines = (await linesOf(join(demo.folder, 'scores.jsonl'), {
      provisional: false,
    })) as unknown as Group[];
    expect(groups).toHaveLength(2);
    // Live rows come in another order, and sums of other orders differ in their last digits.
    for (const { direction, patches } of groups)
      expect(rounded(lines.find((line) => line.direction === direction && line.patches)?.patches)).toEqual(
        rounded(patches),
      );
  });
});
