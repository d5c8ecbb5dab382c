/** Tests of a last line of `scores.jsonl` that was torn by a kill or a full disk. */
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createScoreLog } from '../../../src/analyzer/output/score-log.ts';
import { replayRun, replayText } from '../../../src/recordings/replay-run.ts';
import {
  AS_SMALL_AS_SCORES_GO,
  publishScores,
  recordPlantedRun,
} from '../../fixtures/planted/planted-run.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

it('a torn last line is left out of a replay and reported; every whole line is recomputed', async () => {
  const runs = await temporaryFolder();
  const folder = await recordPlantedRun(runs, { ...AS_SMALL_AS_SCORES_GO, run: 'r1' });
  await publishScores(runs, 'r1');
  const file = join(folder, 'scores.jsonl');
  const whole = await readFile(file, 'utf8');
  await appendFile(file, whole.slice(0, 700));
  const report = await replayRun(folder, { lastOnly: false });
  expect(report).toMatchObject({ scores: 2, equalScores: 2, equal: true, torn: true });
  expect(replayText(report)).toContain('the last line of scores.jsonl is torn');
  // A damage elsewhere is no torn tail.
  await writeFile(file, `{"type":\n${whole}`);
  await expect(replayRun(folder, { lastOnly: false })).rejects.toThrow(/^Line 1 of .* is not JSON/);
}, 120_000);

it('a torn last line is cut off before the next score is written', async () => {
  const runs = await temporaryFolder();
  const pair = { type: 'pair', run: 'r1', pair: 'p', of: {} } as never;
  const stamp = { atMs: 1, provisional: true };
  const first = createScoreLog(runs, silentLog);
  first.appendPart(pair, stamp);
  await first.written();
  const file = join(runs, 'r1', 'scores.jsonl');
  const line = await readFile(file, 'utf8');
  await appendFile(file, `{"torn":"${'x'.repeat(100_000)}`);
  const second = createScoreLog(runs, silentLog);
  second.appendPart(pair, stamp);
  await second.written();
  expect(await readFile(file, 'utf8')).toBe(line + line);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
