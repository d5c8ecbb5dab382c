/** Announces the analyzer as a NATS micro service: where it listens, and what it has recorded and scored so far. */
import { finishedSchema, parseMessage, type Disk } from '../../protocol/nats-messages.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { ANALYZER_SERVICE, subjects } from '../../protocol/subjects.ts';
import { refuseVersion1, registerService } from '../../transport/nats/services.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export interface Announcement {
  log: Logger;
  id: string;
  version: string;
  httpUrl: string;
  streamUrl: string;
  /** Fingerprint of its certificate; undefined if it serves without TLS. */
  fingerprint?: string | undefined;
  /** Undefined for an unknown run. */
  scores(run?: string): ScoreReport | undefined;
  disk(): Promise<Disk>;
  /** Called when the coordinator says that a run is over and recorded. */
  finished(run: string): Promise<void>;
}

export interface AnnouncedAnalyzer {
  /** It has another certificate; told as if it had moved. */
  renew(fingerprint: string): Promise<void>;
  stop(): Promise<void>;
}

export async function announceAnalyzer(link: NatsLink, about: Announcement): Promise<AnnouncedAnalyzer> {
  let service = await register(link, about);
  return {
    renew: async (fingerprint) => {
      const before = service;
      service = await register(link, { ...about, fingerprint });
      await before.stop();
    },
    stop: () => service.stop(),
  };
}

function register(link: NatsLink, about: Announcement): Promise<{ stop(): Promise<void> }> {
  const { id, version, httpUrl, streamUrl, fingerprint } = about;
  return registerService(link, {
    name: ANALYZER_SERVICE,
    version,
    description: 'Records activation streams and computes synchrony',
    metadata: {
      id,
      httpUrl,
      streamUrl,
      metricsUrl: `${httpUrl}/metrics`,
      ...(fingerprint === undefined ? {} : { fingerprint }),
    },
    endpoints: [
      {
        name: 'state',
        subject: subjects.analyzerState(id),
        handle: (request) => JSON.stringify(scoresOf(about, runAskedFor(request))),
      },
      {
        name: 'disk',
        subject: subjects.analyzerDisk(id),
        handle: async () => JSON.stringify(await about.disk()),
      },
      {
        name: 'finished',
        subject: subjects.analyzerFinished(id),
        handle: async (request) => {
          const what = 'The end of a run';
          const { run } = parseMessage(finishedSchema, request, { code: 'MESSAGE_INVALID', what });
          await about.finished(run);
          return JSON.stringify({ run });
        },
      },
      refuseVersion1(subjects.version1Analyzer(id), about.log),
    ],
  });
}

/** The requested run: an empty request means the latest one, else `{"run": NAME}`. */
function runAskedFor(request: string): string | undefined {
  const asked = request === '' ? {} : (JSON.parse(request) as { run?: unknown } | null);
  return typeof asked?.run === 'string' ? asked.run : undefined;
}

function scoresOf(about: Announcement, run: string | undefined): ScoreReport {
  const report = about.scores(run);
  if (report) return report;
  throw new EntrainError(
    'RUN_INVALID',
    `The analyzer ${about.id} knows no run ${run}: expected one that streams to it.`,
  );
}
