/**
 * A spool that still has the `episode` frames that were acknowledged. An analyzer takes states only of an agent whose
 * role it knows, and one that takes over a run in the middle knows no role yet: it gets these frames again, under their
 * numbers, before the frames that the other one had not acknowledged.
 */
import type { HeldEpoch } from './outbox.ts';
import type { SenderSpool } from './ports.ts';

/** Far more than the episodes that one agent plays at once. */
const MOST_KEPT = 1024;

export interface EpisodeKeeper {
  spool: SenderSpool;
  /** Keeps a frame of the epoch that was begun last. */
  keep(seq: number, bytes: Uint8Array): void;
}

export function keepEpisodes(own: SenderSpool): EpisodeKeeper {
  /** Frames of the present epoch, oldest first. */
  const kept = new Map<number, Uint8Array>();
  const keptOf = (epoch: number, seq: number): Uint8Array | undefined =>
    epoch === own.lastEpoch() ? kept.get(seq) : undefined;
  const withKept = (held: HeldEpoch): HeldEpoch => {
    const first = held.epoch === own.lastEpoch() ? (kept.keys().next().value ?? Infinity) : Infinity;
    if (first >= held.firstSeq) return held;
    return { ...held, firstSeq: first, wholeFrom: held.firstSeq };
  };
  return {
    spool: {
      ...own,
      begin: (epoch) => {
        kept.clear();
        own.begin(epoch);
      },
      epochs: () => own.epochs().map(withKept),
      sizeOf: (epoch, seq) => own.sizeOf(epoch, seq) || (keptOf(epoch, seq)?.length ?? 0),
      read: (epoch, seq) => own.read(epoch, seq) ?? keptOf(epoch, seq),
    },
    keep: (seq, bytes) => {
      kept.set(seq, new Uint8Array(bytes));
      const [oldest] = kept.keys();
      if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    },
  };
}
