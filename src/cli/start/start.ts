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
import { awaitScores, type ScoresEnd } from './await-scores.ts';
import { awaitScrape } from './await-scrape.ts';
import { childFault, type ChildEnd } from './child-processes.ts';
import { resumeView } from './resume-view.ts';
import { startFleet, type FleetProcesses } from './fleet-processes.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { lastFigures, stoppedText } from './exit-message.ts';
import { finalTables } from '../terminal/final-tables.ts';
import { readStartSettings, type StartSettings } from './start-settings.ts';
import { namesIn, reportVerdict } from '../../protocol/reports/report-verdict.ts';
import { writeReport } from './write-report.ts';
import { createTerminal, progressLine, widthOf } from '../terminal/terminal.ts';
import type { ViewState } from '../terminal/view-state.ts';
import { wrapText } from '../terminal/wrap-words.ts';
import { fetchReport, fetchState, watchRun, type RunWatch } from '../terminal/watch-run.ts';
import { shellWord } from '../shell-word.ts';

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
    const say = sayTo(settings);
    if (hopeless) say(`note         ${hopeless}`);
    const earlier = await resumeView(settings);
    const fleet = await startFleet(settings, { shutdown, claim, say });
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
  const say = sayTo(settings);
  const terminal = createTerminal(settings.json ? process.stderr : process.stdout, elapsedMs);
  const { analyzer, logFolder } = fleet;
  const watch = watchRun({ run: settings.run, earlier, link, terminal, analyzer, logFolder, clock, log });
  shutdown.onStop('watch', () => watch.stop());
  // A stop may be asked for while the coordinator starts, after the first words. It then ends the wait, and the
  // closing lines are printed.
  await Promise.race([fleet.startCoordinator(), shutdown.asked]);
  await outcome(watch, { fleet, shutdown, folder: settings.folder });
  const scores = (await wasAsked(shutdown))
    ? 'stalled'
    : await lastScores(watch, { fleet, shutdown, settings });
  watch.stop();
  const width = widthOf(settings.json ? process.stderr : process.stdout);
  say(`\n${progressLine(watch.state(), { elapsedMs: elapsedMs(), width })}\n`);
  if (await wasAsked(shutdown)) return sayStopped(watch, settings);
  const report = await fetchReport(fleet.analyzer);
  if (report) say(tablesOf(report, settings));
  say(`\nrun folder  ${settings.folder}`);
  if (scores === 'final') say(await writeReport(settings.folder));
  else sayNotWhole(settings, scores);
  if (settings.once) say(`look again  entrain view ${shellWord(settings.folder)}`);
  if (settings.json) printJson(report, settings);
  if (settings.once) return lastScrape({ fleet, shutdown });
  const { url } = fleet.analyzer;
  say(`serving     the viewer, and ${url}/metrics, until Ctrl-C`);
  await Promise.race([shutdown.asked, unexpectedEnd(fleet, settings.folder)]);
}

/** Prints the last table and how to continue: what Ctrl-C leaves on the screen. */
function sayStopped(watch: RunWatch, settings: StartSettings): void {
  const state = watch.state();
  const say = sayTo(settings);
  if (state.report?.groups.length) say(`${tablesOf(state.report, settings)}\n`);
  say(stoppedText(state, settings));
}

/** Says that the figures shown are not those of everything that was said. With `--once` that is an error. */
function sayNotWhole({ once, folder, json }: StartSettings, end: 'unmarked' | 'stalled'): void {
  const [code, text] = {
    stalled: [
      'SCORES_LATE',
      `Scoring has given nothing new for ${STALLED_MS / 60_000} minutes, so these are not the last figures; all is recorded, and ${lastFigures(folder)}.`,
    ] as const,
    unmarked: [
      'RECORDING_INCOMPLETE',
      `Nobody said that all states are recorded, so these may not be the last figures: \`entrain verify ${shellWord(folder)}\` says what is missing, and the logs in ${folder}/logs why.`,
    ] as const,
  }[end];
  if (once) throw new EntrainError(code, text);
  sayTo({ json })(text);
}

function tablesOf(report: ScoreReport, { study, verbose, json }: StartSettings): string {
  const width = widthOf(json ? process.stderr : process.stdout);
  const verdict = reportVerdict(report, namesIn(study));
  return finalTables(report, { width, isVerbose: verbose, verdict }).join('\n');
}

/** The final report for programs: one object, and nothing else on standard output. */
function printJson(report: ScoreReport | undefined, { run, folder, study }: StartSettings): void {
  const verdict = report && reportVerdict(report, namesIn(study));
  process.stdout.write(`${JSON.stringify({ run, folder, verdict, report })}\n`);
}

/** Where a person reads: standard output, or standard error where that is for JSON. */
const sayTo =
  ({ json }: Pick<StartSettings, 'json'>) =>
  (text: string): void => {
    const out = json ? process.stderr : process.stdout;
    out.write(`${wrapText(text, widthOf(out))}\n`);
  };

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

/** How the wait for the last scores ended; `stalled` if a stop was asked for earlier. */
async function lastScores(
  watch: RunWatch,
  of: { fleet: FleetProcesses; shutdown: Shutdown; settings: StartSettings },
): Promise<ScoresEnd> {
  const { fleet, shutdown, settings } = of;
  const scored = awaitScores({
    clock,
    fetch: () => fetchReport(fleet.analyzer),
    note: (text) => watch.note(text),
    stalledMs: STALLED_MS,
    pollMs: SCORES_POLL_MS,
  });
  const stopped = shutdown.asked.then(() => 'stalled' as const);
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
