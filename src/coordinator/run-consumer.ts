/**
 * The coordinator's consumer of the run's stream. It begins at the start of the stream, since the coordinator's state
 * is a reduction of all of it, and then delivers one message at a time, since the order of messages decides who spoke
 * first.
 */
import { names, subjects } from '../protocol/subjects.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { createConsumer, dropConsumer } from '../transport/nats/streams.ts';

export interface RunConsumer {
  stream: string;
  consumer: string;
  /** Number of messages already in the stream. */
  stored: number;
}

const CONSUMER = 'coordinator';

export async function startConsumer({ connection }: NatsLink, run: string): Promise<RunConsumer> {
  const stream = names.stream(run);
  await dropConsumer(connection, { stream, name: CONSUMER });
  const filter = subjects.everything(run);
  const stored = await createConsumer(connection, { stream, name: CONSUMER, filter });
  return { stream, consumer: CONSUMER, stored };
}

/**
 * From now on each message is delivered only after the one before it was acknowledged, even if messages are lost on
 * the connection.
 */
export async function keepOrder({ connection }: NatsLink, run: string): Promise<void> {
  const filter = subjects.everything(run);
  await createConsumer(connection, { stream: names.stream(run), name: CONSUMER, filter, inOrder: true });
}
