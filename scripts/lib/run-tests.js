import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { runCommand } from './command.js';
import { compileWithBench } from './compile.js';
import { runGates } from './gates.js';
import { ensureNatsServer } from './nats-server.js';
import { ensurePackages } from './packages.js';
import { cacheFolder, root } from './paths.js';
import { SetupError, say } from './setup-error.js';
import { closingLine, countTests } from './test-report.js';
import { ensureTestTools } from './test-tools.js';

const REPORT = `${cacheFolder}/test-report.json`;

/** Sets up, runs the gates and all tests (or those that `filters` name), and ends with one plain line of figures. */
export async function runTests(filters) {
  await ensurePackages();
  process.env.ENTRAIN_NATS_SERVER = await ensureNatsServer({ needed: true });
  // the tests start servers of their own
  delete process.env.NATS_URL;
  await ensureTestTools();
  await compileWithBench();
  const failedGates = filters.length === 0 ? await runGates() : [];
  const counts = countTests(await runVitest(filters));
  const forbidden = skipsBesideShared(counts);
  const failed = counts.failed + failedGates.length + forbidden;
  if (failedGates.length > 0) say(`gates that fail: ${failedGates.join(', ')}`);
  console.log(closingLine({ ...counts, failed, skipped: counts.skipped - forbidden }));
  return failed === 0 && counts.passed > 0 ? 0 : 1;
}

async function runVitest(filters) {
  await mkdir(cacheFolder, { recursive: true });
  await rm(REPORT, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const vitest = `${root}node_modules/vitest/vitest.mjs`;
  await runCommand(process.execPath, [vitest, 'run', ...reporters, ...filters]);
  const report = await readFile(REPORT, 'utf8').catch(() => undefined);
  if (report === undefined)
    throw new SetupError('vitest ended without a report, so no test counts; its own lines above say why.');
  return JSON.parse(report);
}

/** Only tests that need the folder ../shared may be skipped, and only where it is absent: else a skip is a failure. */
function skipsBesideShared({ skipped }) {
  if (skipped === 0 || !existsSync(`${root}../shared`)) return 0;
  say(`${skipped} tests were skipped although ../shared is there: they count as failed`);
  return skipped;
}
