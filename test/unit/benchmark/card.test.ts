/** Cards of the benchmark from a run folder: who speaks and who listens, talk, outcomes, page and table. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cardPage } from '../../../src/benchmark/card-page.ts';
import { cardTable } from '../../../src/benchmark/card-table.ts';
import { makeCard } from '../../../src/benchmark/card.ts';
import { readProtocol } from '../../../src/benchmark/play.ts';
import { talkQuality } from '../../../src/benchmark/talk-quality.ts';
import { readTalk } from '../../../src/process/run-folder/read-talk.ts';
import { readStudy } from '../../../src/process/run-folder/read-study.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';
import {
  appendLines,
  episodeName,
  influenceLine,
  scoreLine,
  writeRunFolder,
} from '../../fixtures/viewer/run-folder.ts';

const MINE = { name: 'mine<b>', sha256: 'aa', layers: 3, dims: 5 };
const THEIRS = { name: 'theirs', sha256: 'bb', layers: 2, dims: 8 };

let runs: string;
beforeEach(async () => void (runs = await mkdtemp(join(tmpdir(), 'entrain-benchmark-'))));
afterEach(() => rm(runs, { recursive: true }));

/** Mine speaks first: +0.3 from its states, +0.1 from the other's. */
async function benchmarkFolder(): Promise<string> {
  const folder = await writeRunFolder(runs, { run: 'b', episodes: 4, order: ['own', 'partner'] });
  const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as object;
  await writeFile(
    join(folder, 'run.json'),
    JSON.stringify({ ...facts, agents: { own: MINE, partner: THEIRS } }),
  );
  const as = (line: object, isMine: boolean, group: string): object => ({
    ...line,
    group,
    ...(isMine ? { source: MINE, target: THEIRS } : { source: THEIRS, target: MINE }),
  });
  await appendLines(folder, 'scores.jsonl', [
    as(scoreLine({ condition: 'live', excess: 9, provisional: true }), true, 'a'),
    as(scoreLine({ condition: 'live', excess: 0.3 }), true, 'a'),
    as(scoreLine({ condition: 'live', excess: 0.1, sourceRole: 2 }), false, 'b'),
    as(scoreLine({ condition: 'monologue', excess: 0.01 }), true, 'c'),
    as(influenceLine({ condition: 'live', value: 0.5 }), true, 'a'),
  ]);
  const outcome = { type: 'outcome', run: 'b', atMs: 1, agent: 'own', name: 'success', source: 'rule' };
  await appendLines(folder, 'outcomes.jsonl', [
    { ...outcome, episode: episodeName(0), value: 1 },
    { ...outcome, episode: episodeName(2), value: 0 },
  ]);
  return folder;
}

describe('the card of a model', () => {
  it('holds the last figures of its states as speaker apart from those as listener', async () => {
    const { model, partner, speaker, listener } = await makeCard(await benchmarkFolder());
    expect([model, partner]).toEqual([MINE, THEIRS]);
    expect(
      speaker.map(({ condition, sourceRole, excess }) => [condition, sourceRole, excess?.value]),
    ).toEqual([
      ['live', 1, 0.3],
      ['monologue', 1, 0.01],
    ]);
    expect(speaker[0]?.influence).toMatchObject({ value: 0.5, low: 0.4, high: 0.6 });
    expect(listener).toMatchObject([
      { condition: 'live', sourceRole: 2, excess: { value: 0.1, pValue: 0.005 } },
    ]);
    expect(listener[0]?.influence).toBeUndefined();
  });

  it('is the same for the same run, with outcomes by condition', async () => {
    const folder = await benchmarkFolder();
    const card = await makeCard(folder);
    expect(await makeCard(folder)).toEqual(card);
    expect(card.outcomes).toMatchObject([{ outcome: 'rule success', of: 'live', mean: 0.5, episodes: 2 }]);
    expect(card.cost).toEqual({ seconds: 1, tokens: 48 });
  });

  it('is a page that loads nothing and escapes names, and a line of a table', async () => {
    const card = await makeCard(await benchmarkFolder());
    const page = cardPage(card);
    expect(page).toContain('+0.30 [+0.25, +0.35]');
    expect(page).toContain('mine&lt;b&gt;');
    expect(page).not.toMatch(/<script|<link|<img|https?:|mine<b>/);
    const [, line = ''] = cardTable([card]);
    expect(line.split(/ {2,}/)).toEqual([
      'mine<b>',
      '+0.300',
      '+0.500',
      '–',
      '+0.100',
      '–',
      '–',
      '0.50',
      '–',
      '0 %',
      '1',
    ]);
  });

  it('is refused for a run without the agent that is measured', async () => {
    const folder = await writeRunFolder(runs, { run: 'other' });
    await expect(makeCard(folder)).rejects.toMatchObject({ code: 'RUN_INVALID' });
  });
});

describe('quality of talk', () => {
  it('counts what the agent says empty, cut and again', async () => {
    const texts = ['Hello you', 'Hi', 'hello YOU', 'Hi', '', 'Hi'];
    const folder = await makeTalkFolder({
      scenarios: [{ id: 's', text: '', people: [{}, {}] }],
      episodes: [{ id: 'e1', scenario: 's', texts }],
    });
    try {
      const { episodes } = await readTalk(folder);
      const of = (agent: string) => talkQuality(episodes, agent)[0];
      expect(of('ada')).toMatchObject({ turns: 3, empty: 1 / 3, repeated: 0, cut: 0, distinctWords: 0.5 });
      expect(of('ben')).toMatchObject({ turns: 3, empty: 0, repeated: 2 / 3, distinctWords: 1 / 3 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the protocol', () => {
  it('is a study of ours, large enough for a score of every direction', async () => {
    const { file, name } = await readProtocol(undefined);
    expect(name).toBe('benchmark-1');
    const study = await readStudy(file);
    expect(study.pairs).toEqual([
      ['own', 'partner'],
      ['partner', 'own'],
    ]);
    const pairsOfTurns = study.scenarios.length * study.episodes * Math.floor((study.maxTurns - 1) / 2);
    expect(pairsOfTurns).toBeGreaterThanOrEqual(120);
  });

  it('is refused where it has no name or cannot be read', async () => {
    const file = join(runs, 'x.json');
    await expect(readProtocol(file)).rejects.toMatchObject({ code: 'STUDY_INVALID' });
    for (const text of ['{}', 'nonsense', '{"name":3}']) {
      await writeFile(file, text);
      await expect(readProtocol(file)).rejects.toMatchObject({ code: 'STUDY_INVALID' });
    }
  });
});
