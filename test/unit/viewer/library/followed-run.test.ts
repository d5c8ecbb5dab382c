import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FollowedRun } from '../../../../src/viewer/library/followed-run.ts';
import {
  appendLines,
  influenceLine,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../../../fixtures/viewer/run-folder.ts';

let runs: string;
beforeEach(async () => (runs = await mkdtemp(join(tmpdir(), 'entrain-followed-run-'))));
afterEach(() => rm(runs, { recursive: true, force: true }));
const alive = (): Promise<boolean> => Promise.resolve(true);
const dead = (): Promise<boolean> => Promise.resolve(false);

describe('FollowedRun', () => {
  it('shows plan, episodes and words of a finished run', async () => {
    const run = new FollowedRun(await writeRunFolder(runs, { run: 'r1', episodes: 3 }));
    await run.look(dead);
    const view = run.view();
    expect([view.state, view.episodes, view.finished]).toEqual(['finished', 3, 3]);
    expect(view.hasBranches).toBe(false);
    expect(view.agents.map(({ id, layers }) => [id, layers])).toEqual([
      ['ada', 2],
      ['ben', 2],
    ]);
    expect(
      view.talks.map(({ episode, condition, turns, open }) => [episode, condition, turns, open]),
    ).toEqual([
      ['e0001', 'live', 4, false],
      ['e0002', 'monologue', 4, false],
      ['e0003', 'live', 4, false],
    ]);
    // Each round of the plan plays the scenario in both conditions.
    expect(view.talks.map(({ round }) => round)).toEqual([1, 1, 2]);
    expect(run.words('e0002').map(({ text }) => text)[1]).toBe('ben says 1 of e0002');
  });

  it('is scoring until its last figures are there, as long as its programs are', async () => {
    const folder = await writeRunFolder(runs, { run: 'r1' });
    const run = new FollowedRun(folder);
    const stateNow = async (isAlive: () => Promise<boolean>): Promise<string> => {
      await run.look(isAlive);
      return run.entry().state;
    };
    await appendLines(folder, 'scores.jsonl', [scoreLine({ condition: 'live', provisional: true })]);
    expect(await stateNow(alive)).toBe('scoring');
    expect(await stateNow(dead)).toBe('finished');
    await appendLines(folder, 'scores.jsonl', [scoreLine({ condition: 'live' })]);
    expect(await stateNow(alive)).toBe('finished');
  });

  it('is finished once the last figures of all groups are there, not with the first', async () => {
    const folder = await writeRunFolder(runs, { run: 'r1' });
    const run = new FollowedRun(folder);
    const stateAfter = async (...lines: object[]): Promise<string> => {
      await appendLines(folder, 'scores.jsonl', lines);
      await run.look(alive);
      return run.entry().state;
    };
    const early = ['live', 'monologue'].map((condition) => scoreLine({ condition, provisional: true }));
    const share = influenceLine({ condition: 'live', value: 0.4 });
    expect(await stateAfter(...early, { ...share, provisional: true })).toBe('scoring');
    expect(await stateAfter(scoreLine({ condition: 'live' }))).toBe('scoring');
    expect(await stateAfter(scoreLine({ condition: 'monologue' }))).toBe('scoring');
    expect(run.view().figures.provisional).toBe(true);
    expect(await stateAfter(share)).toBe('finished');
    expect(run.view().figures.provisional).toBe(false);
  });

  it('says what a first score still lacks, until there is one', async () => {
    const plan = { run: 'r1', episodes: 17, turns: 5, conditions: ['live'], isFinished: false };
    const folder = await writeRunFolder(runs, plan);
    const run = new FollowedRun(folder);
    await run.look(alive);
    // One scenario alone; turns 1 and 2, and 3 and 4, are the pairs of the first direction.
    expect(run.entry().verdict).toBe(
      'Too little yet: 1 of 6 scenarios, 17 of 18 episodes, 34 of 120 turn pairs.',
    );
    await appendLines(folder, 'scores.jsonl', [scoreLine({ condition: 'live' })]);
    await run.look(alive);
    expect(run.entry().verdict).toMatch(/^Their hidden states go together/);
  });

  it('tells what is new once: utterances, alternatives and figures', async () => {
    const folder = await writeRunFolder(runs, { run: 'r1', isFinished: false });
    const run = new FollowedRun(folder);
    await run.look(alive);
    expect(await run.look(alive)).toEqual([]);
    const said = utteranceLine({ episode: 'e0001', turn: 4, text: 'new' });
    await appendLines(folder, 'transcript.jsonl', [said, said]);
    await appendLines(folder, 'branches.jsonl', [
      { episode: 'e0001', turn: 4, k: 1, text: 'other', finish: 'stop' },
      {
        episode: 'e0001',
        turn: 4,
        k: 2,
        text: 'moved',
        finish: 'stop',
        kind: 'perturbation',
        layer: 4,
        size: 0.5,
      },
      { episode: 'e0001', turn: 4, k: 3, text: '', finish: 'skipped' },
    ]);
    const scores = [80, 100].map((samples) => scoreLine({ condition: 'live', samples, provisional: true }));
    await appendLines(folder, 'scores.jsonl', scores);
    const types = (await run.look(alive))?.map(({ type }) => type);
    expect(types).toEqual(['utterance', 'utterance', 'utterance', 'figures', 'run']);
    expect(run.words('e0001').at(-1)).toMatchObject({
      text: 'new',
      alternatives: [
        { k: 1, text: 'other' },
        { k: 2, text: 'moved', moved: { layer: 4, by: 'by 0.5 SD' } },
      ],
    });
    expect(await run.look(alive)).toEqual([]);
  });

  it('calls an open run stopped when no program has it', async () => {
    const run = new FollowedRun(await writeRunFolder(runs, { run: 'r1', isFinished: false }));
    await run.look(alive);
    expect(run.entry().state).toBe('running');
    await run.look(dead);
    expect(run.entry().state).toBe('stopped');
  });

  it('finds utterances by a word, whatever the case of its letters', async () => {
    const run = new FollowedRun(await writeRunFolder(runs, { run: 'r1' }));
    await run.look(dead);
    expect(run.find('SAYS 3 of e0002', 10).map(({ turn }) => turn)).toEqual([3]);
    expect(run.find('says', 3)).toHaveLength(3);
  });

  it('is no run where run.json is missing', async () => {
    expect(await new FollowedRun(join(runs, 'none')).look(dead)).toBeUndefined();
  });
});
