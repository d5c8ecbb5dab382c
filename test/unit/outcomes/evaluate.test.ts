/** `entrain evaluate`: what it writes, what it keeps, and what it refuses. */
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/outcomes/main.ts';
import { readOutcomes } from '../../../src/process/run-folder/outcomes-file.ts';
import type { OutcomeLine } from '../../../src/protocol/outcomes.ts';
import { answerWith, completion, goodAnswer, startJudge } from '../../fixtures/programs/judge-server.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const after: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of after.splice(0)) await close();
});

const PEOPLE = [{}, {}];
const PRICE = { kind: 'price', seller: 1, least: 20, most: 40 };

async function folder(): Promise<string> {
  const path = await makeTalkFolder({
    scenarios: [
      { id: 'lamp', text: 'A lamp is for sale.', people: PEOPLE, rule: PRICE },
      { id: 'chat', text: 'Two people wait.', people: PEOPLE },
    ],
    episodes: [
      { id: 'e1', scenario: 'lamp', texts: ['30?', '30.'] },
      { id: 'e2', scenario: 'chat', texts: ['Hi', 'Hello'] },
      { id: 'e3', scenario: 'lamp', texts: ['30?'], open: true },
    ],
  });
  after.push(() => rm(path, { recursive: true }));
  return path;
}

async function evaluate(...argv: string[]): Promise<{ status: number; said: string }> {
  let said = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true));
  const status = await run(argv).finally(() => spy.mockRestore());
  return { status, said };
}

const short = (lines: OutcomeLine[]): string[] =>
  lines.map((line) =>
    line.type === 'outcome'
      ? `${line.episode} ${line.agent} ${line.name} ${line.value} ${line.source}`
      : `${line.episode} unscored`,
  );

describe('entrain evaluate', () => {
  it('scores finished episodes of scenarios with a rule, and says what it left out', async () => {
    const path = await folder();
    const { status, said } = await evaluate(path);
    expect(status).toBe(0);
    expect(said).toContain('rules  4 values of 1 episodes');
    expect(said).toContain('1 episodes are not finished and were left out');
    expect(short(await readOutcomes(path))).toEqual([
      'e1 ada success 1 rule',
      'e1 ada share 0.5 rule',
      'e1 ben success 1 rule',
      'e1 ben share 0.5 rule',
    ]);
    expect((await stat(join(path, 'outcomes.jsonl'))).mode & 0o077).toBe(0);
  });

  it('takes a file of one’s own, by itself where it is outcomes.csv of the run folder', async () => {
    const path = await folder();
    await writeFile(
      join(path, 'outcomes.csv'),
      '\ufeffagent,value,episode,name,note\nada,2.5,e2,warmth,"so, so"\n',
    );
    await evaluate(path);
    expect(short(await readOutcomes(path))).toContain('e2 ada warmth 2.5 file');
  });

  it('puts new values in the place of old ones and keeps all others', async () => {
    const path = await folder();
    const csv = join(path, 'mine.csv');
    await writeFile(csv, 'episode,agent,name,value\ne2,ada,warmth,1\ne2,ben,warmth,2\n');
    await evaluate(path, '--file', csv);
    await writeFile(csv, 'episode,agent,name,value\ne2,ada,warmth,3\n');
    await evaluate(path, '--file', csv);
    const lines = short(await readOutcomes(path));
    expect(lines).toHaveLength(6);
    expect(lines).toEqual(
      expect.arrayContaining(['e2 ada warmth 3 file', 'e2 ben warmth 2 file', 'e1 ada share 0.5 rule']),
    );
  });

  it('ends with status 1 where a judge left an episode unscored, says how many, and writes the rest', async () => {
    const path = await folder();
    const server = await startJudge(({ text }, response) => {
      response.writeHead(text.includes('Hello') ? 400 : 200).end(completion(goodAnswer()));
    });
    after.push(() => server.close());
    const asked = [path, '--judge', server.url, '--judge-model', 'j', '--judge-at-once', '1'];
    const { status, said } = await evaluate(...asked);
    expect(status).toBe(1);
    expect(said).toContain('judge  1 of 2 episodes scored');
    expect(said).toContain('1 left unscored: it answered with HTTP 400');
    const lines = short(await readOutcomes(path));
    expect(lines).toContain('e1 ada goal 5 judge');
    expect(lines).toContain('e1 ada success 1 rule');
    expect(lines).toContain('e2 unscored');
  });

  it('asks again about unscored episodes only, and a value is never replaced by "unscored"', async () => {
    const path = await folder();
    let broken = true;
    const server = await startJudge((request, response) =>
      answerWith(completion(goodAnswer()), broken ? 400 : 200)(request, response),
    );
    after.push(() => server.close());
    const asked = [path, '--judge', server.url, '--judge-model', 'j'];
    expect((await evaluate(...asked)).status).toBe(1);
    broken = false;
    expect((await evaluate(...asked)).status).toBe(0);
    await rm(join(path, 'judge'), { recursive: true });
    broken = true;
    expect((await evaluate(...asked)).status).toBe(1);
    const lines = short(await readOutcomes(path));
    expect(lines).not.toContain('e1 unscored');
    expect(lines.filter((line) => line.endsWith('judge'))).toHaveLength(32);
  });

  it('reads the key from a file that only its owner can read', async () => {
    const path = await folder();
    const server = await startJudge(answerWith(completion(goodAnswer())));
    after.push(() => server.close());
    const key = join(path, 'key');
    await writeFile(key, 'k-7\n', { mode: 0o600 });
    const asked = [path, '--judge', server.url, '--judge-model', 'j', '--judge-key-file', key];
    await evaluate(...asked);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer k-7');
    expect(await readFile(join(path, 'outcomes.jsonl'), 'utf8')).not.toContain('k-7');
    await chmod(key, 0o644);
    await expect(evaluate(...asked)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it.each([
    ['a file that is not there', undefined, 'cannot be read'],
    [
      'another separator',
      'episode;agent;name;value\n',
      'has no column "episode": expected episode,agent,name,value',
    ],
    ['an unknown episode', 'episode,agent,name,value\ne9,ada,x,1\n', 'Line 2 of FILE names episode "e9"'],
    [
      'an unknown agent',
      'episode,agent,name,value\ne2,eve,x,1\n',
      'names agent "eve", expected one of ada, ben',
    ],
    [
      'no number',
      'episode,agent,name,value\n\ne2,ada,x,high\n',
      'Line 3 of FILE has the value "high", expected a number',
    ],
    ['an empty value', 'episode,agent,name,value\ne2,ada,x,\n', 'has the value "", expected a number'],
    ['an empty name', 'episode,agent,name,value\ne2,ada,,1\n', 'has the name ""'],
    [
      'a value twice',
      'episode,agent,name,value\ne2,ada,x,1\ne2,ada,x,2\n',
      'Line 3 of FILE says x of ada in e2 again',
    ],
    ['Latin-1', Buffer.from([0x65, 0xe9, 0x0a]), 'is not UTF-8 at line 1, column 2'],
  ])('refuses %s in one sentence, and leaves outcomes.jsonl alone', async (_what, content, said) => {
    const path = await folder();
    await evaluate(path);
    const before = await readFile(join(path, 'outcomes.jsonl'), 'utf8');
    const file = join(path, 'bad.csv');
    if (content !== undefined) await writeFile(file, content);
    await expect(evaluate(path, '--file', file)).rejects.toMatchObject({
      code: 'OUTCOMES_INVALID',
      message: expect.stringContaining(said.replace('FILE', file)) as string,
    });
    expect(await readFile(join(path, 'outcomes.jsonl'), 'utf8')).toBe(before);
  });

  it.each([
    [['--judge', 'ftp://x', '--judge-model', 'j'], 'USAGE', '--judge is "ftp://x"'],
    [['--judge', 'http://127.0.0.1:1'], 'USAGE', '--judge-model is missing'],
    [['--judge-model', 'j'], 'USAGE', '--judge is missing'],
    [['--judge', 'http://x', '--judge-model', 'j', '--judge-tokens', '0'], 'USAGE', '--judge-tokens is "0"'],
  ])('refuses %j', async (flags, code, said) => {
    const path = await folder();
    await expect(evaluate(path, ...flags)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(said) as string,
    });
  });

  it('refuses a run that is not there and one without a finished episode', async () => {
    await expect(evaluate('nothing-here')).rejects.toMatchObject({ code: 'RUN_INVALID' });
    const path = await makeTalkFolder({
      scenarios: [{ id: 'chat', text: '', people: PEOPLE }],
      episodes: [{ id: 'e1', scenario: 'chat', texts: [], open: true }],
    });
    after.push(() => rm(path, { recursive: true }));
    await expect(evaluate(path)).rejects.toMatchObject({ code: 'RUN_INVALID' });
  });
});
