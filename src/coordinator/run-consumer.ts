/**
 * The coordinator's consumer of the run's stream. It begins at the start of the stream, since the coordinator's state
 * is a reduction of all of it, and then delivers one message at a time, since the order of messages decides who spoke
 * first.
 */
import { names, subjects } from '../protocol/subjects.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { createConsumer, dropConsumer, listConsumers } from '../transport/nats/streams.ts';

export interface RunConsumer {
  stream: string;
  consumer: string;
  /** Number of messages already in the stream. */
  stored: number;
}

/** Name of the consumer of a coordinator that nobody else can stand in for. */
export const SOLE_CONSUMER = 'coordinator';

/** With every lease comes another consumer, so that one that lost it takes no message from its successor. */
export const consumerOfLease = (lease: number): string => `${SOLE_CONSUMER}-${lease}`;

/** Creates the consumer, and deletes those of earlier coordinators. */
export async function startConsumer(
  { connection }: NatsLink,
  { run, consumer: name }: { run: string; consumer: string },
): Promise<RunConsumer> {
  const stream = names.stream(run);
  for (const old of await listConsumers(connection, stream))
    if (old.split('-')[0] === SOLE_CONSUMER) await dropConsumer(connection, { stream, name: old });
  const filter = subjects.everything(run);
  const stored = await createConsumer(connection, { stream, name, filter });
  return { stream, consumer: name, stored };
}

/**
 * From now on each message is delivered only after the one before it was acknowledged, even if messages are lost on
 * the connection.
 */
export async function keepOrder(
  { connection }: NatsLink,
  { run, consumer: name }: { run: string; consumer: string },
): Promise<void> {
  const filter = subjects.everything(run);
  await createConsumer(connection, { stream: names.stream(run), name, filter, inOrder: true });
}
