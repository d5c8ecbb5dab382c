/** Hands the server an account as it is to be from now on; connections of users that it revokes are cut. */
import { EntrainError } from '../../../protocol/errors.ts';
import type { Logger } from '../../../process/log.ts';
import { connectNats, type NatsOptions } from '../connection.ts';

const SUBJECT = '$SYS.REQ.CLAIMS.UPDATE';
const ANSWER_MS = 5000;

/**
 * @param nats a user of the system account
 * @throws EntrainError `NATS_UNREACHABLE` if the server does not take it
 */
export async function publishAccount(nats: NatsOptions, jwt: string, log: Logger): Promise<void> {
  const link = await connectNats({ ...nats, name: 'entrain coordinator accounts', log });
  try {
    const answer = await link.connection.request(SUBJECT, jwt, { timeout: ANSWER_MS });
    const { error } = JSON.parse(answer.string()) as { error?: { description?: string } };
    if (error)
      throw new EntrainError(
        'NATS_UNREACHABLE',
        `The NATS server did not take the account (${error.description ?? 'no reason given'}): expected one that was set up with the same operator; see its log.`,
      );
  } finally {
    await link.close();
  }
}
