/** Questions about streams and consumers, asked again while the server does not answer. */
import type { JetStreamManager, NatsConnection } from 'nats';
import { namedFault, natsFault } from './faults.ts';

/** Of one question about a stream or a consumer; each takes up to the 5 s in which a request must be answered. */
const MOST_UNANSWERED = 20;
const ASK_AGAIN_MS = 1000;

/**
 * What `ask` gives. A server that is busy or starting again does not answer for a while: it is asked again, since a
 * program that ended for that would have to be started again by somebody. Any other fault is named at once.
 * @throws EntrainError `RUN_FORBIDDEN`, `NATS_FULL`, `NATS_NO_JETSTREAM`, `NATS_UNREACHABLE`
 */
export async function answered<T>(
  connection: NatsConnection,
  what: string,
  ask: () => Promise<T>,
): Promise<T> {
  for (let unanswered = 1; ; unanswered += 1) {
    try {
      return await ask();
    } catch (error) {
      const isOver = unanswered === MOST_UNANSWERED || connection.isClosed();
      if (isOver || natsFault(error, connection) !== 'away') throw namedFault(error, what, connection);
      await new Promise((again) => setTimeout(again, ASK_AGAIN_MS));
    }
  }
}

/**
 * What `ask` gives of the JetStream manager. All that is asked of streams and consumers goes through here.
 * @throws EntrainError as `answered`
 */
export const managed = <T>(
  connection: NatsConnection,
  what: string,
  ask: (manager: JetStreamManager) => Promise<T>,
): Promise<T> => answered(connection, what, async () => ask(await connection.jetstreamManager()));
