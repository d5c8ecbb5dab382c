/** Reports of run folders: one file that loads nothing, says what the figures say, and escapes what was said. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/report/main.ts';
import {
  appendLines,
  besideLine,
  episodeName,
  scoreLine,
  writeRunFolder,
} from '../../fixtures/viewer/run-folder.ts';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'entrain-report-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(runs, { recursive: true });
});

interface Results {
  runs: {
    groups: { condition: string; adjustment: { value: number } | null }[];
    verdict: { claim: string };
    faults: string[];
    lags: { points: { lag: number; value: number }[] }[];
    doses: { points: { dose: number }[] }[];
    outcomes: { of: string; mean: number }[];
    dialogues: string[];
    layers: { map: number[][] }[];
    overTurns: { points: { turn: number; value: number }[] }[];
  }[];
  association?: object;
}

async function report(...names: string[]): Promise<{ html: string; results: Results }> {
  const out = join(runs, 'out.html');
  expect(await run([...names, '--runs', runs, '--out', out])).toBe(0);
  const results = JSON.parse(await readFile(join(runs, 'results.json'), 'utf8')) as Results;
  return { html: await readFile(out, 'utf8'), results };
}

async function scored(excess: number): Promise<string> {
  const folder = await writeRunFolder(runs, { run: 'done', episodes: 4 });
  await appendLines(folder, 'scores.jsonl', [
    scoreLine({ condition: 'live', excess: 0.9, provisional: true }),
    scoreLine({ condition: 'live', excess }),
    scoreLine({ condition: 'monologue', excess: 0.01 }),
  ]);
  return folder;
}

describe('entrain report', () => {
  it('loads nothing and runs nothing', async () => {
    await scored(0.3);
    const { html } = await report('done');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).toContain('default-src &#39;none&#39;');
    expect(html).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:|\ssrc=|\son\w+=/i);
    expect(html.length).toBeLessThan(200_000);
  });

  it('says what the figures say: an effect as one, a null result as one', async () => {
    await scored(0.3);
    const found = await report('done');
    expect(found.html).toContain(
      'Their hidden states go together beyond what scenario, turn and episode explain.',
    );
    expect(found.html).toContain('that takes branches');
    await rm(join(runs, 'done'), { recursive: true });
    await scored(0.02);
    const none = await report('done');
    expect(none.html).toContain('are not shown to go together');
    expect(none.html).not.toContain('go together beyond what scenario, turn and episode explain. They');
  });

  it('draws the last figures, with the same numbers in results.json', async () => {
    await scored(0.3);
    const { html, results } = await report('done');
    expect(html).toContain('excess +0.300 [+0.250, +0.350]');
    expect(html).not.toContain('0.900');
    expect(results.runs[0]?.groups.map((group) => [group.condition, group.adjustment?.value])).toEqual([
      ['live', 0.3],
      ['monologue', 0.01],
    ]);
    expect(results.association).toBeUndefined();
  });

  it('has a curve over the lag, and over the dose where there are three', async () => {
    const folder = await scored(0.3);
    const score = (excess: number) => ({ excess, ciLow: excess - 0.1, ciHigh: excess + 0.1, pValue: 0.2 });
    await appendLines(folder, 'scores.jsonl', [
      scoreLine({ condition: 'dose:0.5', excess: 0.15 }),
      {
        type: 'beside',
        group: 'live 1 2',
        beside: { text: null, words: null, lag3: score(0.1), lag5: null },
      },
    ]);
    const { html, results } = await report('done');
    expect(results.runs[0]?.lags).toMatchObject([
      {
        points: [
          { lag: 1, value: 0.3 },
          { lag: 3, value: 0.1 },
        ],
      },
    ]);
    expect(results.runs[0]?.doses.map(({ points }) => points.map(({ dose }) => dose))).toEqual([[0, 0.5, 1]]);
    expect(html).toContain('aria-label="Excess by lag.');
    expect(html).toContain('aria-label="Excess by dose.');
  });

  it('has maps of layers on one scale, and R² over turns beside its null', async () => {
    const folder = await scored(0.3);
    const turns = { [episodeName(0)]: { 0: 0.01, 2: 0.02 }, [episodeName(2)]: { 0: 0.03, 2: 0.04 } };
    const map = [
      [0.4, -0.2],
      [0.1, 0.05],
    ];
    await appendLines(folder, 'scores.jsonl', [besideLine({ condition: 'live', map, turns })]);
    const { html, results } = await report('done');
    // Parts times their number: (0.01 + 0.03) / 2 × 4.
    expect(results.runs[0]?.overTurns[0]?.points).toEqual([
      { turn: 1, value: expect.closeTo(0.08, 12) as number },
      { turn: 3, value: expect.closeTo(0.12, 12) as number },
    ]);
    expect(results.runs[0]?.layers[0]?.map).toEqual(map);
    expect(html).toContain('best: layer 1 to 1, +0.400, null −0.010');
    expect(html).toContain('layer 1 → 2: −0.200');
    expect(html.match(/class="best"/g)).toHaveLength(1);
    expect(html).toMatch(/class="below"[^>]*fill-opacity="0.500"/);
    expect(html).toContain('aria-label="R² over turns.');
  });

  it('shows a dialogue of each condition whole, and outcomes', async () => {
    const folder = await scored(0.3);
    const outcome = { type: 'outcome', run: 'done', atMs: 1, agent: 'ada', name: 'success', source: 'rule' };
    await appendLines(folder, 'outcomes.jsonl', [
      { ...outcome, episode: episodeName(0), value: 1 },
      { ...outcome, episode: episodeName(1), value: 0 },
    ]);
    const { html, results } = await report('done');
    const [live = '', monologue = ''] = results.runs[0]?.dialogues ?? [];
    expect([live, monologue].map((episode) => ['e0001', 'e0003'].includes(episode))).toEqual([true, false]);
    for (const turn of [0, 1, 2, 3]) expect(html).toContain(`says ${turn} of ${live}`);
    expect(results.runs[0]?.outcomes.map(({ of, mean }) => [of, mean])).toEqual([
      ['live', 1],
      ['monologue', 0],
      ['live − monologue', 1],
    ]);
    expect(html).toContain('rule success');
  });

  it('shows hostile words as text', async () => {
    const text = '</dd><script>alert(1)</script>"\'&<img src=x onerror=alert(1)>';
    await writeRunFolder(runs, { run: 'hostile', text });
    const { html } = await report('hostile');
    expect(html).not.toMatch(/<script|<img/);
    expect(html).toContain('&lt;script&gt;alert(1)');
  });

  it('says what failed and what is provisional', async () => {
    const folder = await writeRunFolder(runs, { run: 'broken', isFinished: false });
    await appendLines(folder, 'scores.jsonl', [scoreLine({ condition: 'live', provisional: true })]);
    await appendLines(folder, 'events.jsonl', [
      {
        type: 'episode-started',
        episode: 'e0009',
        scenario: 'shop',
        condition: 'live',
        order: ['ada', 'ben'],
        seed: 1,
        atMs: 1,
      },
      { type: 'run-failed', run: 'broken', reason: 'Agent "ben" stopped answering', atMs: 2 },
    ]);
    const { html, results } = await report('broken');
    expect(results.runs[0]?.faults).toEqual([
      'The run failed: Agent "ben" stopped answering',
      '1 × episode that is not finished.',
      expect.stringContaining('provisional') as string,
    ]);
    expect(html).toContain('These figures are provisional.');
    expect(results.runs[0]?.verdict.claim).toMatch(/^So far:/);
  });

  it('says what was decided before the run, or that everything is exploratory', async () => {
    const folder = await scored(0.3);
    const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as { study: object };
    expect((await report('done')).html).toContain('everything here is exploratory');
    const preregistration = { hypothesis: 'Live is above <monologue>.', primary: 'excess, live − monologue' };
    await writeFile(
      join(folder, 'run.json'),
      JSON.stringify({ ...facts, study: { ...facts.study, preregistration } }),
    );
    const { html } = await report('done');
    expect(html).toContain('Hypothesis: Live is above &lt;monologue&gt;.');
    expect(html).toContain('Primary figure: excess, live − monologue');
    expect(html).toContain('Planned: 4 episodes; finished: 4. Every other figure here is exploratory.');
  });

  it('holds several runs', async () => {
    await scored(0.3);
    await writeRunFolder(runs, { run: 'second' });
    const { html, results } = await report('done', 'second');
    expect(results.runs).toHaveLength(2);
    expect(html.match(/<h1>/g)).toHaveLength(2);
  });

  it('stands in the run folder where --out is not given', async () => {
    const folder = await scored(0.3);
    await run([folder]);
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toContain('<!doctype html>');
  });

  it('refuses a run that is not there, one given twice, and another kind of file', async () => {
    await scored(0.3);
    await expect(run(['nobody', '--runs', runs])).rejects.toMatchObject({ code: 'RUN_INVALID' });
    await expect(run(['done', 'done', '--runs', runs])).rejects.toThrow(/given twice/);
    await expect(run(['done', '--runs', runs, '--out', 'x.pdf'])).rejects.toThrow(/ends in \.html/);
    await expect(run(['--runs', runs])).rejects.toThrow(/RUN is missing/);
    await writeFile(join(runs, 'done', 'events.jsonl'), 'nonsense\n');
    await expect(run(['done', '--runs', runs])).rejects.toMatchObject({ code: 'RUN_INVALID' });
  });
});
