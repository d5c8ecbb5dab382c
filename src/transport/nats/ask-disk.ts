/** Asks an analyzer how much disk space it has for a run that has not begun. */
import { diskSchema, parseMessage, type Disk } from '../../protocol/nats-messages.ts';
import { subjects } from '../../protocol/subjects.ts';
import { request } from './services.ts';
import type { NatsLink } from './connection.ts';

const ASK_TIMEOUT_MS = 10_000;

/**
 * @param analyzer id of the analyzer
 * @throws EntrainError `MESSAGE_INVALID`
 */
export async function askDisk(link: NatsLink, analyzer: string): Promise<Disk> {
  const subject = subjects.analyzerDisk(analyzer);
  const answer = await request(link.connection, subject, { body: {}, timeoutMs: ASK_TIMEOUT_MS });
  return parseMessage(diskSchema, answer, { code: 'MESSAGE_INVALID', what: 'The analyzer’s disk space' });
}
