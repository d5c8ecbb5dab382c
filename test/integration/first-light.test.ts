/**
 * The whole path with real processes, a real model and a real nats-server. What a newcomer is promised is checked
 * from outside: the terminal, the run folder, and a second run of the same study.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Utterance } from '../../src/protocol/nats-messages.ts';
import { startDemo, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { processesWith } from '../fixtures/programs/processes.ts';

/** Six scenarios × four episodes × two conditions: the fewest rounds that give scores in both directions. */
const STUDY = { scenarios: 6, episodes: 4, maxTurns: 12, maxTokens: 8 };
const EPISODES = 6 * 4 * 2;

let folder: string;
const demos: Demo[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-first-light-'));
  for (const name of ['one', 'two']) {
    const place = join(folder, name);
    await mkdir(place);
    const demo = startDemo(place, await writeSmallStudy(place, STUDY), ['--once', '--seed', '3']);
    demos.push(demo);
    await demo.ended;
  }
}, 900_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface FinalScore {
  condition: string;
  direction: string;
  paper: number;
  strict: number;
  pValue: number;
}

describe('the demo run', () => {
  it('ends with status 0, a table and a run folder', async () => {
    for (const demo of demos) {
      expect(demo.output()).toContain(`run folder  ${demo.folder}`);
      expect(demo.output()).toContain(`report      ${join(demo.folder, 'report.html')}`);
      expect(await readFile(join(demo.folder, 'report.html'), 'utf8')).toContain('<h1>small</h1>');
      expect(await demo.ended).toBe(0);
      expect(demo.output()).toMatch(/live +1st → 2nd +144 +[+−]0\.\d{3}/);
      expect(demo.output()).toMatch(/monologue +2nd → 1st +120 +[+−]0\.\d{3}/);
      expect(demo.output()).toMatch(/live +1st ↔ 2nd +[+−]0\.\d{3} +\[.*\] +[+−]0\.\d{3} +\d\.\d{3}/);
      // Intermediate scores are marked as such; the last one is the result.
      expect(demo.output()).toMatch(/provisional: the run is open[^]*final: the run has ended/);
    }
  });

  it('speaks every turn of the plan, and says the same words with the same seed', async () => {
    const [one, two] = await Promise.all(demos.map(transcript));
    expect(one).toHaveLength(EPISODES * STUDY.maxTurns);
    expect(two).toEqual(one);
  });

  it('lets agents hear each other in live, and not in monologue', async () => {
    const words = await transcript(demos[0] as Demo);
    const replies = words.filter(({ turn }) => turn === 1).map(({ text }) => text);
    const openings = words.filter(({ turn }) => turn === 0).map(({ text }) => text);
    // Conditions share their draws: the openings are equal in pairs, the replies to them are not.
    expect(new Set(openings).size).toBeLessThanOrEqual(EPISODES / 2);
    expect(new Set(replies).size).toBeGreaterThan(EPISODES / 2);
  });

  it('gives the same scores with the same seed, to 1e-6', async () => {
    const [one, two] = await Promise.all(demos.map(finalScores));
    expect(one).toHaveLength(4);
    for (const [index, score] of (one ?? []).entries()) {
      const again = two?.[index] as FinalScore;
      expect(again).toMatchObject({ condition: score.condition, direction: score.direction });
      for (const key of ['paper', 'strict', 'pValue'] as const) expect(again[key]).toBeCloseTo(score[key], 6);
    }
  });

  it('marks the result in scores.jsonl, and the intermediate scores before it', async () => {
    for (const demo of demos) {
      const lines = await jsonLines<{ type: string; provisional: boolean }>(
        join(demo.folder, 'scores.jsonl'),
      );
      const count = (type: string, provisional: boolean): number =>
        lines.filter((line) => line.type === type && line.provisional === provisional).length;
      expect([count('score', false), count('pair', false)]).toEqual([4, 2]);
      expect(count('score', true)).toBeGreaterThanOrEqual(4);
    }
  });

  it('is refused in one sentence if a run of that name is finished', async () => {
    const place = join(folder, 'one');
    const again = startDemo(place, join(place, 'study.json'), ['--once', '--seed', '3']);
    expect(await again.ended).not.toBe(0);
    expect(again.output()).toMatch(/entrain: Run "demo" is finished, with 48 episodes.*another --run/);
  });

  it('leaves no process, password or key behind, and prints no secret', async () => {
    expect(processesWith(folder)).toEqual([]);
    for (const demo of demos) {
      await expect(readFile(join(demo.folder, 'secrets', 'nats.conf'))).rejects.toThrow('ENOENT');
    }
  });
});

async function transcript(demo: Demo): Promise<Pick<Utterance, 'episode' | 'turn' | 'text' | 'finish'>[]> {
  const lines = await jsonLines<Utterance>(join(demo.folder, 'transcript.jsonl'));
  return lines
    .map(({ episode, turn, text, finish }) => ({ episode, turn, text, finish }))
    .toSorted((a, b) => a.episode.localeCompare(b.episode) || a.turn - b.turn);
}

/** The final score of each group; what a look in between holds depends on when it was taken. */
async function finalScores(demo: Demo): Promise<FinalScore[]> {
  interface Line {
    type: string;
    provisional: boolean;
    condition: string;
    direction: string;
    paper: { score: number };
    strict: { score: number; pValue: number };
  }
  const lines = await jsonLines<Line>(join(demo.folder, 'scores.jsonl'));
  const last = new Map<string, FinalScore>();
  const final = lines.filter(({ type, provisional }) => type === 'score' && !provisional);
  for (const { condition, direction, paper, strict } of final) {
    const score = { condition, direction, paper: paper.score, strict: strict.score, pValue: strict.pValue };
    last.set(`${condition} ${direction}`, score);
  }
  return [...last.entries()].toSorted(([a], [b]) => a.localeCompare(b)).map(([, score]) => score);
}

async function jsonLines<T>(file: string): Promise<T[]> {
  return (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
