/** Streams that an earlier version left in the store of a private nats-server. */
import { access, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PROGRAMS } from '../../transport/nats/accounts.ts';

/** The account that a server has by itself, of which all users were. */
const EARLIER = '$G';

/** Moves the streams into the account that has them now. Before the server starts. */
export async function keepStreams(storeFolder: string): Promise<void> {
  const place = (account: string): string => join(storeFolder, 'jetstream', account);
  const isThere = (account: string): Promise<boolean> =>
    access(place(account)).then(
      () => true,
      () => false,
    );
  if ((await isThere(EARLIER)) && !(await isThere(PROGRAMS))) await rename(place(EARLIER), place(PROGRAMS));
}
