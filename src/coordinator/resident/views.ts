/** Runs and fleet as users see them. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { namesIn, reportVerdict } from '../../protocol/reports/report-verdict.ts';
import type { ProgramView, RunView } from '../../protocol/service-messages.ts';
import { agentsOf } from '../../protocol/study.ts';
import { ANALYZER_SERVICE, COORDINATOR_SERVICE, subjects } from '../../protocol/subjects.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';
import { findServices, request, type ServiceRecord } from '../../transport/nats/services.ts';
import type { FleetAgent } from '../fleet.ts';
import { countPlanned } from '../plan.ts';
import { countEpisodes } from '../state/decide.ts';
import type { Resident, ResidentOptions } from './resident.ts';
import { streamUntilMs } from './old-streams.ts';
import { restingState } from './run-queue.ts';
import type { RunRows } from './service-rows.ts';

const SCORES_MS = 1000;
/** Verdicts are asked for of so many runs, the latest; those of others are in their folders. */
const MOST_VERDICTS = 20;

export async function viewRuns(
  resident: Resident,
  options: ResidentOptions,
  isSeen: (rows: RunRows) => boolean,
): Promise<RunView[]> {
  const seen = [...resident.rows.runs].filter(([, rows]) => isSeen(rows));
  const asked = new Set(
    seen
      .filter(([, { facts }]) => facts)
      .slice(-MOST_VERDICTS)
      .map(([run]) => run),
  );
  const { analyzers } = await resident.share.source.analyzers();
  return Promise.all(
    seen.map(async ([run, rows]) => {
      const analyzer = rows.recorder?.value.analyzer ?? analyzers[0]?.id;
      const isThere = analyzers.some(({ id }) => id === analyzer) && asked.has(run);
      const verdict =
        analyzer && isThere ? await verdictOn(options.link, analyzer, { run, rows }) : undefined;
      return {
        ...viewOf(resident, { run, rows, keepMs: options.keepMs }),
        ...(verdict === undefined ? {} : { verdict }),
      };
    }),
  );
}

export async function viewRun(
  resident: Resident,
  options: ResidentOptions,
  run: string,
): Promise<RunView | undefined> {
  const [view] = await viewRuns(resident, options, ({ submission }) => submission.value.run === run);
  return view;
}

function viewOf(
  resident: Resident,
  { run, rows, keepMs }: { run: string; rows: RunRows; keepMs: number },
): RunView {
  const { submission, outcome, recorder } = rows;
  const { study, by, priority, atMs: submittedAtMs } = submission.value;
  const led = resident.led.get(run);
  const state = led ? ('running' as const) : restingState(rows);
  const now = led?.state();
  const finished = now ? countEpisodes(now).finished : (outcome?.value.finished ?? 0);
  const reason =
    state === 'queued' ? resident.waitsFor(run) : state === 'failed' ? outcome?.value.reason : undefined;
  const etaSeconds = led?.etaSeconds();
  const untilMs = streamUntilMs(rows, keepMs);
  return {
    run,
    submitter: by.name,
    priority,
    state,
    ...(reason === undefined ? {} : { reason }),
    agents: led ? resident.share.agentsOf(run) : [...agentsOf(study)],
    ...(recorder ? { analyzers: [...recorder.value.before, recorder.value.analyzer] } : {}),
    episodes: { finished, all: countPlanned(study) },
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
    submittedAtMs,
    ...(untilMs === undefined ? {} : { streamUntilMs: untilMs }),
  };
}

/** What the analyzer's figures allow to say; undefined if it does not know the run or does not answer. */
async function verdictOn(
  { connection }: NatsLink,
  analyzer: string,
  { run, rows }: { run: string; rows: RunRows },
): Promise<string | undefined> {
  try {
    const ask = { body: { run }, timeoutMs: SCORES_MS };
    const report = JSON.parse(
      await request(connection, subjects.analyzerState(analyzer), ask),
    ) as ScoreReport;
    return reportVerdict(report, namesIn(rows.submission.value.study)).claim;
  } catch {
    return undefined;
  }
}

export async function viewFleet(resident: Resident, { link }: ResidentOptions): Promise<ProgramView[]> {
  const [found, analyzers, coordinators] = await Promise.all([
    resident.share.source.agents(),
    findServices(link, ANALYZER_SERVICE),
    findServices(link, COORDINATOR_SERVICE),
  ]);
  const present = [...found.agents].map(([name, agent]) => agentView(resident, name, agent));
  const others = [...found.strangers.keys()].map((name) => unseen(name, 'other version'));
  const barred = [...resident.rows.agents.keys()].filter((name) => !found.agents.has(name));
  return [
    ...[...present, ...others, ...barred.map((name) => unseen(name, 'absent'))].toSorted((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    ...analyzers.map((one) => {
      const name = one.metadata['id'] ?? '';
      const view = programOf(one, { program: 'analyzer', name, state: 'ready' });
      return { ...view, load: resident.share.loadOf(name) };
    }),
    ...coordinators.map(coordinatorView),
  ];
}

function agentView(resident: Resident, name: string, { model, atOnce, about }: FleetAgent): ProgramView {
  const run = resident.share.runOf(name);
  return {
    program: 'agent',
    name,
    machine: about?.machine ?? '',
    version: about?.version ?? '',
    state: stateOf(resident, name),
    ...(run === undefined ? {} : { run }),
    model: model.name,
    provider: about?.provider ?? '',
    atOnce,
  };
}

/** A coordinator of one run only leads that run. */
function coordinatorView(one: ServiceRecord): ProgramView {
  const { lead, run } = one.metadata;
  const state = run !== undefined ? 'ready' : lead === 'standby' ? 'standby' : 'leader';
  return programOf(one, { program: 'coordinator', name: run ?? 'resident', state });
}

function stateOf({ rows, share }: Resident, agent: string): ProgramView['state'] {
  const is = rows.agents.get(agent)?.is ?? 'open';
  if (is !== 'open') return is;
  return share.runOf(agent) === undefined ? 'free' : 'busy';
}

const unseen = (name: string, state: ProgramView['state']): ProgramView => ({
  program: 'agent',
  name,
  machine: '',
  version: '',
  state,
});

const programOf = (
  { version, metadata }: ServiceRecord,
  as: Pick<ProgramView, 'program' | 'name' | 'state'>,
): ProgramView => ({ ...as, machine: metadata['machine'] ?? '', version });
