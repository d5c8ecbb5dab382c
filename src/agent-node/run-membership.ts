/**
 * One agent's membership in a run, from the coordinator's invitation to its end: the activation stream to the run's
 * analyzer, the specs of its episodes, and the utterances it may hear.
 */
import { join } from 'node:path';
import { agentSpecSchema, parseMessage, type AgentSpec, type Assignment } from '../protocol/nats-messages.ts';
import { subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { consume, publishStored, type StoredMessage } from '../transport/nats/streams.ts';
import { subscribe } from '../transport/nats/subscription.ts';
import type { ClientTls } from '../transport/http/tls.ts';
import type { Model } from '../model/types.ts';
import type { AgentMetrics, StreamFigures } from './metrics.ts';
import { openActivationStream, type ActivationStream } from './activation-stream.ts';
import { createBackpressure } from './backpressure.ts';
import { createCoordinatorWatch, type CoordinatorWatch } from './coordinator-watch.ts';
import { createKeptStates, type KeptStates } from './kept-states.ts';
import { createMoves } from './patches.ts';
import { createPreview } from './preview.ts';
import { followTalk, type Talk } from './follow-talk.ts';
import { playEpisode, type EpisodePorts } from './play-episode.ts';
import { createUtteranceInbox } from './utterance-inbox.ts';

/** A third of a token's lifetime, so two attempts may fail. */
const RENEWAL_MS = 5 * 60_000;

export interface MembershipOptions {
  agent: string;
  assignment: Assignment;
  dataFolder: string;
  spoolMaxBytes: number;
  tls: ClientTls;
  link: NatsLink;
  model: Model;
  metrics: AgentMetrics;
  clock: Clock;
  log: Logger;
  /** Number of episodes of the run that may be played at once. */
  atOnce: number;
  /** How long the coordinator may be gone, and nothing be said, before the agent leaves the run by itself. */
  leaveMs: number;
  /** Told once when that time is over. */
  onAbandoned(): void;
  /** Called when an episode could not be played; the agent cannot continue. */
  onFault(error: Error): void;
}

export interface Membership {
  run: string;
  figures(): StreamFigures;
  /** Whether no episode is being played and every frame is acknowledged. */
  drained(): Promise<boolean>;
  /** Why the analyzer does not take this agent's frames; undefined while it does. */
  refusal(): string | undefined;
  /** The analyzer has another address now. */
  redirect(analyzer: Assignment['analyzer']): void;
  /** Removes what was kept for the rest of the run, which is over; after `stop`. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

export async function joinRun(options: MembershipOptions): Promise<Membership> {
  const { agent, assignment, link, clock, log, leaveMs } = options;
  const stopping = new AbortController();
  const watch = createCoordinatorWatch({ clock, leaveMs, onGone: options.onAbandoned });
  const renewalMs = Math.min(RENEWAL_MS, leaveMs / 3);
  const stream = await openActivationStream({ ...options, renewalMs, onCoordinator: watch.asked });
  const inbox = createUtteranceInbox();
  const preview = createPreview();
  const talk = followTalk({ inbox, preview, log });
  const kept = createKeptStates(join(options.dataFolder, assignment.run, `${agent}.states.jsonl`));
  const ports = createPorts(options, { stream, inbox, preview, talk, kept, signal: stopping.signal });
  const hearing = await hearTalk(options, talk, watch);
  const play = playInOrder(options, ports);
  const specs = await consume(link.connection, {
    stream: assignment.stream,
    consumer: assignment.specConsumer,
    log,
    take: play.take,
  });
  log.info({ run: assignment.run, agent, epoch: stream.sender.epoch }, 'joined run');
  return {
    run: assignment.run,
    figures: () => stream.sender.status(),
    drained: async () => !play.busy() && (await stream.sender.drained(0)),
    refusal: () => stream.sender.status().refusal,
    redirect: (analyzer) => stream.redirect(analyzer),
    forget: async () => {
      await kept.remove();
      await stream.forget();
    },
    stop: async () => {
      watch.stop();
      stopping.abort();
      await Promise.all([specs.stop(), hearing.stop()]);
      await play.idle();
      await stream.close();
    },
  };
}

/** Receives the run's messages from its stream, and the previews meant for this agent. */
async function hearTalk(
  { agent, assignment, link, log }: MembershipOptions,
  talk: Talk,
  watch: CoordinatorWatch,
): Promise<{ stop(): Promise<void> }> {
  const stored = await consume(link.connection, {
    stream: assignment.stream,
    consumer: assignment.talkConsumer,
    log,
    take: (message) => {
      watch.talked();
      talk.take(message);
      message.ack();
    },
  });
  const tokens = subscribe(link, {
    subject: subjects.heardTokens(assignment.run, agent),
    take: (message) => {
      watch.talked();
      talk.takeToken(message);
    },
    log,
  });
  return {
    stop: async () => {
      tokens.unsubscribe();
      await stored.stop();
    },
  };
}

/** Why this agent is not ready; undefined while analyzers take the states of all its runs. */
export function streamFault(memberships: readonly Pick<Membership, 'run' | 'figures'>[]): string | undefined {
  const apart = memberships.filter((joined) => !joined.figures().connected).map(({ run }) => run);
  return apart.length === 0 ? undefined : `no analyzer takes the states of ${apart.join(', ')}`;
}

function createPorts(
  options: MembershipOptions,
  parts: {
    stream: ActivationStream;
    inbox: EpisodePorts['utterances'];
    preview: EpisodePorts['preview'];
    talk: Talk;
    kept: KeptStates;
    signal: AbortSignal;
  },
): EpisodePorts {
  const { agent, assignment, link, model, metrics, log } = options;
  const { run } = assignment;
  const { connection } = link;
  return {
    agent,
    stream: agent,
    model,
    metrics,
    frames: frameSink(options, parts.stream),
    utterances: parts.inbox,
    preview: parts.preview,
    kept: parts.kept,
    moves: createMoves(parts.kept),
    signal: parts.signal,
    sayToken: createSayToken(options, parts.talk),
    sayAlternative: async (alternative) => {
      const { episode, turn, k } = alternative;
      const subject = subjects.alternative(run, { episode, turn, k, agent });
      await publishStored(connection, { subject, body: alternative, log, signal: parts.signal });
    },
    sayUtterance: async (utterance) => {
      const { episode, turn } = utterance;
      const subject = subjects.utterance(run, { episode, turn, agent });
      // Not only where the subject is empty: a peer can have the server's own answer stored there.
      await publishStored(connection, { subject, body: utterance, log, signal: parts.signal });
      // The first utterance in the run's stream counts: this one, unless another agent had the role before.
      return parts.inbox.take({ episode, turn }, parts.signal);
    },
  };
}

function createSayToken(
  { agent, assignment, link }: MembershipOptions,
  talk: Talk,
): EpisodePorts['sayToken'] {
  const { connection } = link;
  const { run } = assignment;
  return (token, isHeard) => {
    const { episode } = token;
    const body = JSON.stringify(token);
    connection.publish(subjects.token(run, episode, agent), body);
    if (!isHeard) return;
    for (const listener of talk.agentsOf(episode) ?? [])
      if (listener !== agent)
        connection.publish(subjects.heardToken(run, listener, { episode, agent }), body);
  };
}

function frameSink(
  { model, clock }: MembershipOptions,
  { sender }: ActivationStream,
): EpisodePorts['frames'] {
  const holdWhileFull = createBackpressure({ stream: sender, model });
  return {
    epoch: sender.epoch,
    append: (frame) => {
      const seq = sender.append(frame);
      holdWhileFull();
      return seq;
    },
    lastSeq: () => sender.lastSeq(),
    room: (kind) => sender.room(kind),
    sinceEpochNs: () => Number(clock.monotonicNs() - sender.epochStartNs),
  };
}

interface Playing {
  take(message: StoredMessage): void;
  busy(): boolean;
  idle(): Promise<void>;
}

/** Plays up to `atOnce` episodes at once, and begins them in the order of their specs. */
function playInOrder(options: MembershipOptions, ports: EpisodePorts): Playing {
  const waiting: StoredMessage[] = [];
  const playing = new Set<Promise<void>>();
  /** A restarted coordinator may publish a spec again. */
  const begun = new Set<string>();
  const fill = (): void => {
    while (playing.size < options.atOnce) {
      const message = waiting.shift();
      if (!message) return;
      const episode = play(message, { options, ports, begun }).finally(() => {
        playing.delete(episode);
        fill();
      });
      playing.add(episode);
    }
  };
  return {
    take: (message) => {
      // Acknowledged at once: if the agent dies during an episode, the coordinator gives it the episode again.
      message.ack();
      waiting.push(message);
      fill();
    },
    busy: () => playing.size > 0,
    idle: async () => {
      while (playing.size > 0) await Promise.all(playing);
    },
  };
}

async function play(
  message: StoredMessage,
  { options, ports, begun }: { options: MembershipOptions; ports: EpisodePorts; begun: Set<string> },
): Promise<void> {
  if (ports.signal.aborted) return;
  try {
    const spec: AgentSpec = parseMessage(agentSpecSchema, message.text, {
      code: 'MESSAGE_INVALID',
      what: 'An episode spec',
    });
    if (begun.has(spec.episode)) return;
    begun.add(spec.episode);
    await playEpisode(spec, ports);
    options.metrics.episode('finished');
  } catch (error) {
    if (ports.signal.aborted) return;
    options.metrics.episode('failed');
    options.onFault(error as Error);
  }
}
