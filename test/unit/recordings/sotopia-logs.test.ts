/** Episode logs of SOTOPIA: fields and rules of its `EpisodeLog` (sotopia/database/logs.py), and what is in them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/recordings/main.ts';
import { appendLines, episodeName, writeRunFolder } from '../../fixtures/viewer/run-folder.ts';

interface Log {
  environment: string;
  agents: string[];
  models: string[];
  messages: [string, string, string][][];
  rewards: ([number, Record<string, number>] | number)[];
  entrain: { episode: string; condition: string; states: object[] };
}

let runs: string;
let logs: Log[];

beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), 'entrain-logs-'));
  const folder = await writeRunFolder(runs, { run: 'done', episodes: 2 });
  const judge = { model: 'j', promptSha256: '0' };
  const outcome = { type: 'outcome', run: 'done', atMs: 1, source: 'judge', judge, episode: episodeName(1) };
  await appendLines(folder, 'outcomes.jsonl', [
    { ...outcome, agent: 'ben', name: 'goal', value: 8 },
    { ...outcome, agent: 'ben', name: 'secret', value: -2 },
    { ...outcome, agent: 'ada', name: 'success', value: 1, source: 'rule', judge: undefined },
  ]);
  const open = {
    type: 'episode-started',
    scenario: 'shop',
    condition: 'live',
    order: ['ada', 'ben'],
    seed: 1,
    atMs: 1,
  };
  await appendLines(folder, 'events.jsonl', [{ ...open, episode: episodeName(2) }]);
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const to = join(runs, 'logs');
  expect(await run(['export', 'done', '--runs', runs, '--format', 'sotopia', '--out', to])).toBe(0);
  out.mockRestore();
  const text = await readFile(join(to, 'sotopia-episodes.jsonl'), 'utf8');
  logs = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Log);
});
afterAll(() => rm(runs, { recursive: true }));

describe('episode logs', () => {
  it('are those of the finished episodes, with a reward for each agent', () => {
    expect(logs.map(({ entrain }) => [entrain.episode, entrain.condition])).toEqual([
      ['e0001', 'live'],
      ['e0002', 'monologue'],
    ]);
    expect(logs[0]).toMatchObject({ environment: 'shop', agents: ['ada', 'ben'], rewards: [0, 0] });
    expect(logs[1]?.rewards).toEqual([0, [3, { goal: 8, secret: -2, overall_score: 3 }]]);
    expect(logs[1]?.models).toEqual(['j', 'tiny', 'tiny']);
  });

  it('tell each agent what it knows first, and then who said what', () => {
    const [told, first, second] = logs[0]?.messages ?? [];
    expect(told?.map(([from, to]) => [from, to])).toEqual([
      ['Environment', 'ada'],
      ['Environment', 'ben'],
    ]);
    expect(told?.[0]?.[2]).toContain('Goal: Sell bread.');
    expect(first).toEqual([
      ['ada', 'Environment', 'said: "ada says 0 of e0001"'],
      ['ben', 'Environment', 'did nothing'],
    ]);
    expect(second?.[1]).toEqual(['ben', 'Environment', 'said: "ben says 1 of e0001"']);
    expect(logs[0]?.messages).toHaveLength(1 + 4);
  });

  it('say where the states of each turn are', () => {
    expect(logs[0]?.entrain.states).toHaveLength(4);
    expect(logs[0]?.entrain.states[1]).toEqual({
      turn: 1,
      agent: 'ben',
      stream: 'ben',
      epoch: 1,
      lastSeq: 1,
    });
  });
});
