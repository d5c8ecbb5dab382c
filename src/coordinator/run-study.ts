/**
 * Carries out a run: reads its stream from the beginning, reduces it, and publishes what `decide` commands. Every
 * message is stored once, so repeating a command after a restart changes nothing.
 */
import { eventSchema, parseMessage } from '../protocol/nats-messages.ts';
import { EntrainError } from '../protocol/errors.ts';
import { storedKind } from '../protocol/subjects.ts';
import {
  alternativeFault,
  alternativesOf,
  parseAlternative,
  parseUtterance,
} from '../protocol/turn-order.ts';
import type { Logger } from '../process/log.ts';
import { consume, type StoredMessage } from '../transport/nats/streams.ts';
import { requireSameStudy } from '../process/run-folder/run-file.ts';
import {
  carryOut,
  publishFailure,
  publishRecorder,
  publishResumption,
  publishTakeover,
  resumeEpisodes,
  type CarryOptions,
  type Takeover,
} from './carry-out-command.ts';
import type { RunMetrics } from './metrics.ts';
import { planEpisodes } from './plan.ts';
import { keepOrder, startConsumer } from './run-consumer.ts';
import type { RunFolder } from './run-folder.ts';
import { canGoOn, decide, nameOf, type AtOnce } from './state/decide.ts';
import {
  initialState,
  reduceAlternative,
  reduceEvent,
  reduceUtterance,
  utteranceFault,
  type RunState,
} from './state/run-state.ts';

export interface RunOptions extends CarryOptions {
  /** Agents that have just joined; their running episodes must be given to them again. */
  invited: ReadonlySet<string>;
  /** Agents that stay away and that no other can stand in for; no episode of theirs begins. */
  unplayable: ReadonlySet<string>;
  folder: RunFolder;
  metrics: RunMetrics;
  /** Name of the consumer by which the stream is read. */
  consumer: string;
  log: Logger;
}

export interface RunningStudy {
  /** Settles when the run is over; rejects if it failed. */
  readonly done: Promise<RunState>;
  state(): RunState;
  /** Whether any episode can go on, or begin, without agents that are lost. */
  canGoOn(lost: ReadonlySet<string>): boolean;
  /** Looks again at what can begin, for the fleet has changed. */
  lookAgain(): void;
  /** Gives an agent that came back its running episodes again, with the utterances so far. */
  resume(agent: string): Promise<void>;
  /** Gives the role of an agent that stays away to another one. */
  takeOver(change: Takeover): Promise<void>;
  /** Says in the run which analyzer records this part of it. */
  recordedBy(analyzer: string, part: number): Promise<void>;
  fail(reason: string): Promise<void>;
  stop(): Promise<void>;
}

/** Settles when the run's stream has been read to its end and the run continues. */
export async function runStudy(options: RunOptions): Promise<RunningStudy> {
  const { study, link } = options;
  const { stored, ...place } = await startConsumer(link, options);
  const reduction = createReduction(options, initialState(planEpisodes(study), study.maxTurns));
  const reading = await consume(link.connection, { ...place, take: reduction.take, log: options.log });
  if (stored > 0) await reduction.read;
  await keepOrder(link, options);
  await goOn(options, reduction.state());
  reduction.begin();
  return {
    done: reduction.done,
    state: reduction.state,
    canGoOn: (lost) => canGoOn(reduction.state(), atOnceOf(options), lost),
    lookAgain: reduction.act,
    resume: (agent) => resumeEpisodes(options, reduction.state(), agent),
    takeOver: (change) => publishTakeover(options, reduction.state(), change),
    recordedBy: (analyzer, part) => publishRecorder(options, { analyzer, part }),
    fail: (reason) => publishFailure(options, reduction.state(), reason),
    stop: () => reading.stop(),
  };
}

/**
 * Continues after the stream was read: the projections are complete, an earlier failure is over, and agents that have
 * just joined get their running episodes.
 */
async function goOn(options: RunOptions, state: RunState): Promise<void> {
  const { run, study, folder, invited } = options;
  if (state.study) requireSameStudy(run, state.study, study);
  await folder.keep();
  if (state.ended?.as === 'failed') await publishResumption(options, state);
  for (const agent of invited) await resumeEpisodes(options, state, agent);
}

interface Reduction {
  take(message: StoredMessage): void;
  state(): RunState;
  /** Settles at the end of the stream as it was at the start. */
  read: Promise<void>;
  /** Starts to act. Not before the stream was read: half of it would seem to ask for what was done long ago. */
  begin(): void;
  /** Carries out what is to be done now. */
  act(): void;
  done: Promise<RunState>;
}

function createReduction(options: RunOptions, first: RunState): Reduction {
  let state = first;
  /** Number of failures in earlier lives; undefined until this one acts. */
  let outlived: number | undefined;
  const read = createPromise<void>();
  const done = createPromise<RunState>();
  const atOnce = atOnceOf(options);
  const issued = new Set<string>();
  const seen = new Set<number>();
  const act = (): void => {
    for (const command of decide(state, atOnce)) {
      const key = nameOf(command);
      if (issued.has(key)) continue;
      issued.add(key);
      carryOut(options, state, command).catch(done.reject);
    }
    if (state.ended?.as === 'finished') done.resolve(state);
    if (state.ended?.as === 'failed' && state.failures !== outlived)
      done.reject(new EntrainError('AGENT_LOST', state.ended.reason));
  };
  const take = (message: StoredMessage): void => {
    message.ack();
    // A nats-server that was killed delivers messages again whose acknowledgement it had not stored.
    if (seen.has(message.seq)) return;
    seen.add(message.seq);
    state = reduceMessage(state, message, options);
    options.metrics.observe(state);
    if (message.pending > 0) return;
    read.resolve();
    if (outlived !== undefined) act();
  };
  const begin = (): void => {
    outlived = state.failures;
    act();
  };
  const actNow = (): void => {
    if (outlived !== undefined) act();
  };
  return { take, state: () => state, read: read.promise, begin, act: actNow, done: done.promise };
}

const atOnceOf =
  ({ fleet, unplayable }: RunOptions): AtOnce =>
  (agent) =>
    unplayable.has(agent) ? 0 : (fleet.agents.get(agent)?.atOnce ?? 1);

interface OpenPromise<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** A promise with its functions; a rejection that is not awaited yet is kept. */
function createPromise<T>(): OpenPromise<T> {
  let settle: Pick<OpenPromise<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  promise.catch(() => undefined);
  return {
    promise,
    resolve: (value) => settle?.resolve(value),
    reject: (error) => settle?.reject(error),
  };
}

/** Applies a stored message, whose kind is in its subject. Specs are the coordinator's own and are ignored. */
export function reduceMessage(
  state: RunState,
  message: Pick<StoredMessage, 'subject' | 'text' | 'seq'>,
  options: ReduceOptions,
): RunState {
  const { folder, log } = options;
  const { subject, text, seq } = message;
  try {
    switch (storedKind(subject).is) {
      case 'utterance':
        return takeUtterance(state, message, options);
      case 'alternative':
        return takeAlternative(state, message, options);
      case 'event': {
        const event = parseMessage(eventSchema, text, { code: 'MESSAGE_INVALID', what: 'An event' });
        folder.event(event, seq);
        return reduceEvent(state, event);
      }
      case 'spec':
      case 'unknown':
        return state;
    }
  } catch (error) {
    log.error({ err: error, subject }, 'message refused');
    return state;
  }
}

interface ReduceOptions {
  folder: Pick<RunFolder, 'event' | 'utterance' | 'alternative'>;
  log: Logger;
}

type Message = Pick<StoredMessage, 'subject' | 'text' | 'seq'>;

/** The alternatives of a turn are written when it was spoken; before that another agent may take it over. */
function takeUtterance(state: RunState, message: Message, { folder, log }: ReduceOptions): RunState {
  const utterance = parseUtterance(message);
  const why = utteranceFault(state, utterance);
  if (why !== undefined) {
    log.warn({ subject: message.subject, why }, 'utterance does not count');
    return state;
  }
  for (const alternative of alternativesOf(state.floors.get(utterance.episode), utterance.agent))
    folder.alternative(alternative);
  folder.utterance(utterance, message.seq);
  return reduceUtterance(state, utterance);
}

function takeAlternative(state: RunState, message: Message, { log }: ReduceOptions): RunState {
  const alternative = parseAlternative(message);
  const why = alternativeFault(state.floors.get(alternative.episode), alternative);
  if (why !== undefined) log.warn({ subject: message.subject, why }, 'alternative does not count');
  return reduceAlternative(state, { ...alternative, seq: message.seq });
}
