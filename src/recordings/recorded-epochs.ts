/**
 * Keeps account of the frames of each stream and epoch, from the frames alone, in the order of the recording.
 */
import { READER_SEATING, type DataMessage } from '../protocol/stream/frames.ts';

export interface Range {
  from: number;
  to: number;
}

export interface RecordedEpoch {
  /** Ranges of numbers that were neither recorded nor declared lost. */
  holes: Range[];
  /** Ranges of numbers that the sender declared lost. */
  gaps: Range[];
  gapFrames: number;
  doubled: number;
  /** Last recorded number; −1 if there is none. */
  lastSeq: number;
}

export interface EpochPlace {
  stream: string;
  epoch: number;
}

export interface RecordedEpochs {
  take(place: EpochPlace, message: DataMessage): void;
  epochs(): (RecordedEpoch & EpochPlace)[];
  /** Which frames of an utterance are missing, as a sentence; undefined if none are. */
  missing(utterance: EpochPlace & { lastSeq: number; episode: string; turn: number }): string | undefined;
  /** EPISODE/TURN of every turn frame, repeated as often as it is recorded. */
  turns(): Iterable<string>;
  /** Whether a reader's frame of this turn is recorded, in any stream. */
  wasRead(episode: string, turn: number): boolean;
}

interface Kept extends RecordedEpoch, EpochPlace {
  /** EPISODE/TURN of the turns whose `turn` frame is recorded → the number of the first one. */
  turns: Map<string, number>;
  /** Number of the first frame of the next utterance: one after the last frame that an earlier one names. */
  named: number;
}

export function createRecordedEpochs(): RecordedEpochs {
  const epochs = new Map<string, Kept>();
  const read = new Set<string>();
  const keyOf = ({ stream, epoch }: EpochPlace): string => `${stream}/${epoch}`;
  return {
    take: (place, message) => {
      const known = epochs.get(keyOf(place)) ?? emptyEpoch(place);
      epochs.set(keyOf(place), known);
      takeMessage(known, message);
      if (message.type === 'turn' && (message.seating ?? 0) >= READER_SEATING)
        read.add(`${message.episode}/${message.turn}`);
    },
    turns: () => [...epochs.values()].flatMap(({ turns }) => [...turns.keys()]),
    wasRead: (episode, turn) => read.has(`${episode}/${turn}`),
    epochs: () => [...epochs.values()].map(publicPart),
    missing: (utterance) => {
      const epoch = epochs.get(keyOf(utterance));
      if (!epoch) return 'nothing of this epoch is recorded';
      return missingIn(epoch, utterance);
    },
  };
}

function publicPart(kept: Kept): RecordedEpoch & EpochPlace {
  const { stream, epoch, holes, gaps, gapFrames, doubled, lastSeq } = kept;
  return { stream, epoch, holes, gaps, gapFrames, doubled, lastSeq };
}

function emptyEpoch({ stream, epoch }: EpochPlace): Kept {
  return {
    stream,
    epoch,
    holes: [],
    gaps: [],
    gapFrames: 0,
    doubled: 0,
    lastSeq: -1,
    turns: new Map(),
    named: 0,
  };
}

function takeMessage(epoch: Kept, message: DataMessage): void {
  const from = message.type === 'gap' ? message.from : message.seq;
  if (message.seq <= epoch.lastSeq) {
    epoch.doubled += 1;
    return;
  }
  if (from > epoch.lastSeq + 1) epoch.holes.push({ from: epoch.lastSeq + 1, to: from - 1 });
  if (message.type === 'gap') {
    epoch.gaps.push({ from: message.from, to: message.to });
    epoch.gapFrames += message.to - message.from + 1;
  }
  if (message.type === 'turn') {
    const turn = `${message.episode}/${message.turn}`;
    epoch.turns.set(turn, epoch.turns.get(turn) ?? message.seq);
  }
  epoch.lastSeq = message.seq;
}

function missingIn(
  epoch: Kept,
  { lastSeq, episode, turn }: { lastSeq: number; episode: string; turn: number },
): string | undefined {
  const first = epoch.named;
  epoch.named = Math.max(epoch.named, lastSeq + 1);
  if (epoch.lastSeq < lastSeq) return `recorded only up to ${epoch.lastSeq}`;
  const lost = [...epoch.holes, ...epoch.gaps].find(({ from, to }) => from <= lastSeq && to >= first);
  if (lost) return `frames ${lost.from}…${lost.to} are not there`;
  const frame = epoch.turns.get(`${episode}/${turn}`);
  if (frame === undefined) return 'its turn frame is not there';
  return frame > lastSeq ? `its turn frame is number ${frame}, after the last that it names` : undefined;
}
