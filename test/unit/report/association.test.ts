/** The report of a study of several models: what it is about stands first, and no group without a name. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { run } from '../../../src/report/main.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';
import { appendLines, scoreLine } from '../../fixtures/viewer/run-folder.ts';

const MODELS = { a1: 'm-a-tasks', b1: 'm-b-tasks', c1: 'm-c-tasks', d1: 'm-d-tasks' };
const SKILL: Record<string, number> = { a: 1, b: 2, c: 4, d: 8 };

let folder: string;
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const nameOf = (agent: string): string => agent.slice(0, 1);
const model = (agent: string): object => ({ name: `m-${nameOf(agent)}-tasks`, sha256: 'a'.repeat(64) });

/** All ordered pairs of four models; synchrony and success both follow the skill of the second one. */
async function pairsOfModels(): Promise<void> {
  const firsts = Object.keys(MODELS);
  const orders = firsts.flatMap((first) =>
    firsts.map((second) => [first, second === first ? `${nameOf(first)}2` : second]),
  );
  const twins = Object.fromEntries(
    firsts.map((agent) => [`${nameOf(agent)}2`, MODELS[agent as keyof typeof MODELS]]),
  );
  folder = await makeTalkFolder({
    scenarios: [{ id: 's', text: '', people: [{}, {}] }],
    episodes: orders.map((order, at) => ({ id: `e${at}`, scenario: 's', texts: ['a', 'b'], order })),
    models: { ...MODELS, ...twins },
  });
  const scores = orders.flatMap(([first = '', second = '']) =>
    [1, 2].map((sourceRole) => {
      const [source, target] = sourceRole === 1 ? [first, second] : [second, first];
      const excess = (SKILL[nameOf(target)] as number) / 10 + (SKILL[nameOf(source)] as number) / 1000;
      const line = scoreLine({ condition: 'live', excess, sourceRole });
      return {
        ...line,
        group: `${first} ${second} ${sourceRole}`,
        source: model(source),
        target: model(target),
      };
    }),
  );
  await appendLines(folder, 'scores.jsonl', scores);
  const about = { type: 'outcome', run: 'talk', atMs: 0 };
  const outcomes = orders.flatMap((order, at) =>
    order.flatMap((agent) => {
      const value = (SKILL[nameOf(agent)] as number) / 8;
      const own = { ...about, episode: `e${at}`, agent };
      return [
        { ...own, source: 'rule', name: 'points', value: value * (1 + (at % 3)) },
        { ...own, source: 'rule', name: 'success', value },
        { ...own, source: 'intrinsic', name: 'nats per token', value: value ** 2 },
      ];
    }),
  );
  await writeFile(join(folder, 'outcomes.jsonl'), '');
  await appendLines(folder, 'outcomes.jsonl', outcomes);
}

it('begins with what the study is about, and gives tables by pair of models in place of nameless groups', async () => {
  await pairsOfModels();
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const covariates = join(folder, 'covariates.csv');
  await writeFile(
    covariates,
    `model,size\n${Object.values(MODELS)
      .map((name, at) => `${name},${at}`)
      .join('\n')}\n`,
  );
  expect(await run([folder, '--covariates', covariates])).toBe(0);
  const html = await readFile(join(folder, 'report.html'), 'utf8');
  const verdict = html.slice(
    html.indexOf('class="verdict"'),
    html.indexOf('</div>', html.indexOf('class="verdict"')),
  );
  expect(verdict).toMatch(
    /<p>Pairs of models with more synchrony have more rule success: r \+0\.\d\d \[\+0\.\d\d, \+\d\.\d\d\], p 0\.\d+ by permuting 4 models \(at least 1\/24\)\.<\/p>/,
  );
  expect(verdict).toContain('live: shown in 32 of 32 pairs of models and directions, excess +0.10 to +0.81');
  expect(html).not.toContain('<h2>Figures</h2>');
  expect(html).toContain('(intrinsic score)');
  expect(html).not.toContain('intrinsic nats per token, of');
  // The outcome of the headline comes first, before all that is exploratory.
  const headings = [...html.matchAll(/<h3>(rule [^<]*)<\/h3>/g)].map(([, text]) => text);
  expect(headings).toEqual([
    ...['success', 'points'].flatMap((name) =>
      ['both agents', 'the predicted agent'].map((whose) => `rule ${name}, of ${whose}`),
    ),
    'rule success by pair of models',
    'rule points by pair of models',
  ]);
  expect(html).toMatch(/<th[^>]*>bootstrap<\/th>.*<th[^>]*>partial<\/th>/s);
  expect(html).toContain('predicting or speaking');
  expect(html).toContain('excess by pair of models');
  expect(html).toMatch(/<text class="name"[^>]*>AD<\/text>/);
  expect(html).toContain('A a, B b, C c, D d.');
  const facts = JSON.parse(await readFile(join(folder, 'run.json'), 'utf8')) as {
    study: { covariates?: object };
  };
  facts.study.covariates = Object.fromEntries(Object.keys(MODELS).map((agent, at) => [agent, { size: at }]));
  await writeFile(join(folder, 'run.json'), JSON.stringify(facts));
  const results = async (): Promise<string> => readFile(join(folder, 'results.json'), 'utf8');
  const byFile = await results();
  expect(await run([folder])).toBe(0);
  expect((JSON.parse(await results()) as { association: object }).association).toEqual(
    (JSON.parse(byFile) as { association: object }).association,
  );
});
