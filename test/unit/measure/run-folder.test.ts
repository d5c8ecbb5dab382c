/** `entrain measure --run` on a recorded run: the published figures, under the names of the recording. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { run } from '../../../src/measure/main.ts';
import { run as recorded } from '../../../src/recordings/main.ts';
import { replayRun } from '../../../src/recordings/replay-run.ts';
import { readRecording } from '../../../src/journal/read-recording.ts';
import { selectRows } from '../../../src/analyzer/ingest/group-rows.ts';
import { emptyRunRows, takeFrameRows } from '../../../src/analyzer/ingest/run-rows.ts';
import { cka } from '../../../src/synchrony/measures/cka.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import type { GroupScore } from '../../../src/analyzer/scoring/messages.ts';
import {
  AS_SMALL_AS_SCORES_GO,
  publishScores,
  recordPlantedRun,
} from '../../fixtures/planted/planted-run.ts';
import { recordedRun } from '../../fixtures/recordings/recording-fixture.ts';

let runs: string;
let folder: string;
let published: GroupScore[];
let strictly: Answer[];
let paperly: Answer[];

beforeAll(async () => {
  runs = await mkdtemp(`${tmpdir()}/measure-run-`);
  folder = await recordPlantedRun(runs, { ...AS_SMALL_AS_SCORES_GO, run: 'r1' });
  published = await publishScores(runs, 'r1');
  strictly = await groupsOf();
  paperly = await groupsOf('--mode', 'paper');
}, 60_000);
afterAll(() => rm(runs, { recursive: true }));

interface Answer {
  direction: string;
  score: number;
  [field: string]: unknown;
}

const groupsOf = async (...flags: string[]): Promise<Answer[]> => (await answerOf(...flags)).groups;

async function answerOf(...flags: string[]): Promise<Record<'groups' | 'pairs', Answer[]>> {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  await run(['sync-r2', '--run', folder, '--json', ...flags]);
  vi.restoreAllMocks();
  return JSON.parse(written.join('')) as Record<'groups' | 'pairs', Answer[]>;
}

const publishedOf = (direction: string): GroupScore =>
  published.find(({ group }) => group.direction === direction) as GroupScore;

it('entrain measure --run gives the figures of scores.jsonl to the last digit, and replay finds them equal', async () => {
  expect(await replayRun(folder, { lastOnly: true })).toMatchObject({ scores: 2, equal: true });
  expect(strictly).toHaveLength(2);
  for (const found of strictly) {
    const { seed, strict } = publishedOf(found.direction);
    expect(strict?.score).toBeGreaterThan(0.1);
    expect(found).toMatchObject({
      seed,
      score: strict?.score,
      excess: strict?.excess,
      p_value: strict?.pValue,
      ci: [strict?.ciLow, strict?.ciHigh],
      null_mean: strict?.nullMean,
      z: strict?.z,
      permutations: strict?.permutations,
      method: 'strict 2',
      n: strict?.samples,
    });
  }
  for (const found of paperly) {
    const { paper } = publishedOf(found.direction);
    expect(found['sync_r2']).toBe(paper?.score);
    expect(found['sync_r2_unclipped']).toBe(paper?.unclipped);
    expect(found['shuffled_sync_r2']).toBe(paper?.nullMean);
    expect(found['text_sync_r2']).toBe(paper?.textOnly);
    expect((found['units'] as { episode: Answer }).episode['sync_r2']).toBe(paper?.byEpisode);
  }
});

it('entrain measure --run also gives the unclipped mean of both directions', async () => {
  const { pairs } = await answerOf('--mode', 'paper');
  const [one, other] = published.map(({ paper }) => paper?.unclipped ?? NaN);
  expect(pairs).toHaveLength(1);
  expect(pairs[0]?.['sync_r2_unclipped']).toBeCloseTo((one! + other!) / 2, 12);
});

it('replay accepts scores published before paper mode had unclipped figures', async () => {
  const file = `${folder}/scores.jsonl`;
  const lines = await readFile(file, 'utf8');
  onTestFinished(() => writeFile(file, lines));
  const replayed = async (text: string) => {
    await writeFile(file, text);
    return (await replayRun(folder, { lastOnly: true })).equalScores;
  };
  expect(lines.split('"unclipped":')).toHaveLength(3);
  expect(await replayed(lines.replaceAll(/"unclipped":[^,]+,/g, ''))).toBe(2);
  expect(await replayed(lines.replaceAll(/"textOnly":[^,]+,/g, ''))).toBe(2);
  expect(await replayed(lines.replaceAll(/"textOnly":[^,]+,/g, '"textOnly":-9,'))).toBe(0);
  expect(await replayed(lines.replaceAll(/"unclipped":[^,]+,/g, '"unclipped":-9,'))).toBe(0);
});

it('replay names a strict method that it cannot recompute, and compares the other figures of those lines', async () => {
  const file = `${folder}/scores.jsonl`;
  const lines = await readFile(file, 'utf8');
  onTestFinished(() => writeFile(file, lines));
  const older = lines
    .replaceAll('"method":{"name":"strict","version":2},', '')
    .replaceAll(/"excess":[^,]+,/g, '"excess":9,');
  await writeFile(file, older);
  const report = await replayRun(folder, { lastOnly: true });
  expect(report).toMatchObject({ equalScores: 2, equal: true });
  expect(report.otherMethods).toEqual([
    '2 of them hold figures of method strict 1, which this version does not make (it has strict 2): only what else they hold was compared',
  ]);
});

it('entrain measure --run takes another seed if one is given', async () => {
  const [found] = await groupsOf('--seed', '5');
  expect(found?.['seed']).toBe(5);
  expect(found?.['null_mean']).not.toBe(publishedOf(found?.direction ?? '').strict?.nullMean);
});

it('entrain measure --run names layers as the recording does', async () => {
  const [strict] = strictly;
  const layers = strict?.['per_layer'] as { layer: number; target_layer: number }[];
  expect(layers.map(({ layer }) => layer)).toEqual([1, 2]);
  for (const { target_layer: target } of layers) expect([1, 2]).toContain(target);
  const [paper] = paperly;
  const best = paper?.['best_target_layer'] as number[];
  const map = paper?.['r2_mean'] as number[][];
  expect(best).toEqual(map.map((row) => row.indexOf(Math.max(...row)) + 1));
  expect(paper).toMatchObject({ source_layers: [1, 2], target_layers: [1, 2] });
});

it('entrain measure --run reports progress on standard error if asked to, and never in the answer', async () => {
  const errors: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  const found = await groupsOf('--progress', '--permutations', '9');
  expect(found).toHaveLength(2);
  expect(errors[0]).toBe('reading the recording\n');
  expect(errors.join('')).toMatch(/^group \d of 2: /m);
});

it('replay reports progress on standard error if asked to', async () => {
  const errors: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  await recorded(['replay', folder, '--last', '--json', '--progress']);
  vi.restoreAllMocks();
  expect(JSON.parse(written.join(''))).toMatchObject({ scores: 2, equal: true });
  expect(errors.join('')).toMatch(/^score \d of 2$/m);
});

it('entrain measure --run measures a single layer, by its number in the recording', async () => {
  const numbers = strictly[0]?.['per_layer'] as { layer: number }[];
  const last = numbers.at(-1)?.layer as number;
  const [only] = await groupsOf('--layer', String(last));
  expect(only?.['per_layer']).toMatchObject([{ layer: last, target_layer: last }]);
  await expect(groupsOf('--layer', '99')).rejects.toThrow(/has no layer 99; expected \d+ to \d+/u);
  vi.restoreAllMocks();
});

it('entrain measure --run gives any measure of the turns where no steps are recorded', async () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  await run(['cka', '--run', 'r1', '--runs', runs, '--json', '--permutations', '19']);
  vi.restoreAllMocks();
  const found = JSON.parse(written.join('')) as {
    aligned: string;
    groups: {
      direction: string;
      value: number;
      per_dyad: { rows: number; per_layer: { p_value: number }[] }[];
    }[];
  };
  expect(found.aligned).toBe('turns');
  expect(found.groups.map(({ direction }) => direction)).toEqual(['first_to_second', 'second_to_first']);
  const rows = emptyRunRows();
  for await (const { stream, epoch, message } of readRecording(folder))
    if (message.type === 'episode' || message.type === 'turn')
      takeFrameRows(rows, { frame: message, origin: { stream, epoch, seq: message.seq } });
  for (const group of rows.groups.values()) {
    const { source, target, n } = selectRows(group).pairs;
    const layers = await Promise.all(
      source.map((a, layer) => cka.compute(a, target[layer] as Matrix, { algebra: createPlainAlgebra() })),
    );
    const values = layers.map((answer) => ('value' in answer ? answer.value : NaN));
    const own = found.groups.find(({ direction }) => direction === group.group.direction);
    expect(own?.value).toBeCloseTo((values[0]! + values[1]!) / 2, 9);
    expect(own?.per_dyad).toMatchObject([{ rows: n }]);
    expect(own?.per_dyad[0]?.per_layer.map(({ p_value: p }) => p).every((p) => p >= 0.05)).toBe(true);
  }
});

it('entrain measure --run in paper mode names splits by episodes of the run', async () => {
  const [paper] = paperly as [Answer];
  const { test_episodes: tests } = paper['splits'] as { test_episodes: string[][] };
  expect(tests).toHaveLength(3);
  for (const test of tests) {
    // whole scenarios of four episodes
    const scenarios = new Set(test.map((episode) => episode.split('-')[0]));
    expect(test).toHaveLength(4 * scenarios.size);
  }
});

it('entrain measure --run refuses a run in which nobody has answered yet, with its reason', async () => {
  const lone = await recordedRun(0);
  await expect(run(['sync-r2', '--run', lone, '--json'])).rejects.toMatchObject({
    code: 'RUN_INVALID',
    message: expect.stringMatching(
      /holds no turn pair: expected episodes in which at least two agents/,
    ) as string,
  });
});
