/** Hands the server accounts as they are to be from now on; connections of users that they revoke are cut. */
import { EntrainError } from '../../../protocol/errors.ts';
import type { Logger } from '../../../process/log.ts';
import { connectNats, type NatsLink, type NatsOptions } from '../connection.ts';

const SUBJECT = '$SYS.REQ.CLAIMS.UPDATE';
const ANSWER_MS = 5000;

/**
 * @param nats a user of the system account
 * @throws EntrainError `NATS_UNREACHABLE` if the server does not take one
 */
export async function publishAccounts(
  nats: NatsOptions,
  tokens: readonly string[],
  log: Logger,
): Promise<void> {
  const link = await connectNats({ ...nats, name: 'entrain coordinator accounts', log });
  try {
    for (const jwt of tokens) await publishOne(link, jwt);
  } finally {
    await link.close();
  }
}

async function publishOne({ connection }: NatsLink, jwt: string): Promise<void> {
  const answer = await connection.request(SUBJECT, jwt, { timeout: ANSWER_MS });
  const { error } = JSON.parse(answer.string()) as { error?: { description?: string } };
  if (error)
    throw new EntrainError(
      'NATS_UNREACHABLE',
      `The NATS server did not take an account (${error.description ?? 'no reason given'}): expected one that was set up with the same operator; see its log.`,
    );
}
