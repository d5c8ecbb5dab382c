/**
 * `entrain start`: runs a whole study on this machine. It starts nats-server, the analyzer, the agents and the
 * coordinator as processes, shows the run, and stops all of them at the end.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { hopelessStudy } from '../../protocol/minimums.ts';
import { environment } from '../../process/environment.ts';
import { createLog } from '../../process/log.ts';
import { claimRun } from '../../process/run-folder/run-claim.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../../process/shutdown.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { serveHttp } from '../../transport/http/server.ts';
import { connectNats } from '../../transport/nats/connection.ts';
import { awaitScores } from './await-scores.ts';
import { awaitScrape } from './await-scrape.ts';
import { childFault, type ChildEnd } from './child-processes.ts';
import { resumeView } from './resume-view.ts';
import { startFleet, type FleetProcesses } from './fleet-processes.ts';
import type { ScoreReport } from '../../protocol/report.ts';
import { lastFigures, stoppedText } from './exit-message.ts';
import { differenceTable, distanceTable } from '../terminal/contrast-tables.ts';
import { matrixTables, pairTable, scoreTable, stepTable } from '../terminal/score-table.ts';
import { readStartSettings, type StartSettings } from './start-settings.ts';
import { tableNotes } from '../terminal/table-notes.ts';
import { branchTable, patchTable } from '../terminal/branch-table.ts';
import { talkTable } from '../terminal/talk-table.ts';
import { createTerminal, progressLine, widthOf } from '../terminal/terminal.ts';
import type { ViewState } from '../terminal/view-state.ts';
import { fetchReport, fetchState, watchRun, type RunWatch } from '../terminal/watch-run.ts';

/** Scoring has stalled if it gives nothing new for this time. */
const STALLED_MS = 15 * 60_000;
const SCORES_POLL_MS = 500;
const SCRAPE_POLL_MS = 200;

export { FLAGS as flags, usage } from './start-settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = await readStartSettings(argv);
  const log = createLog('supervisor');
  const shutdown = createShutdown(log);
  endOnSignals(shutdown, {
    supervised: environment('ENTRAIN_SUPERVISED') === '1',
    exitCode: () => (settings.once ? 130 : 0),
  });
  try {
    const { run: name, folder } = settings;
    const claim = await claimRun({ run: name, folder, program: 'start' });
    // The claim is made first and released last.
    shutdown.onStop('claim', () => claim.release());
    await requirePort(settings);
    const hopeless = hopelessStudy(settings.study, (agent) => settings.models.get(agent));
    if (hopeless) console.log(`note         ${hopeless}`);
    const earlier = await resumeView(settings);
    const fleet = await startFleet(settings, { shutdown, claim, say: (text) => console.log(text) });
    await watchToTheEnd(settings, { fleet, shutdown, earlier });
    return 0;
  } finally {
    await shutdown.stop();
  }
}

async function watchToTheEnd(
  settings: StartSettings,
  to: { fleet: FleetProcesses; shutdown: Shutdown; earlier: ViewState },
): Promise<void> {
  const { fleet, shutdown, earlier } = to;
  const log = createLog('supervisor');
  const link = await connectNats({ ...fleet.nats, name: 'entrain supervisor', log });
  shutdown.onStop('nats link', () => link.close());
  const startMs = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - startMs;
  const terminal = createTerminal(process.stdout, elapsedMs);
  const { analyzer, logFolder } = fleet;
  const watch = watchRun({ run: settings.run, earlier, link, terminal, analyzer, logFolder, clock, log });
  shutdown.onStop('watch', () => watch.stop());
  // A stop may be asked for while the coordinator starts, after the first words. It then ends the wait, and the
  // closing lines are printed.
  await Promise.race([fleet.startCoordinator(), shutdown.asked]);
  await outcome(watch, { fleet, shutdown, folder: settings.folder });
  const settled = !(await wasAsked(shutdown)) && (await lastScores(watch, { fleet, shutdown, settings }));
  watch.stop();
  console.log(`\n${progressLine(watch.state(), elapsedMs())}\n`);
  if (await wasAsked(shutdown)) return sayStopped(watch, settings);
  const report = await fetchReport(fleet.analyzer);
  if (report) console.log(finalTables(report).join('\n'));
  console.log(`\nrun folder  ${settings.folder}`);
  if (!settled) sayLate(settings);
  if (settings.once) return lastScrape({ fleet, shutdown });
  const { url } = fleet.analyzer;
  console.log(`serving     ${url}/  and  ${url}/metrics  until Ctrl-C`);
  await Promise.race([shutdown.asked, unexpectedEnd(fleet, settings.folder)]);
}

/** Prints the last table and how to continue: what Ctrl-C leaves on the screen. */
function sayStopped(watch: RunWatch, settings: StartSettings): void {
  const state = watch.state();
  if (state.report?.groups.length) console.log(`${finalTables(state.report).join('\n')}\n`);
  console.log(stoppedText(state, settings));
}

/** Says that the figures shown are not the final ones. With `--once` that is an error. */
function sayLate({ once, folder }: StartSettings): void {
  const text = `Scoring has given nothing new for ${STALLED_MS / 60_000} minutes, so these are not the last figures; all is recorded, and ${lastFigures(folder)}.`;
  if (once) throw new EntrainError('SCORES_LATE', text);
  console.log(text);
}

function finalTables(report: ScoreReport): string[] {
  const tables = [
    pairTable,
    differenceTable,
    distanceTable,
    stepTable,
    branchTable,
    patchTable,
    talkTable,
  ].map((table) => table(report));
  const below = tables.flatMap((lines) => (lines.length > 0 ? ['', ...lines] : []));
  return [
    ...scoreTable(report, widthOf(process.stdout)),
    ...matrixTables(report),
    ...below,
    '',
    ...tableNotes(report),
  ];
}

/** Settles when the run is over or a stop was asked for. Throws if the run failed or a program ended early. */
async function outcome(
  watch: RunWatch,
  of: { fleet: FleetProcesses; shutdown: Shutdown; folder: string },
): Promise<void> {
  const end = await Promise.race([watch.ended, of.shutdown.asked, unexpectedEnd(of.fleet, of.folder)]);
  if (end?.failed) {
    watch.stop();
    throw new EntrainError('AGENT_LOST', end.reason);
  }
}

/** Rejects when a program ends unasked; never resolves. */
async function unexpectedEnd(fleet: FleetProcesses, folder: string): Promise<never> {
  const end: ChildEnd = await fleet.firstEnd();
  const fault = await childFault(end, fleet.logFolder);
  throw new EntrainError('CHILD_FAILED', `${fault.message}${await whatIsKept(folder)}`, { cause: fault });
}

/** Says what is kept; empty if no agent had an episode yet. */
async function whatIsKept(folder: string): Promise<string> {
  const recorded = access(join(folder, 'streams'));
  return recorded.then(
    () => ` What was recorded is kept in ${folder}.`,
    () => '',
  );
}

/** Checks the port before anything is created, so that a start that cannot succeed leaves nothing behind. */
async function requirePort({ host, port }: StartSettings): Promise<void> {
  const probe = await serveHttp({ host, port, advertise: host, routes: {}, log: createLog('supervisor') });
  await probe.close();
}

/** @returns whether everything recorded is in a published score; false if a stop was asked for earlier */
async function lastScores(
  watch: RunWatch,
  of: { fleet: FleetProcesses; shutdown: Shutdown; settings: StartSettings },
): Promise<boolean> {
  const { fleet, shutdown, settings } = of;
  const scored = awaitScores({
    clock,
    fetch: () => fetchReport(fleet.analyzer),
    note: (text) => watch.note(text),
    stalledMs: STALLED_MS,
    pollMs: SCORES_POLL_MS,
  });
  const stopped = shutdown.asked.then(() => false);
  return Promise.race([scored, stopped, unexpectedEnd(fleet, settings.folder)]);
}

/** Whoever reads the metrics has a chance to see the last ones. */
async function lastScrape({ fleet, shutdown }: { fleet: FleetProcesses; shutdown: Shutdown }): Promise<void> {
  const fetch = () => fetchState(fleet.analyzer);
  await Promise.race([awaitScrape({ fetch, pollMs: SCRAPE_POLL_MS }), shutdown.asked]);
}

async function wasAsked(shutdown: Shutdown): Promise<boolean> {
  return Promise.race([
    shutdown.asked.then(() => true),
    new Promise<boolean>((done) => setImmediate(() => done(false))),
  ]);
}
