/**
 * The lease by which one of several coordinators leads. It is an entry of a key-value bucket that the server removes
 * when nobody has written it for `LEASE_MS`; nats-server 2.9 has no shorter life for a single key. Its holder writes it
 * again and again, and counts it as lost a second before the server may remove it, by its own monotonic clock: a
 * process that was stopped and goes on finds the lease over before it acts.
 */
import { hostname } from 'node:os';
import { EntrainError } from '../../protocol/errors.ts';
import { names } from '../../protocol/subjects.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { openLeaseStore, type LeaseStore } from '../../transport/nats/buckets.ts';
import type { NatsLink } from '../../transport/nats/connection.ts';

export const LEASE_MS = 4000;
const RENEW_MS = 800;
const MARGIN_MS = 1000;
const TRY_MS = 250;

export interface Lease {
  /** Grows with every lease that anybody takes. */
  number: number;
  isHeld(): boolean;
  /** @throws EntrainError `LEASE_LOST` */
  throwIfAborted(): void;
  /** Settles when the lease is over. */
  lost: Promise<void>;
  /** Gives the lease up, because somebody else has written what only its holder may write. */
  giveUp(): void;
  /** Ends the lease so that another coordinator can take it at once. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  link: NatsLink;
  clock: Clock;
  log: Logger;
}

/** Waits for the lease; undefined if `signal` is aborted before. */
export async function awaitLease(options: LeaseOptions, signal: AbortSignal): Promise<Lease | undefined> {
  const { link, clock, log } = options;
  const holder = JSON.stringify({ machine: hostname(), pid: process.pid });
  const place = { bucket: names.leaseBucket, key: 'coordinator', maxAgeMs: LEASE_MS };
  let store: LeaseStore | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const askedMs = clock.monotonicMs();
    try {
      store ??= await openLeaseStore(link, place);
      const revision = await store.take(holder);
      if (revision !== undefined) return holdLease(options, { store, holder, revision, askedMs });
    } catch (error) {
      failures += 1;
      if (Number.isInteger(Math.log10(failures)))
        log.warn({ err: error, times: failures }, 'the lease of the coordinators cannot be asked for');
    }
    await new Promise((done) => setTimeout(done, TRY_MS));
  }
  return undefined;
}

function holdLease(
  { clock, log }: LeaseOptions,
  from: { store: LeaseStore; holder: string; revision: number; askedMs: number },
): Lease {
  const { store, revision: number, askedMs } = from;
  const state = { revision: number, untilMs: askedMs + LEASE_MS - MARGIN_MS, isOver: false };
  let settle: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => (settle = resolve));
  const isHeld = (): boolean => !state.isOver && clock.monotonicMs() < state.untilMs;
  const giveUp = (): void => {
    state.isOver = true;
    settle();
  };
  const renew = (): Promise<void> => renewOnce(from, { state, giveUp, clock, log });
  const stop = keepRenewing(renew, () => (isHeld() ? true : (giveUp(), false)));
  return {
    number,
    isHeld,
    lost,
    giveUp,
    throwIfAborted: () => {
      if (!isHeld())
        throw new EntrainError('LEASE_LOST', 'This coordinator does not lead the runs any more.');
    },
    release: async () => {
      stop();
      const { isOver, revision } = state;
      giveUp();
      if (!isOver) await store.drop(revision).catch(() => undefined);
    },
  };
}

/** A renewal that fails is tried again for as long as the lease holds. */
async function renewOnce(
  { store, holder }: { store: LeaseStore; holder: string },
  of: { state: { revision: number; untilMs: number }; giveUp(): void } & Pick<LeaseOptions, 'clock' | 'log'>,
): Promise<void> {
  const { state, giveUp, clock, log } = of;
  const askedMs = clock.monotonicMs();
  try {
    const next = await store.renew(holder, state.revision);
    if (next === undefined) return giveUp();
    state.revision = next;
    state.untilMs = askedMs + LEASE_MS - MARGIN_MS;
  } catch (error) {
    log.warn({ err: error }, 'the lease was not renewed; trying again');
  }
}

/** Renews in time until the lease is over, and notices its end between two renewals. */
function keepRenewing(renew: () => Promise<void>, goesOn: () => boolean): () => void {
  let isRenewing = false;
  const renewal = setInterval(() => {
    if (isRenewing) return;
    isRenewing = true;
    void renew().finally(() => (isRenewing = false));
  }, RENEW_MS);
  const look = setInterval(() => {
    if (!goesOn()) stop();
  }, 100);
  const stop = (): void => {
    clearInterval(renewal);
    clearInterval(look);
  };
  return stop;
}
