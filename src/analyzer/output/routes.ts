/** HTTP routes of the analyzer: metrics, health, scores and state as JSON. What people look at is the viewer. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import type { StateReport } from '../../protocol/reports/state-report.ts';
import {
  healthz,
  jsonAnswer,
  readyz,
  type HttpRequest,
  type HttpRoute,
} from '../../transport/http/server.ts';
import { formFor, METRICS_TYPES, type MetricsForm } from './open-metrics.ts';

export interface RouteSources {
  metrics(form: MetricsForm): Promise<string>;
  /** Scores of a run, by default of the latest; undefined for an unknown run. */
  scores(run?: string): ScoreReport | undefined;
  state(run?: string): StateReport | undefined;
  /** Name of a check → what is wrong, or undefined. */
  checks: Readonly<Record<string, () => string | undefined>>;
}

export function analyzerRoutes(sources: RouteSources): Readonly<Record<string, HttpRoute>> {
  return {
    '/metrics': async ({ accept }) => {
      const form = formFor(accept);
      return { status: 200, type: METRICS_TYPES[form], body: await sources.metrics(form) };
    },
    '/healthz': healthz,
    '/readyz': readyz(sources.checks),
    '/api/scores': ofRun(sources.scores),
    '/api/state': ofRun(sources.state),
  };
}

function ofRun(read: (run?: string) => unknown): HttpRoute {
  return ({ query }: HttpRequest) => {
    const run = query.get('run') ?? undefined;
    const found = read(run);
    return found === undefined
      ? jsonAnswer({ error: 'This analyzer knows no such run.', run }, 404)
      : jsonAnswer(found);
  };
}
