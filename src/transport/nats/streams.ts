/**
 * JetStream as entrain uses it: one stream per run, a durable consumer per agent and purpose, turns stored once.
 */
import { randomUUID } from 'node:crypto';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  NatsError,
  RetentionPolicy,
  StorageType,
  type Consumer,
  type ConsumerMessages,
  type JetStreamPublishOptions,
  type NatsConnection,
  type PubAck,
} from 'nats';
import type { Logger } from '../../process/log.ts';
import { answered, managed } from './answered.ts';
import { FAULT_ADVICE, natsFault } from './faults.ts';
import { API_OF_PROGRAMS } from './permissions.ts';

const SECOND_NS = 1_000_000_000;
/**
 * A message lost on a broken connection is delivered again after this time. Messages are acknowledged on
 * arrival.
 */
const ACK_WAIT_NS = 5 * SECOND_NS;
const MOST_UNACKNOWLEDGED = 1024;
/** JetStream error "wrong last sequence": the subject was expected to be empty and is not. */
const WRONG_LAST_SEQUENCE = 10071;
/** JetStream error: the stream is there, and was made otherwise. */
const OTHER_CONFIGURATION = 10058;
/** A server that was killed never answers. Since a repeated message does no harm, the wait is short. */
const PUBLISH_TIMEOUT_MS = 1000;
const LONGEST_WAIT_MS = 2000;
/** A consumer whose server is gone is noticed after at most three of these. */
const HEARTBEAT_MS = 1000;

export interface StoredMessage {
  subject: string;
  text: string;
  /** Sequence number in the stream; the same when the message is delivered again. */
  seq: number;
  /** Number of messages of this consumer that are still to come. */
  pending: number;
  ack(): void;
}

/**
 * Opens the stream of a run, or creates it.
 * @returns number of messages in it: 0 if the run was not begun on this server
 * @throws EntrainError `RUN_FORBIDDEN`, `NATS_FULL`, `NATS_NO_JETSTREAM`, `NATS_UNREACHABLE`
 */
export async function createRunStream(
  connection: NatsConnection,
  options: { name: string; subjects: string[]; replicas?: number },
): Promise<number> {
  const { state } = await managed(connection, `Opening the stream ${options.name}`, (manager) => {
    const config = {
      name: options.name,
      subjects: options.subjects,
      num_replicas: options.replicas ?? 1,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      duplicate_window: 120 * SECOND_NS,
    };
    // The server answers a message wherever its publisher says, also on the subjects by which streams are emptied.
    return manager.streams.add({ ...config, deny_purge: true, deny_delete: true }).catch((error: unknown) => {
      if (codeOf(error) !== OTHER_CONFIGURATION) throw error;
      return manager.streams.add(config); // a run that was begun before streams were kept so
    });
  });
  return state.messages;
}

export interface ConsumerOptions {
  stream: string;
  name: string;
  filter: string;
  from?: 'beginning' | 'now';
  /**
   * If true, each message waits for the acknowledgement of the one before it, so a message lost on a broken
   * connection is delivered again before any later one. Costs one round trip per message.
   */
  inOrder?: boolean;
}

/**
 * Creates a durable consumer; an existing one continues where it was.
 * @returns number of messages that wait for it
 * @throws EntrainError as `createRunStream`
 */
export async function createConsumer(connection: NatsConnection, options: ConsumerOptions): Promise<number> {
  const what = `Making the consumer ${options.name} of the stream ${options.stream}`;
  const { num_pending: pending } = await managed(connection, what, ({ consumers }) =>
    consumers.add(options.stream, {
      durable_name: options.name,
      filter_subject: options.filter,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: options.from === 'now' ? DeliverPolicy.New : DeliverPolicy.All,
      ack_wait: ACK_WAIT_NS,
      max_ack_pending: options.inOrder ? 1 : MOST_UNACKNOWLEDGED,
    }),
  );
  return pending;
}

/** Names of the durable consumers of a stream. */
export async function listConsumers(connection: NatsConnection, stream: string): Promise<string[]> {
  return managed(connection, `Listing the consumers of the stream ${stream}`, async (manager) => {
    const found: string[] = [];
    for await (const { name } of manager.consumers.list(stream)) found.push(name);
    return found;
  });
}

/** Deletes a stream with its consumers; one that is gone already is no error. */
export async function removeStream(connection: NatsConnection, stream: string): Promise<void> {
  await managed(connection, `Deleting the stream ${stream}`, (manager) =>
    manager.streams.delete(stream).catch(unlessGone),
  );
}

/** Deletes a durable consumer, so that the next one of this name starts at the beginning. */
export async function dropConsumer(
  connection: NatsConnection,
  options: { stream: string; name: string },
): Promise<void> {
  await managed(connection, `Deleting the consumer ${options.name}`, (manager) =>
    manager.consumers.delete(options.stream, options.name).catch(unlessGone),
  );
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NatsError && error.api_error?.code === 404)) throw error;
}

/**
 * Passes every stored message of a consumer to `take`, in order, until stopped. After a fault it opens the
 * consumer again.
 */
export async function consume(
  connection: NatsConnection,
  options: { stream: string; consumer: string; take(message: StoredMessage): void; log?: Logger },
): Promise<{ stop(): Promise<void> }> {
  const first = await answered(connection, `Reading the stream ${options.stream}`, () =>
    openMessages(connection, options),
  );
  const reading = { messages: first, stopped: false };
  const done = read(connection, reading, options);
  return {
    stop: async () => {
      reading.stopped = true;
      await reading.messages.close();
      await done;
    },
  };
}

/** Agents have an account of their own, in which `$JS.API` answers that there is no JetStream. */
async function openMessages(
  connection: NatsConnection,
  { stream, consumer }: { stream: string; consumer: string },
): Promise<ConsumerMessages> {
  const find = (api: { apiPrefix?: string }): Promise<Consumer> =>
    connection.jetstream(api).consumers.get(stream, consumer);
  const found = await find({}).catch((error: unknown) => {
    if (natsFault(error) !== 'off') throw error;
    return find({ apiPrefix: API_OF_PROGRAMS }).catch(() => Promise.reject(error as Error));
  });
  // `bind` asks for messages as soon as the connection is back, before the consumer was looked up.
  return found.consume({ max_messages: 64, idle_heartbeat: HEARTBEAT_MS, bind: true });
}

/**
 * Reads messages until stopped. A withdrawn permission ends them with an error; they are opened again until it
 * is back.
 */
async function read(
  connection: NatsConnection,
  reading: { messages: ConsumerMessages; stopped: boolean },
  { stream, consumer, take, log }: Parameters<typeof consume>[1],
): Promise<void> {
  const goesOn = (): boolean => !reading.stopped && !connection.isClosed();
  const warn = createFaultLog(log, connection, { stream, consumer });
  while (goesOn()) {
    try {
      await pump(reading.messages, take);
    } catch (error) {
      warn(error);
    }
    while (goesOn()) {
      await new Promise((again) => setTimeout(again, LONGEST_WAIT_MS));
      const opened = await openMessages(connection, { stream, consumer }).catch(warn);
      if (!opened) continue;
      reading.messages = opened;
      if (reading.stopped) await opened.close();
      break;
    }
  }
}

/** Logs a fault with advice at its 1st, 10th, 100th, … time. */
function createFaultLog(
  log: Logger | undefined,
  connection: NatsConnection,
  place: object,
): (error: unknown) => undefined {
  let times = 0;
  return (error) => {
    times += 1;
    const fault = natsFault(error, connection);
    const advice = fault === undefined ? String(error) : FAULT_ADVICE[fault];
    if (Number.isInteger(Math.log10(times)))
      log?.warn({ ...place, fault, advice, times }, 'NATS refused; trying again');
    return undefined;
  };
}

async function pump(messages: ConsumerMessages, take: (message: StoredMessage) => void): Promise<void> {
  for await (const message of messages) {
    const { subject, info, seq } = message;
    take({ subject, text: message.string(), seq, pending: info.pending, ack: () => message.ack() });
  }
}

/**
 * Stores a message unless its subject holds one. Waits out faults of the server.
 * @returns false if the subject held a message, whoever stored it and however long ago
 */
export async function publishOnce(
  connection: NatsConnection,
  message: { subject: string; body: unknown } & PublishControls,
): Promise<boolean> {
  try {
    await publishWithRetry(connection, message, { expect: { lastSubjectSequence: 0 } });
    return true;
  } catch (error) {
    if (codeOf(error) === WRONG_LAST_SEQUENCE) return false;
    throw error;
  }
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof NatsError ? error.api_error?.err_code : undefined;

/** Text of the last message on a subject. For users who may read the whole stream. */
export async function lastStored(
  connection: NatsConnection,
  { stream, subject }: { stream: string; subject: string },
): Promise<string> {
  const message = await managed(connection, `Reading ${subject}`, (manager) =>
    manager.streams.getMessage(stream, { last_by_subj: subject }),
  );
  return message.string();
}

/** Stores a message; waits out faults of the server. */
export async function publishStored(
  connection: NatsConnection,
  message: { subject: string; body: unknown } & PublishControls,
): Promise<void> {
  await publishWithRetry(connection, message, {});
}

/** Log and stop signal of a program that waits until the server takes its message. */
export interface PublishControls {
  log?: Logger;
  /** Asked before each attempt; throws when nothing may be published any more. */
  signal?: Pick<AbortSignal, 'throwIfAborted'>;
}

/**
 * Publishes a message, and tries again while the server is away, full, without JetStream or refuses the
 * permission, since a message that is not stored is lost. The message id makes a repeated attempt harmless. It
 * is random: a peer that guessed it could store a message under it first and have this one dropped as a
 * duplicate.
 */
async function publishWithRetry(
  connection: NatsConnection,
  message: { subject: string; body: unknown } & PublishControls,
  options: Partial<JetStreamPublishOptions>,
): Promise<PubAck> {
  const { subject, log, signal } = message;
  const body = JSON.stringify(message.body);
  const settings = { msgID: randomUUID(), timeout: PUBLISH_TIMEOUT_MS, ...options };
  const warn = createFaultLog(log, connection, { subject });
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await connection.jetstream().publish(subject, body, settings);
    } catch (error) {
      if (natsFault(error) === undefined || connection.isClosed()) throw error;
      warn(error);
      await new Promise((done) => setTimeout(done, Math.min(250 * attempt, LONGEST_WAIT_MS)));
    }
  }
}
