/**
 * `entrain analyzer`: records activation streams, then computes synchrony from what is durable.
 *
 *   WebSocket ─▶ stream server ─▶ recording (synced, acknowledged) ─▶ score store ─▶ score worker ─▶
 *   /metrics, page, scores.jsonl
 */
import { subjects } from '../protocol/subjects.ts';
import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { systemClock } from '../process/clock.ts';
import { environment } from '../process/environment.ts';
import { createLog, type Logger } from '../process/log.ts';
import { dropEndedTargets } from '../process/run-folder/targets-file.ts';
import { requireWritableFolder } from '../process/writable-folder.ts';
import { createShutdown, endOnSignals, type Shutdown } from '../process/shutdown.ts';
import { programVersion } from '../process/version.ts';
import { serveHttp, type HttpServer } from '../transport/http/server.ts';
import { fingerprintOf } from '../transport/http/tls.ts';
import { keepAccess } from '../transport/nats/access/renew-credentials.ts';
import {
  connectNats,
  natsFromEnvironment,
  type NatsLink,
  type NatsOptions,
} from '../transport/nats/connection.ts';
import { createRoles, type Roles } from '../transport/stream/auth/check-roles.ts';
import { createStreamServer, type StreamServer } from '../transport/stream/receiver/server.ts';
import { verifyToken } from '../transport/stream/auth/access-token.ts';
import { announceAnalyzer } from './output/nats-service.ts';
import { keepCertificate } from './output/renew-certificate.ts';
import { keepBudget, type Budget } from './ingest/keep-budget.ts';
import { createAnalyzerMetrics, createScoreCounters, type ScoreCounters } from './output/metrics.ts';
import { createRowMemory } from './ingest/row-memory.ts';
import { createRecordings, readDisk, recordedFrames, type Recordings } from './ingest/recordings.ts';
import { createReports, type Reports, type ReportSources } from './output/reports.ts';
import { analyzerRoutes } from './output/routes.ts';
import { sweepRuns } from './state/forget-settled.ts';
import { createScoreStore, type ScoreStore } from './state/score-store.ts';
import { createScrapes, type Scrapes } from './output/scrapes.ts';
import { createScoreLog, type ScoreLog } from './output/score-log.ts';
import { startScorer, type Scorer } from './scoring/scorer.ts';
import { readSettings, type Settings } from './settings.ts';
import { makeUpFor } from './state/make-up.ts';

/** What every part of the program is given. */
interface Base {
  settings: Settings;
  log: Logger;
  shutdown: Shutdown;
  version: string;
  /** Stops the program with status 1, since it cannot continue. */
  fail(error: Error): void;
}

/** Path to which agents stream their states. */
const STREAM_PATH = '/stream';

export { FLAGS as flags, usage } from './settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = createLog('analyzer');
  const shutdown = createShutdown(log);
  let exitCode = 0;
  const supervised = environment('ENTRAIN_SUPERVISED') === '1';
  // A supervisor that was killed leaves its entries to the program that stays longest.
  if (supervised) shutdown.onStop('targets', () => dropEndedTargets(settings.runsFolder));
  endOnSignals(shutdown, { supervised, exitCode: () => exitCode });
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

/** A run that was silent for this time has most likely ended. If it has not, its rows are read back. */
const RELEASE_AFTER_MS = 600_000;

/** Starts the parts in order; each one depends only on earlier ones. */
async function start(base: Base): Promise<void> {
  const { settings, log, shutdown } = base;
  await requireWritableFolder(settings.runsFolder);
  const nats = settings.nats ? await natsFromEnvironment() : undefined;
  const link = nats && (await joinNats(base, nats));
  const counters = createScoreCounters();
  const scoring = startScoring(base, counters);
  const recordings = openRecordings(base, scoring);
  const budget = startBudget(base, link);
  const scrapes = createScrapes(systemClock);
  const upgrades = new EventEmitter();
  const stream = serveStreams(base, { upgrades, ...scoring, recordings });
  const sources: ReportSources = {
    ...scoring,
    clock: systemClock,
    natsUp: () => link?.up(),
    streams: () => stream.status().streams,
    refused: () => stream.status().refused,
    scrapes: () => scrapes.figures(),
  };
  const reports = createReports(sources);
  const routes = routesOf(base, {
    ...scoring,
    sources,
    reports,
    counters,
    recordings,
    budget,
    link,
    scrapes,
  });
  const http = await serveHttp({ ...settings.serving, routes, upgradePath: STREAM_PATH, upgrades, log });
  shutdown.onStop('http', () => http.close());
  shutdown.onStop('streams', () => stream.close());
  if (link) await announce(base, { link, nats, http, reports, budget, recordings, ...scoring });
  log.info({ url: http.url, stream: streamUrl(http) }, 'analyzer ready');
  makeUpFor({ ...settings, nowMs: systemClock.nowMs(), log }, recordings).catch((error: unknown) =>
    log.error({ err: error }, 'the runs that ended before cannot be looked through'),
  );
}

interface Scoring {
  store: ScoreStore;
  scorer: Scorer;
  scoreLog: ScoreLog;
  /** Decides whose frames count. */
  roles: Roles;
}

function startScoring({ settings, log, shutdown, fail }: Base, counters: ScoreCounters): Scoring {
  const scoreLog = createScoreLog(settings.runsFolder, log);
  shutdown.onStop('score log', () => scoreLog.written());
  const { stepMeasures } = settings;
  const scorer = startScorer({ stepMeasures });
  const store = createScoreStore({
    clock: systemClock,
    log,
    scoreLog,
    send: (input) => scorer.take(input),
    memory: createRowMemory(settings.memoryBytes),
    releaseAfterMs: RELEASE_AFTER_MS,
    readBack: (run) => recordedFrames(run, join(settings.runsFolder, run)),
    onScore: (answer, latenciesMs) => {
      if ('stack' in answer && answer.stack !== undefined) counters.faults();
      else if ('computedMs' in answer)
        counters.scored(answer.run, answer.type === 'score' ? 'full' : answer.type, answer.computedMs);
      const { run } = answer.type === 'fault' ? answer.score : answer;
      for (const latencyMs of latenciesMs) counters.refreshed(run, latencyMs);
    },
  });
  scorer.onAnswer((answer) => store.takeAnswer(answer));
  shutdown.onStop('scorer', () => scorer.stop());
  void scorer.failed.then(fail);
  return { store, scorer, scoreLog, roles: createRoles(settings) };
}

function openRecordings({ settings, log, shutdown }: Base, { store, scorer, roles }: Scoring): Recordings {
  const recordings = createRecordings({
    ...settings,
    log,
    onRecalled: (frame) => {
      roles.recall(frame.message, { run: frame.run, stream: frame.origin.stream });
      store.take({ ...frame, arrivedMs: systemClock.monotonicMs() });
      return scorer.room();
    },
    onEnded: (run) => store.end(run),
  });
  shutdown.onStop('recordings', () => recordings.close());
  return recordings;
}

function startBudget({ settings, log, shutdown }: Base, link: NatsLink | undefined): Budget {
  const budget = keepBudget({
    ...settings,
    clock: systemClock,
    log,
    onRemoved: (event) =>
      link?.connection.publish(subjects.analyzerEvent(settings.id), JSON.stringify(event)),
  });
  shutdown.onStop('budget', () => budget.stop());
  return budget;
}

interface Served extends Scoring {
  sources: ReportSources;
  reports: Reports;
  counters: ScoreCounters;
  recordings: Recordings;
  budget: Budget;
  link: NatsLink | undefined;
  scrapes: Scrapes;
}

function routesOf(
  { settings, version }: Base,
  { sources, reports, counters, recordings, budget, scorer, link, scrapes }: Served,
): ReturnType<typeof analyzerRoutes> {
  const metrics = createAnalyzerMetrics({
    version,
    folder: settings.runsFolder,
    ...sources,
    ...reports.metrics,
    counters,
    skippedStepFrames: () => scorer.skippedFrames(),
    budget: () => budget.figures(),
  });
  return analyzerRoutes({
    metrics: (form) => {
      scrapes.note();
      return metrics.text(form);
    },
    scores: (name) => reports.scores(name),
    state: (name) => reports.state(name),
    checks: {
      nats: () => (settings.nats && !link?.up() ? 'not connected' : undefined),
      recording: () => recordings.fault(),
    },
  });
}

function serveStreams(
  { settings, log, shutdown }: Base,
  { upgrades, recordings, ...scoring }: Scoring & Pick<Served, 'recordings'> & Pick<HttpServer, 'upgrades'>,
): StreamServer {
  const { roles, store } = scoring;
  const streams = createStreamServer({
    server: upgrades,
    path: STREAM_PATH,
    authorize: (token) => verifyToken(settings.publicKeyPem, token, { nowMs: systemClock.nowMs() }),
    admit: (message, claims) => roles.admit(message, claims),
    record: async (name, stream, agent) => (await recordings.of(name)).stream(stream, agent),
    onRecorded: (message, { run: name, stream, epoch, arrivedMs }) =>
      store.take({ run: name, origin: { stream, epoch, seq: message.seq }, message, arrivedMs }),
    log,
    clock: systemClock,
  });
  const stop = sweepRuns(settings.forgetAfterMs, { ...scoring, streams, recordings, log });
  shutdown.onStop('sweep of runs', stop);
  return streams;
}

async function joinNats(
  { settings: { id }, log, shutdown, fail }: Base,
  nats: NatsOptions,
): Promise<NatsLink> {
  const link = await connectNats({ ...nats, name: `entrain analyzer ${id}`, log, waitMs: Infinity });
  shutdown.onStop('nats', () => link.close());
  const access = { who: `analyzer "${id}"`, subject: subjects.renewAnalyzer(id), log };
  shutdown.onStop('credentials', keepAccess(link, nats, { ...access, fail }).stop);
  return link;
}

type Announced = Pick<Served, 'store' | 'reports' | 'budget' | 'recordings'> & {
  link: NatsLink;
  nats: NatsOptions | undefined;
  http: HttpServer;
};

async function announce(
  { settings, shutdown, version, log }: Base,
  { link, nats, http, reports, budget, store, recordings }: Announced,
): Promise<void> {
  const { tls } = settings.serving;
  const service = await announceAnalyzer(link, {
    log,
    id: settings.id,
    version,
    httpUrl: http.url,
    streamUrl: streamUrl(http),
    fingerprint: tls && fingerprintOf(tls),
    scores: (name) => reports.scores(name),
    disk: async () => readDisk({ ...settings, roomBytes: await budget.roomBytes() }),
    finished: async (run) => {
      store.end(run);
      await recordings.seal(run);
      await budget.finished(run);
    },
  });
  shutdown.onStop('service', () => service.stop());
  const kept = keepCertificate(link, { ...settings, ...nats, http, service, clock: systemClock, log });
  shutdown.onStop('certificate', kept.stop);
}

const streamUrl = (http: HttpServer): string => `${http.url.replace(/^http/, 'ws')}${STREAM_PATH}`;
