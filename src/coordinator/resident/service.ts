/**
 * What users ask the resident coordinator, over NATS. The subject of a request names its caller, and the server lets
 * nobody else publish there. A submitter sees and moves its own runs, an operator all of them and the fleet; what was
 * said is read by the submitter of a run alone. Each act, and each refusal, is a line of the log.
 */
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import {
  callerSchema,
  SERVICE_REQUESTS,
  type Caller,
  type ServiceRequest,
  type ServiceVerb,
} from '../../protocol/service-messages.ts';
import { serviceRequest, subjects } from '../../protocol/subjects.ts';
import type { Logger } from '../../process/log.ts';
import { readRunFile } from '../../process/run-folder/run-file.ts';
import { subscribe } from '../../transport/nats/subscription.ts';
import type { Resident, ResidentOptions } from './resident.ts';
import type { Admission } from './admission.ts';
import { listRunFiles, readRunFilePart } from './run-files.ts';
import { restingState } from './run-queue.ts';
import type { RunRows } from './service-rows.ts';
import { viewFleet, viewRun, viewRuns } from './views.ts';

type Handlers = { [V in ServiceVerb]: (caller: Caller, asked: ServiceRequest<V>) => Promise<unknown> };

/** Acts that change something; the others are too many for the log. */
const ACTS: ReadonlySet<string> = new Set(['submit', 'stop', 'resume', 'drain', 'remove', 'token']);

export function serveRequests(
  resident: Resident,
  options: ResidentOptions & { admission: Admission | undefined },
): { stop(): void } {
  const { link, log } = options;
  const handlers = createHandlers(resident, options);
  const subscription = subscribe(link, {
    subject: subjects.service({ role: '*', name: '*' }, '*'),
    asked: true,
    take: ({ subject, text, respond }) => {
      const { role, name, verb } = serviceRequest(subject);
      void reply(handlers, { role, name, verb, text }, log).then(respond);
    },
    log,
  });
  return { stop: () => subscription.unsubscribe() };
}

interface AskedFor {
  role: string;
  name: string;
  verb: string;
  text: string;
}

/** The text of the answer, which may be an error. */
async function reply(handlers: Handlers, request: AskedFor, log: Logger): Promise<string> {
  const { role, name, verb, text } = request;
  const about = { by: `${role} ${name}`, act: verb, asked: aboutOf(text) };
  try {
    const value = await answer(handlers, request);
    if (ACTS.has(verb)) log.info(about, 'done as asked');
    return JSON.stringify({ value });
  } catch (error) {
    const { code, message } = faultOf(error);
    log.warn({ ...about, code, reason: message }, 'request refused');
    return JSON.stringify({ error: { code, message } });
  }
}

async function answer(handlers: Handlers, request: AskedFor): Promise<unknown> {
  const { role, name, verb, text } = request;
  const about = { code: 'MESSAGE_INVALID', what: `The request "${verb}"` } as const;
  const caller = parseMessage(callerSchema, { role, name }, about);
  if (!Object.hasOwn(SERVICE_REQUESTS, verb))
    throw new EntrainError(
      'MESSAGE_INVALID',
      `The service knows no request "${verb}": expected one of ${Object.keys(SERVICE_REQUESTS).join(', ')}.`,
    );
  const known = verb as ServiceVerb;
  const asked = parseMessage(SERVICE_REQUESTS[known], text, about);
  return (handlers[known] as (by: Caller, of: typeof asked) => Promise<unknown>)(caller, asked);
}

function faultOf(error: unknown): { code: string; message: string } {
  if (error instanceof EntrainError) return { code: error.code, message: error.message };
  return { code: 'MESSAGE_INVALID', message: error instanceof Error ? error.message : String(error) };
}

/** The run or the agent that a request is about, for the log. */
function aboutOf(text: string): string | undefined {
  try {
    const { run, agent } = JSON.parse(text) as { run?: unknown; agent?: unknown };
    const about = run ?? agent;
    return typeof about === 'string' ? about.slice(0, 64) : undefined;
  } catch {
    return undefined;
  }
}

function createHandlers(
  resident: Resident,
  options: ResidentOptions & { admission: Admission | undefined },
): Handlers {
  const { settings } = options;
  const see = (run: string): Promise<unknown> => viewRun(resident, options, run);
  return {
    submit: async (by, asked) => {
      await submit(resident, options, { by, ...asked });
      return see(asked.run);
    },
    runs: async (by) => ({ runs: await viewRuns(resident, options, (rows) => mayMove(by, rows)) }),
    stop: async (by, { run }) => {
      await wish(resident, options, { by, run, want: 'stop' });
      return see(run);
    },
    resume: async (by, { run }) => {
      await wish(resident, options, { by, run, want: 'run' });
      return see(run);
    },
    ...fleetHandlers(resident, options),
    files: async (by, { run }) => {
      const withDialogue = mayRead(by, findRun(resident, by, run));
      return { files: await listRunFiles(join(settings.runs, run), withDialogue) };
    },
    file: (by, { run, path, offset }) => {
      const withDialogue = mayRead(by, findRun(resident, by, run));
      return readRunFilePart(join(settings.runs, run), { path, offset, withDialogue });
    },
  };
}

function fleetHandlers(
  resident: Resident,
  options: ResidentOptions & { admission: Admission | undefined },
): Pick<Handlers, 'fleet' | 'drain' | 'remove' | 'token'> {
  const { admission } = options;
  const fleet = async (): Promise<unknown> => ({
    programs: await viewFleet(resident, options),
    atMs: options.clock.nowMs(),
  });
  return {
    fleet,
    drain: async (by, asked) => {
      await bar(resident, options, { by, ...asked, is: 'draining' });
      return fleet();
    },
    remove: async (by, { analyzer, ...asked }) => {
      if (analyzer) {
        requireOperator(by);
        await requireJoins(admission).barAnalyzer(asked.agent, !asked.undo);
        return fleet();
      }
      await bar(resident, options, { by, ...asked, is: 'removed' });
      await admission?.bar(asked.agent, !asked.undo);
      return fleet();
    },
    token: (by, asked) => token(by, asked, admission),
  };
}

const isSame = (a: Caller, b: Caller): boolean => a.role === b.role && a.name === b.name;
const mayMove = (caller: Caller, { submission }: RunRows): boolean =>
  caller.role === 'operator' || isSame(caller, submission.value.by);
const mayRead = (caller: Caller, { submission }: RunRows): boolean => isSame(caller, submission.value.by);

/**
 * A run of somebody else is to a submitter as one that is not there.
 * @throws EntrainError `RUN_UNKNOWN`
 */
function findRun({ rows }: Resident, caller: Caller, run: string): RunRows {
  const found = rows.runs.get(run);
  if (found && mayMove(caller, found)) return found;
  throw new EntrainError(
    'RUN_UNKNOWN',
    `There is no run "${run}" here: "entrain runs" lists those that you may see.`,
  );
}

/**
 * Runs that failed or were stopped are no burden to others.
 * @throws EntrainError `QUOTA_REACHED`
 */
function requireRoom({ rows, led }: Resident, by: Caller, most: number): void {
  if (by.role === 'operator') return;
  const open = [...rows.runs].filter(
    ([run, of]) => isSame(of.submission.value.by, by) && (led.has(run) || restingState(of) === 'queued'),
  );
  if (open.length < most) return;
  throw new EntrainError(
    'QUOTA_REACHED',
    `${by.name} has ${open.length} runs that wait or run, and ${most} is the most: wait until one has ended, or stop one with "entrain stop RUN".`,
  );
}

async function submit(
  resident: Resident,
  { clock, submitterRuns, settings }: ResidentOptions,
  asked: { by: Caller } & ServiceRequest<'submit'>,
): Promise<void> {
  const { by, run, study, priority } = asked;
  const { rows, look } = resident;
  const before = rows.runs.get(run)?.submission.value;
  // A request whose answer was lost is made again.
  if (before && isSame(before.by, by) && JSON.stringify(before.study) === JSON.stringify(study)) return;
  if (before)
    throw new EntrainError(
      'RUN_TAKEN',
      `The name ${run} stands for a run that was submitted before: give this one another name with --name.`,
    );
  if (await readRunFile(join(settings.runs, run)))
    throw new EntrainError(
      'RUN_TAKEN',
      `There is a run folder ${run} of an earlier run here: give this one another name with --name.`,
    );
  requireRoom(resident, by, submitterRuns);
  await rows.writeRun(run, 'submission', { run, study, by, priority, atMs: clock.nowMs() });
  look();
}

async function wish(
  resident: Resident,
  { clock, submitterRuns }: ResidentOptions,
  { by, run, want }: { by: Caller; run: string; want: 'run' | 'stop' },
): Promise<void> {
  const { rows, look } = resident;
  const found = findRun(resident, by, run);
  const { outcome } = found;
  if (want === 'run' && !resident.led.has(run) && restingState(found) !== 'queued')
    requireRoom(resident, found.submission.value.by, submitterRuns);
  if (outcome?.value.state === 'finished')
    throw new EntrainError(
      'RUN_TAKEN',
      `Run ${run} has finished: submit its study again under another name.`,
    );
  await rows.writeRun(run, 'wish', { want, by, atMs: clock.nowMs() });
  look();
}

async function token(
  by: Caller,
  { revoke, analyzer }: ServiceRequest<'token'>,
  admission: Admission | undefined,
): Promise<unknown> {
  if (by.role !== 'operator')
    throw new EntrainError('NOT_ALLOWED', `Machines are let in by an operator; ${by.name} is a submitter.`);
  const joins = requireJoins(admission);
  if (revoke !== undefined) return joins.revokeToken(revoke);
  return joins.makeToken(by, analyzer ? 'analyzer' : 'agents');
}

function requireJoins(admission: Admission | undefined): Admission {
  if (admission) return admission;
  throw new EntrainError(
    'NOT_ALLOWED',
    'Nobody joins this service by a token: its users stand in the file of its NATS server; "entrain serve" makes one that is joined, as does --join-keys of "entrain coordinator".',
  );
}

function requireOperator(by: Caller): void {
  if (by.role === 'operator') return;
  throw new EntrainError(
    'NOT_ALLOWED',
    `Agents and analyzers are drained and removed by an operator; ${by.name} is a submitter.`,
  );
}

async function bar(
  resident: Resident,
  { clock }: ResidentOptions,
  asked: { by: Caller; is: 'draining' | 'removed' } & ServiceRequest<'drain'>,
): Promise<void> {
  const { by, agent, undo, is } = asked;
  const { rows, share, look } = resident;
  requireOperator(by);
  const { agents } = await share.source.agents();
  if (!agents.has(agent) && !rows.agents.has(agent))
    throw new EntrainError('AGENT_UNKNOWN', `There is no agent "${agent}" here: "entrain fleet" lists them.`);
  await rows.writeAgent(agent, { is: undo ? 'open' : is, by, atMs: clock.nowMs() });
  look();
}
