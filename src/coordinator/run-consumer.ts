/**
 * The coordinator's place in the run's stream: at its beginning whenever it is asked for, since all it knows is a
 * reduction of
 * the whole, and one message at a time from where it has caught up, since who spoke first depends on their order.
 */
import { names, subjects } from '../protocol/subjects.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { createConsumer, dropConsumer } from '../transport/nats/streams.ts';

export interface RunConsumer {
  stream: string;
  consumer: string;
  /** Messages that stand in the stream already. */
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

/** From now on no message comes before an earlier one has been acknowledged, whatever the line swallows. */
export async function keepOrder({ connection }: NatsLink, run: string): Promise<void> {
  const filter = subjects.everything(run);
  await createConsumer(connection, { stream: names.stream(run), name: CONSUMER, filter, inOrder: true });
}
