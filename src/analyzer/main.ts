/**
 * `entrain analyzer`: records activation streams, then computes synchrony from what is durable.
 *
 *   WebSocket ─▶ stream server ─▶ recording (synced, acknowledged) ─▶ score board ─▶ score worker ─▶ /metrics, page, scores.jsonl
 */
import { subjects } from '../protocol/subjects.ts';
import { join } from 'node:path';
import { systemClock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { serveHttp, type HttpServer } from '../transport/http/server.ts';
import { connectNats, natsFromEnvironment, type NatsLink } from '../transport/nats/connection.ts';
import { createStreamServer, type StreamServer } from '../transport/stream/server.ts';
import { verifyToken } from '../transport/stream/token.ts';
import { announceAnalyzer } from './output/announce.ts';
import { keepBudget, type Budget } from './ingest/retention.ts';
import { createAnalyzerMetrics, type AnalyzerMetrics } from './output/metrics.ts';
import { createRecordings, readDisk, recordedFrames, type Recordings } from './ingest/recordings.ts';
import { createReports, type Reports } from './output/reports.ts';
import { analyzerRoutes } from './output/routes.ts';
import { createScoreBoard, type ScoreBoard } from './state/score-store.ts';
import { createScoreLog } from './output/score-log.ts';
import { startScorer, type Scorer } from './scoring/scorer.ts';
import { readSettings, type Settings } from './settings.ts';
import { unscoredRuns } from './state/unscored-runs.ts';

/** What every part of the program is handed. */
interface Base {
  settings: Settings;
  log: Logger;
  shutdown: Shutdown;
  version: string;
  /** The program cannot go on: it stops, with status 1. */
  fail(error: Error): void;
}

/** Where agents bring their states. */
const STREAM_PATH = '/stream';

export { usage } from './settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = createLog('analyzer');
  const shutdown = createShutdown(log);
  let exitCode = 0;
  endOnSignals(shutdown, { supervised: environment('ENTRAIN_SUPERVISED') === '1', exitCode: () => exitCode });
  const fail = (error: Error): void => {
    exitCode = 1;
    log.fatal({ err: error }, 'the analyzer cannot go on');
    void shutdown.stop();
  };
  try {
    await start({ settings, log, shutdown, version: await programVersion(), fail });
    await shutdown.asked;
  } finally {
    await shutdown.stop();
  }
  return exitCode;
}

/** A run that was silent for so long has most likely ended; if it has not, its rows are read back. */
const RELEASE_AFTER_MS = 600_000;

/** Parts that need each other's figures read them late, through this. */
interface Parts {
  stream?: StreamServer;
  link?: NatsLink;
  metrics?: AnalyzerMetrics;
  scorer?: Scorer;
}

async function start(base: Base): Promise<void> {
  const { settings, log, shutdown } = base;
  const parts: Parts = {};
  const { board, scorer } = startBoard(base, parts);
  const recordings = createRecordings({
    ...settings,
    log,
    onRecalled: (frame) => {
      board.take({ ...frame, arrivedMs: systemClock.monotonicMs() });
      return scorer.room();
    },
    onEnded: (run) => board.end(run),
  });
  shutdown.onStop('recordings', () => recordings.close());
  const budget = keepBudget({
    ...settings,
    clock: systemClock,
    log,
    onRemoved: (event) =>
      parts.link?.connection.publish(subjects.analyzerEvent(settings.id), JSON.stringify(event)),
  });
  shutdown.onStop('budget', () => budget.stop());
  const reports = createReports({ board, clock: systemClock, ...sources(parts) });
  const http = await serve(base, { parts, reports, recordings, budget });
  shutdown.onStop('http', () => http.close());
  const stream = serveStreams(base, { upgrades: http.upgrades, board, recordings });
  parts.stream = stream;
  shutdown.onStop('streams', () => stream.close());
  if (settings.nats) parts.link = await joinNats(base, { http, reports, budget, board });
  log.info({ url: http.url, stream: streamUrl(http) }, 'analyzer ready');
  scoreUnscored(base, recordings).catch((error: unknown) =>
    log.error({ err: error }, 'the runs that ended before cannot be looked through'),
  );
}

async function scoreUnscored({ settings, log }: Base, recordings: Recordings): Promise<void> {
  for (const run of await unscoredRuns(settings.runsFolder, systemClock.nowMs())) {
    log.info({ run }, 'the run ended before its last scores were written; they are made up for');
    await recordings
      .of(run)
      .catch((error: unknown) => log.error({ err: error, run }, 'the run cannot be read'));
  }
}

function sources(parts: Parts) {
  return {
    natsUp: () => parts.link?.up() ?? false,
    streams: () => parts.stream?.status().streams ?? [],
    refused: () => parts.stream?.status().refused ?? {},
    skippedStepFrames: () => parts.scorer?.skippedFrames() ?? 0,
  };
}

function startBoard(
  { settings, log, shutdown, fail }: Base,
  parts: Parts,
): { board: ScoreBoard; scorer: Scorer } {
  const scoreLog = createScoreLog(settings.runsFolder, log);
  shutdown.onStop('score log', () => scoreLog.close());
  const { stepMeasures } = settings;
  const scorer = startScorer({ stepMeasures, onAnswer: (answer) => board.takeAnswer(answer) });
  parts.scorer = scorer;
  const board: ScoreBoard = createScoreBoard({
    clock: systemClock,
    log,
    scoreLog,
    send: (input) => scorer.take(input),
    releaseAfterMs: RELEASE_AFTER_MS,
    readBack: (run) => recordedFrames(run, join(settings.runsFolder, run)),
    onScore: (answer, latenciesMs) => {
      if ('stack' in answer && answer.stack !== undefined) parts.metrics?.faults();
      else if ('computedMs' in answer)
        parts.metrics?.scored(answer.type === 'score' ? 'full' : answer.type, answer.computedMs);
      for (const latencyMs of latenciesMs) parts.metrics?.refreshed(latencyMs);
    },
  });
  const sweep = setInterval(() => board.releaseSilent(), RELEASE_AFTER_MS / 10);
  shutdown.onStop('release of rows', () => clearInterval(sweep));
  shutdown.onStop('scorer', () => scorer.stop());
  void scorer.failed.then(fail);
  return { board, scorer };
}

async function serve(
  { settings, log, version }: Base,
  of: { parts: Parts; reports: Reports; recordings: Recordings; budget: Budget },
): Promise<HttpServer> {
  const { parts, reports, recordings, budget } = of;
  const metrics = createAnalyzerMetrics({
    version,
    ...sources(parts),
    ...reports.metrics,
    budget: () => budget.figures(),
  });
  parts.metrics = metrics;
  const routes = analyzerRoutes({
    metrics: () => metrics.text(),
    scores: (name) => reports.scores(name),
    state: (name) => reports.state(name),
    checks: {
      nats: () => (settings.nats && !parts.link?.up() ? 'not connected' : undefined),
      recording: () => recordings.fault(),
    },
  });
  return serveHttp({ ...settings.serving, routes, upgradePath: STREAM_PATH, log });
}

function serveStreams(
  { settings, log }: Base,
  {
    upgrades,
    board,
    recordings,
  }: { upgrades: HttpServer['upgrades']; board: ScoreBoard; recordings: Recordings },
): StreamServer {
  return createStreamServer({
    server: upgrades,
    path: STREAM_PATH,
    authorize: (token) => verifyToken(settings.publicKeyPem, token, { nowMs: systemClock.nowMs() }),
    record: async (name, stream) => (await recordings.of(name)).stream(stream),
    onRecorded: (message, { run: name, stream, epoch, arrivedMs }) =>
      board.take({ run: name, origin: { stream, epoch, seq: message.seq }, message, arrivedMs }),
    log,
    clock: systemClock,
  });
}

async function joinNats(
  base: Base,
  { http, reports, budget, board }: { http: HttpServer; reports: Reports; budget: Budget; board: ScoreBoard },
): Promise<NatsLink> {
  const { settings, log, shutdown, version } = base;
  const link = await connectNats({
    ...(await natsFromEnvironment()),
    name: `entrain analyzer ${settings.id}`,
    log,
  });
  shutdown.onStop('nats', () => link.close());
  const service = await announceAnalyzer(link, {
    id: settings.id,
    version,
    httpUrl: http.url,
    streamUrl: streamUrl(http),
    scores: (name) => reports.scores(name),
    disk: async () => readDisk({ ...settings, roomBytes: await budget.roomBytes() }),
    finished: (run) => {
      board.end(run);
      return budget.finished(run);
    },
  });
  shutdown.onStop('service', () => service.stop());
  return link;
}

const streamUrl = (http: HttpServer): string => `${http.url.replace(/^http/, 'ws')}${STREAM_PATH}`;
