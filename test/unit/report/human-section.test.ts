/** A report with dyads of people beside the models' figures. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../../src/report/main.ts';
import { appendLines, scoreLine, writeRunFolder } from '../../fixtures/viewer/run-folder.ts';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'entrain-human-'));
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const folder = await writeRunFolder(runs, { run: 'done', episodes: 4 });
  await appendLines(folder, 'scores.jsonl', [
    scoreLine({ condition: 'live', excess: 0.3 }),
    scoreLine({ condition: 'monologue', excess: 0.01 }),
  ]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(runs, { recursive: true });
});

const ANSWER = {
  measure: 'isc',
  value: 0.21,
  pseudo_mean: 0.02,
  excess: 0.19,
  ci: [0.11, 0.27],
  p_value: 1 / 720,
  permutations: 720,
  exact: true,
  dyads: 6,
  lag: 0,
  per_dyad: [],
};

async function people(name: string, answer: object): Promise<string> {
  const file = join(runs, `${name}.json`);
  await writeFile(file, JSON.stringify(answer));
  return file;
}

async function report(
  ...files: string[]
): Promise<{ html: string; results: { people?: { name: string }[] } }> {
  const out = join(runs, 'out.html');
  const flags = files.flatMap((file) => ['--human', file]);
  expect(await run(['done', '--runs', runs, '--out', out, ...flags])).toBe(0);
  const results = JSON.parse(await readFile(join(runs, 'results.json'), 'utf8')) as object;
  return { html: await readFile(out, 'utf8'), results };
}

/** Cells of the section's table, a list for each row. */
function rowsOf(html: string): string[][] {
  const section = html.slice(html.indexOf('Beside human data'));
  const body = section.slice(section.indexOf('<tbody>'), section.indexOf('</tbody>'));
  return body
    .split('<tr>')
    .slice(1)
    .map((row) => [...row.matchAll(/<td[^>]*>([^<]*)<\/td>/g)].map(([, cell]) => cell ?? ''));
}

describe('a report with dyads of people', () => {
  it('holds them beside the models, with null, interval and lag', async () => {
    const later = {
      ...ANSWER,
      excess: -0.02,
      ci: [-0.1, 0.06],
      p_value: 0.6,
      lag: 4,
      value: 0,
      pseudo_mean: 0.02,
    };
    const { html, results } = await report(await people('fnirs', later), await people('eeg', ANSWER));
    const rows = rowsOf(html);
    expect(rows[0]).toEqual(['eeg', 'isc, 6 dyads', '0', '0.21', '0.02', '+0.19', '[+0.11, +0.27]', '0.001']);
    expect(rows[1]?.slice(0, 6)).toEqual(['fnirs', 'isc, 6 dyads', '4', '0.00', '0.02', '−0.02']);
    const models = rows.slice(2).map(([who, figure, lag, , , difference]) => [who, figure, lag, difference]);
    expect(models).toContainEqual([expect.stringMatching(/^done: live, /), 'excess', '1', '+0.30']);
    expect(models).toContainEqual([expect.stringMatching(/^done: monologue, /), 'excess', '1', '+0.01']);
    expect(html).toContain('People: 1 of 2 lie above 0 with their whole interval.');
    expect(html).toContain('Models, live: 1 of 1 lie above 0 with their whole interval.');
    expect(results.people?.map(({ name }) => name)).toEqual(['fnirs', 'eeg']);
  });

  it('counts a measurement at several lags once, at the shortest', async () => {
    const first = await people('eeg', { ...ANSWER, ci: [-0.1, 0.2] });
    const again = join(runs, 'eeg.later');
    await writeFile(again, JSON.stringify({ ...ANSWER, lag: 4 }));
    const { html } = await report(again, first);
    expect(
      rowsOf(html)
        .slice(0, 2)
        .map(([who, , lag]) => [who, lag]),
    ).toEqual([
      ['eeg', '0'],
      ['eeg', '4'],
    ]);
    expect(html).toContain('People: 0 of 1 lie');
  });

  it('has no such section without them', async () => {
    const { html, results } = await report();
    expect(html).not.toContain('Beside human data');
    expect(results.people).toBeUndefined();
  });

  it('names the file that is no answer', async () => {
    const refused = (file: string, text: RegExp) =>
      expect(run(['done', '--runs', runs, '--human', file])).rejects.toMatchObject({
        code: 'MEASURE_INPUT',
        message: expect.stringMatching(text) as string,
      });
    await refused(join(runs, 'nobody.json'), /nobody\.json cannot be read: expected what "entrain measure/);
    await refused(await people('none', { ...ANSWER, value: null, reason: 'too few' }), /none\.json.*value/s);
    await refused(await people('odd', { ...ANSWER, p_value: 2 }), /odd\.json.*p_value/s);
  });
});
