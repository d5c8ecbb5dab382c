/**
 * NATS key-value buckets as the coordinator uses them: one with an age limit for the lease, and one for rows that have
 * a single writer. Every write of a row names the sequence number of the bucket's last message, so the server refuses
 * a writer that does not know of a later one.
 */
import { randomUUID } from 'node:crypto';
import { NatsError, type JetStreamManager, type KV, type NatsConnection } from 'nats';
import { answered, managed } from './answered.ts';
import type { NatsLink } from './connection.ts';
import { natsFault, namedFault } from './faults.ts';

/** JetStream error "wrong last sequence": the stream or the subject goes further than the writer knows. */
const WRONG_LAST_SEQUENCE = 10_071;
const ATTEMPT_MS = 1000;
const AGAIN_MS = 250;
/** Rows that are asked for at a time: a new leader reads all of them before it leads. */
const READ_AT_ONCE = 64;

const isWrongSequence = (error: unknown): boolean =>
  error instanceof NatsError && error.api_error?.err_code === WRONG_LAST_SEQUENCE;

export interface LeaseStore {
  /** @returns revision of the entry; undefined while there is one of somebody else */
  take(value: string): Promise<number | undefined>;
  /** @returns the new revision; undefined if the entry is not the one of `revision` any more */
  renew(value: string, revision: number): Promise<number | undefined>;
  /** Removes the entry of `revision`, so that nobody has to wait for its age. */
  drop(revision: number): Promise<void>;
}

/** Opens a bucket whose only entry is gone when nobody has written it for `maxAgeMs` milliseconds. */
export async function openLeaseStore(
  link: NatsLink,
  { bucket, key, maxAgeMs }: { bucket: string; key: string; maxAgeMs: number },
): Promise<LeaseStore> {
  const kv = await openBucket(link, bucket, maxAgeMs);
  const unlessTaken = (write: Promise<number>): Promise<number | undefined> =>
    write.catch((error: unknown) => {
      if (isWrongSequence(error)) return undefined;
      throw error;
    });
  return {
    take: (value) => unlessTaken(kv.create(key, Buffer.from(value))),
    renew: (value, revision) => unlessTaken(kv.update(key, Buffer.from(value), revision)),
    drop: (revision) => kv.delete(key, { previousSeq: revision }),
  };
}

export interface Row {
  key: string;
  text: string;
  /** Sequence number of its last write; grows over all rows. */
  revision: number;
}

export interface Rows {
  all: Row[];
  /** Sequence number of the bucket's last message. */
  lastSequence: number;
}

/** Reads the rows of a bucket as they are now; creates the bucket if there is none. */
export async function readRows(link: NatsLink, bucket: string): Promise<Rows> {
  await openBucket(link, bucket);
  const stream = `KV_${bucket}`;
  const asking = <T>(ask: (manager: JetStreamManager) => Promise<T>): Promise<T> =>
    managed(link.connection, `Reading the bucket ${bucket}`, ask);
  const { state } = await asking((manager) => manager.streams.info(stream, { subjects_filter: '>' }));
  const read = async (subject: string): Promise<Row> => {
    const message = await asking(({ streams }) => streams.getMessage(stream, { last_by_subj: subject }));
    const key = subject.slice(`$KV.${bucket}.`.length);
    return { key, text: message.string(), revision: message.seq };
  };
  const subjects = Object.keys(state.subjects ?? {});
  const all: Row[] = [];
  for (let i = 0; i < subjects.length; i += READ_AT_ONCE)
    all.push(...(await Promise.all(subjects.slice(i, i + READ_AT_ONCE).map(read))));
  return { all: all.toSorted((a, b) => a.revision - b.revision), lastSequence: state.last_seq };
}

/**
 * Writes a row if the bucket's last message is still the one of `after`. Waits out faults of the server; the message id
 * makes a repeated attempt harmless.
 * @returns sequence number of the row; undefined if somebody else has written meanwhile
 */
export async function writeRow(
  connection: NatsConnection,
  row: { bucket: string; key: string; text: string; after: number },
  signal: Pick<AbortSignal, 'throwIfAborted'>,
): Promise<number | undefined> {
  const { bucket, key, text, after } = row;
  const settings = { msgID: randomUUID(), timeout: ATTEMPT_MS, expect: { lastSequence: after } };
  for (;;) {
    signal.throwIfAborted();
    try {
      return (await connection.jetstream().publish(`$KV.${bucket}.${key}`, text, settings)).seq;
    } catch (error) {
      if (isWrongSequence(error)) return undefined;
      if (natsFault(error) !== 'away' || connection.isClosed()) throw namedFault(error, `Writing ${key}`);
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

/**
 * Removes the rows whose keys begin with `prefix` and a dot. The bucket's last sequence number stays, so writers go on
 * with the number that they know. No number guards the removal: it is for rows that nobody writes any more.
 */
export async function removeRows(
  connection: NatsConnection,
  { bucket, prefix }: { bucket: string; prefix: string },
): Promise<void> {
  await managed(connection, `Removing the rows of ${prefix}`, (manager) =>
    manager.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.${prefix}.>` }),
  );
}

async function openBucket(
  { connection, replicas = 1 }: NatsLink,
  bucket: string,
  maxAgeMs?: number,
): Promise<KV> {
  const age = maxAgeMs === undefined ? {} : { ttl: maxAgeMs };
  return answered(connection, `Opening the bucket ${bucket}`, () =>
    connection.jetstream().views.kv(bucket, { history: 1, replicas, ...age }),
  );
}
