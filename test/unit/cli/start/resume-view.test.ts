import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { resumeView } from '../../../../src/cli/start/resume-view.ts';
import { progress } from '../../../../src/cli/terminal/view-state.ts';
import { temporaryFolder } from '../../../fixtures/stream/stream-fixture.ts';

const started = (episode: string) => ({
  type: 'episode-started',
  episode,
  scenario: 's1',
  condition: 'live',
  order: ['ada', 'ben'],
  seed: 1,
  atMs: 1,
});
const finished = (episode: string) => ({
  type: 'episode-finished',
  episode,
  turns: 2,
  finish: 'leave',
  atMs: 1,
});
const utterance = (episode: string, turn: number) => ({
  episode,
  turn,
  agent: 'ada',
  text: 'Hello.',
  finish: 'stop',
  tokens: 2,
  droppedTurns: 0,
  stream: 'ada',
  epoch: 1,
  lastSeq: turn,
});

async function folderOf(events: object[], utterances: object[]): Promise<string> {
  const folder = await temporaryFolder();
  const lines = (all: object[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join('');
  await writeFile(join(folder, 'events.jsonl'), lines(events));
  await writeFile(join(folder, 'transcript.jsonl'), `${lines(utterances)}{"episode":"e2","tu`);
  return folder;
}

describe('resumeView', () => {
  it('gives an empty view if there is no folder yet', async () => {
    expect(await resumeView({ run: 'r1', folder: join(await temporaryFolder(), 'none') })).toMatchObject({
      run: 'r1',
      finished: 0,
      turns: 0,
    });
  });

  it('gives the view at the point where the run stopped, also after a failure, without a line that a kill cut off', async () => {
    const events = [
      started('e1'),
      finished('e1'),
      started('e2'),
      { type: 'run-failed', run: 'r1', reason: 'x', atMs: 1 },
    ];
    const said = [utterance('e1', 0), utterance('e1', 1), utterance('e2', 0)];
    const state = await resumeView({ run: 'r1', folder: await folderOf(events, said) });
    expect(state).toMatchObject({ finished: 1, turns: 3, ended: undefined });
    expect(state.running.get('e2')?.turns).toBe(1);
    expect(progress({ ...state, episodes: 4, maxTurns: 2 })).toBe((1 + 1 / 2) / 4);
  });

  const end = { type: 'run-finished', run: 'r1', episodes: 1, turns: 2, atMs: 1 };
  const score = (group: string, provisional: boolean) => ({
    type: 'score',
    group,
    condition: 'live',
    provisional,
  });
  async function endedFolder(scores: object[]): Promise<string> {
    const folder = await folderOf([started('e1'), finished('e1'), end], []);
    await writeFile(join(folder, 'scores.jsonl'), scores.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return folder;
  }

  it('refuses a run that has ended and whose figures are final', async () => {
    for (const scores of [[], [score('a', true), score('a', false), score('b', false)]]) {
      const folder = await endedFolder(scores);
      await expect(resumeView({ run: 'r1', folder })).rejects.toThrow(
        'Run "r1" is finished, with 1 episode:',
      );
    }
  });

  it('goes on with a run that was stopped behind its last turn while its figures were provisional', async () => {
    for (const scores of [
      [score('a', false), score('b', true)],
      [score('a', false), score('a', true)],
    ])
      expect(await resumeView({ run: 'r1', folder: await endedFolder(scores) })).toMatchObject({
        finished: 1,
        ended: { failed: false },
      });
  });
});
