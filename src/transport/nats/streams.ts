/** JetStream as entrain uses it: one stream per run, one consumer per agent and purpose, and turns that are spoken once. */
import { randomUUID } from 'node:crypto';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  ErrorCode,
  NatsError,
  RetentionPolicy,
  StorageType,
  type ConsumerMessages,
  type JetStreamClient,
  type JetStreamManager,
  type JetStreamPublishOptions,
  type NatsConnection,
  type PubAck,
} from 'nats';

const SECOND_NS = 1_000_000_000;
/** A message that a cut line swallowed comes again after so long at most. Messages are acknowledged as they come. */
const ACK_WAIT_NS = 5 * SECOND_NS;
const MOST_UNACKNOWLEDGED = 1024;
/** JetStream: "wrong last sequence", the answer when a subject that must be empty is not. */
const WRONG_LAST_SEQUENCE = 10071;
const FORBIDDEN: string = ErrorCode.PermissionsViolation;
const AWAY_CODES: ReadonlySet<string> = new Set([
  ErrorCode.Timeout,
  ErrorCode.NoResponders,
  ErrorCode.Disconnect,
]);
/** An answer that a killed server owes never comes; a repeated message is harmless, so it is not waited for long. */
const PUBLISH_TIMEOUT_MS = 1000;
const PUBLISH_ATTEMPTS = 20;
const LONGEST_WAIT_MS = 2000;
/** A consumer whose server is gone is noticed after three of these at most. */
const HEARTBEAT_MS = 1000;

export interface StoredMessage {
  subject: string;
  text: string;
  /** Its place in the stream: a message that is delivered twice has the same. */
  seq: number;
  /** How many messages of this consumer are still to come. */
  pending: number;
  ack(): void;
}

/** @returns how many messages it holds: none in a run that was not begun on this server */
export async function createRunStream(
  connection: NatsConnection,
  options: { name: string; subjects: string[] },
): Promise<number> {
  const manager: JetStreamManager = await connection.jetstreamManager();
  const { state } = await manager.streams.add({
    name: options.name,
    subjects: options.subjects,
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    duplicate_window: 120 * SECOND_NS,
  });
  return state.messages;
}

/** Whether the server refused something because the user has no permission for its subject. */
export function isForbidden(error: unknown): boolean {
  return error instanceof NatsError && error.code === FORBIDDEN;
}

export interface ConsumerOptions {
  stream: string;
  name: string;
  filter: string;
  from?: 'beginning' | 'now';
  /**
   * Then each message waits for the acknowledgement of the one before it, so that a message which a broken line swallowed
   * comes again before any later one. Costs a round trip per message.
   */
  inOrder?: boolean;
}

/**
 * Makes a durable consumer; one that is there already goes on where it was.
 * @returns how many messages wait for it
 */
export async function createConsumer(connection: NatsConnection, options: ConsumerOptions): Promise<number> {
  const manager: JetStreamManager = await connection.jetstreamManager();
  const { num_pending: pending } = await manager.consumers.add(options.stream, {
    durable_name: options.name,
    filter_subject: options.filter,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: options.from === 'now' ? DeliverPolicy.New : DeliverPolicy.All,
    ack_wait: ACK_WAIT_NS,
    max_ack_pending: options.inOrder ? 1 : MOST_UNACKNOWLEDGED,
  });
  return pending;
}

/** Forgets a durable consumer, so that the next one of its name starts at the beginning. */
export async function dropConsumer(
  connection: NatsConnection,
  options: { stream: string; name: string },
): Promise<void> {
  const manager: JetStreamManager = await connection.jetstreamManager();
  await manager.consumers.delete(options.stream, options.name).catch((error: unknown) => {
    if (!(error instanceof NatsError && error.api_error?.code === 404)) throw error;
  });
}

/** Hands every stored message of a consumer to `take`, in order, until stopped. */
export async function consume(
  connection: NatsConnection,
  options: { stream: string; consumer: string; take(message: StoredMessage): void },
): Promise<{ stop(): Promise<void> }> {
  const client: JetStreamClient = connection.jetstream();
  const consumer = await client.consumers.get(options.stream, options.consumer);
  // `bind`: asks for messages at once when the connection is back, before it is known whether the consumer still is.
  const messages: ConsumerMessages = await consumer.consume({
    max_messages: 64,
    idle_heartbeat: HEARTBEAT_MS,
    bind: true,
  });
  const done = pump(messages, options.take);
  return {
    stop: async () => {
      await messages.close();
      await done;
    },
  };
}

async function pump(messages: ConsumerMessages, take: (message: StoredMessage) => void): Promise<void> {
  for await (const message of messages) {
    const { subject, info, seq } = message;
    take({ subject, text: message.string(), seq, pending: info.pending, ack: () => message.ack() });
  }
}

/**
 * Stores a message unless its subject holds one.
 * @returns false when the subject held one, whoever wrote it and however long ago
 */
export async function publishOnce(
  connection: NatsConnection,
  message: { subject: string; body: unknown },
): Promise<boolean> {
  try {
    await publishPatiently(connection, message, { expect: { lastSubjectSequence: 0 } });
    return true;
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.err_code === WRONG_LAST_SEQUENCE) return false;
    throw error;
  }
}

/** Stores a message. */
export async function publishStored(
  connection: NatsConnection,
  message: { subject: string; body: unknown },
): Promise<void> {
  await publishPatiently(connection, message, {});
}

/**
 * Tries again while the server is away. The message id makes a repeated try harmless; it is random, since a peer that
 * guessed it could store a message of its own under it and have this one dropped as a duplicate.
 */
async function publishPatiently(
  connection: NatsConnection,
  message: { subject: string; body: unknown },
  options: Partial<JetStreamPublishOptions>,
): Promise<PubAck> {
  const body = JSON.stringify(message.body);
  const settings = { msgID: randomUUID(), timeout: PUBLISH_TIMEOUT_MS, ...options };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.jetstream().publish(message.subject, body, settings);
    } catch (error) {
      const away = error instanceof NatsError && AWAY_CODES.has(error.code);
      if (!away || attempt === PUBLISH_ATTEMPTS) throw error;
      await new Promise((done) => setTimeout(done, Math.min(250 * attempt, LONGEST_WAIT_MS)));
    }
  }
}
