/**
 * Carries out a run: reads the run's stream from its beginning, reduces it, and publishes what `decide` asks for. Every
 * publication is stored once, so issuing a command again after a restart changes nothing.
 */
import { eventSchema, parseMessage, utteranceSchema } from '../protocol/control.ts';
import { EntrainError } from '../protocol/errors.ts';
import type { Study } from '../protocol/study.ts';
import { names, subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats.ts';
import { consume, createConsumer, dropConsumer, type StoredMessage } from '../transport/nats-streams.ts';
import type { Fleet } from './fleet.ts';
import type { CoordinatorMetrics } from './metrics.ts';
import { planEpisodes } from './plan.ts';
import { publishEvent, publishSpec } from './publish.ts';
import type { RunFolder } from './run-folder.ts';
import {
  decide,
  episodeOf,
  firstSeats,
  initialState,
  reduceEvent,
  reduceUtterance,
  type Command,
  type RunState,
} from './run-state.ts';

export interface RunOptions {
  /** Agents that joined just now: an episode of theirs that runs already has to be given to them again. */
  invited: ReadonlySet<string>;
  run: string;
  study: Study;
  fleet: Fleet;
  folder: RunFolder;
  link: NatsLink;
  metrics: CoordinatorMetrics;
  clock: Clock;
  log: Logger;
}

export interface RunningStudy {
  /** Settles when the run is over; rejects when it failed. */
  readonly done: Promise<RunState>;
  state(): RunState;
  /** Gives an agent that came back its running episode again, with what has been said so far. */
  resume(agent: string): Promise<void>;
  /** Gives the role of an agent that stays away to another one. */
  takeOver(change: Takeover): Promise<void>;
  fail(reason: string): Promise<void>;
  stop(): Promise<void>;
}

export interface Takeover {
  episode: string;
  role: number;
  lost: string;
  agent: string;
  instance: string;
}

const CONSUMER = 'coordinator';

export async function runStudy(options: RunOptions): Promise<RunningStudy> {
  const { run, study, link } = options;
  const stream = names.stream(run);
  await dropConsumer(link.connection, { stream, name: CONSUMER });
  await createConsumer(link.connection, { stream, name: CONSUMER, filter: subjects.everything(run) });
  const reduction = createReduction(options, initialState(planEpisodes(study), study.maxTurns));
  const reading = await consume(link.connection, { stream, consumer: CONSUMER, take: reduction.take });
  reduction.wake();
  return {
    done: reduction.done,
    state: reduction.state,
    resume: (agent) => resumeEpisode(options, reduction.state(), agent),
    takeOver: (change) => publishTakeover(options, reduction.state(), change),
    fail: (reason) => publishEvent(options, { type: 'run-failed', run, reason, atMs: options.clock.nowMs() }),
    stop: () => reading.stop(),
  };
}

interface Reduction {
  take(message: StoredMessage): void;
  /** Decides without waiting for a message: a new run has none. */
  wake(): void;
  state(): RunState;
  done: Promise<RunState>;
}

function createReduction(options: RunOptions, first: RunState): Reduction {
  const { metrics } = options;
  let state = first;
  let settle: { resolve(state: RunState): void; reject(error: Error): void } | undefined;
  const done = new Promise<RunState>((resolve, reject) => (settle = { resolve, reject }));
  const issued = new Set<string>();
  const seen = new Set<number>();
  const waiting = [...options.invited];
  const act = (): void => {
    for (const agent of waiting.splice(0)) {
      resumeEpisode(options, state, agent).catch((error: Error) => settle?.reject(error));
    }
    for (const command of decide(state)) {
      const key = JSON.stringify(command);
      if (issued.has(key)) continue;
      issued.add(key);
      carryOut(options, state, command).catch((error: Error) => settle?.reject(error));
    }
  };
  const take = (message: StoredMessage): void => {
    message.ack();
    // A server that was killed delivers again what it had not noted as acknowledged.
    if (seen.has(message.seq)) return;
    seen.add(message.seq);
    state = reduceMessage(state, message, options);
    metrics.observe(state);
    if (message.pending === 0) act();
    if (state.ended?.as === 'finished') settle?.resolve(state);
    if (state.ended?.as === 'failed') settle?.reject(new EntrainError('AGENT_LOST', state.ended.reason));
  };
  return { take, wake: act, state: () => state, done };
}

/** The kind of a stored message stands in its subject; specs are the coordinator's own and tell it nothing. */
function reduceMessage(state: RunState, message: StoredMessage, options: RunOptions): RunState {
  const { folder, log } = options;
  try {
    if (message.subject.includes('.utterance.')) {
      const utterance = parseMessage(utteranceSchema, message.text, {
        code: 'MESSAGE_INVALID',
        what: 'An utterance',
      });
      folder.utterance(utterance);
      return reduceUtterance(state, utterance);
    }
    if (message.subject.includes('.event.')) {
      const event = parseMessage(eventSchema, message.text, { code: 'MESSAGE_INVALID', what: 'An event' });
      folder.event(event);
      return reduceEvent(state, event);
    }
  } catch (error) {
    log.error({ err: error, subject: message.subject }, 'message refused');
  }
  return state;
}

async function carryOut(options: RunOptions, state: RunState, command: Command): Promise<void> {
  const { run, study, clock } = options;
  const atMs = clock.nowMs();
  switch (command.do) {
    case 'start-run': {
      const episodes = planEpisodes(study).length;
      return publishEvent(options, { type: 'run-started', run, study, episodes, atMs });
    }
    case 'start-episode': {
      const { episode } = command;
      const { id, scenario, condition, order, seed } = episode;
      const seats = firstSeats(episode);
      for (const seat of seats.keys()) await publishSpec(options, { episode, seat, seats, history: [] });
      return publishEvent(options, {
        type: 'episode-started',
        episode: id,
        scenario: scenario.id,
        condition,
        order,
        seed,
        atMs,
      });
    }
    case 'seat-stand-in': {
      const { episode, role } = command;
      const now = state.episodes.get(episode.id);
      if (now?.is !== 'running') return;
      return publishSpec(options, { episode, seat: role, seats: now.seats, history: now.spoken });
    }
    case 'finish-episode': {
      const { episode, turns, finish } = command;
      return publishEvent(options, { type: 'episode-finished', episode, turns, finish, atMs });
    }
    case 'finish-run': {
      const { episodes, turns } = command;
      return publishEvent(options, { type: 'run-finished', run, episodes, turns, atMs });
    }
  }
}

async function resumeEpisode(options: RunOptions, state: RunState, agent: string): Promise<void> {
  const running = episodeOf(state, agent);
  if (!running) return;
  const { episode, now, role } = running;
  const instance = options.fleet.agents.get(agent)?.instance ?? '';
  const seats = now.seats.map((seat, at) => (at === role ? { ...seat, seating: seat.seating + 1 } : seat));
  await publishSpec(options, { episode, seat: role, seats, history: now.spoken });
  const atMs = options.clock.nowMs();
  await publishEvent(options, {
    type: 'episode-resumed',
    episode: episode.id,
    agent,
    instance,
    turn: now.spoken.length,
    atMs,
  });
}

async function publishTakeover(options: RunOptions, state: RunState, change: Takeover): Promise<void> {
  const now = state.episodes.get(change.episode);
  const turn = now?.is === 'running' ? now.spoken.length : 0;
  const atMs = options.clock.nowMs();
  await publishEvent(options, { type: 'episode-taken-over', ...change, turn, atMs });
}
