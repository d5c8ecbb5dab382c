/** Which states of branches are recorded, and features of which words they name. */
import { crc32 } from 'node:zlib';
import type { BranchFrame, DataMessage } from '../protocol/stream/frames.ts';
import { textFeatures } from '../protocol/text-features.ts';

export interface BranchPlace {
  episode: string;
  turn: number;
}

export interface RecordedBranches {
  take(stream: string, message: DataMessage): void;
  /** Whether a stream has the state of version `k`. */
  has(stream: string, at: BranchPlace & Pick<BranchFrame, 'state' | 'k'>): boolean;
  /** Whether every such state of version `k` in a stream came with the features of these words. */
  isOf(text: string, stream: string, at: BranchPlace & Pick<BranchFrame, 'state' | 'k'>): boolean;
  /** EPISODE/TURN of every turn with a state of a branch. */
  turns(): Iterable<string>;
}

export function createRecordedBranches(): RecordedBranches {
  /** Digests of the words where there are any, by stream, turn, state and k. */
  const known = new Map<string, Set<number>>();
  const turns = new Set<string>();
  return {
    take: (stream, message) => {
      if (message.type !== 'branch') return;
      turns.add(`${message.episode}/${message.turn}`);
      const key = keyOf(stream, message);
      const digests = known.get(key) ?? new Set();
      if (message.text) digests.add(digestOf(floatsOf(message.text)));
      known.set(key, digests);
    },
    has: (stream, at) => known.has(keyOf(stream, at)),
    isOf: (text, stream, at) => {
      const digests = known.get(keyOf(stream, at)) ?? new Set();
      const own = digestOf(textFeatures(text));
      return [...digests].every((digest) => digest === own);
    },
    turns: () => turns,
  };
}

const keyOf = (
  stream: string,
  { episode, turn, state, k }: BranchPlace & { state: string; k: number },
): string => `${stream}/${episode}/${turn}/${state}/${k}`;

/** Of the signs alone: they are whole numbers' and do not depend on how a machine takes a logarithm. */
function digestOf(features: Float32Array): number {
  return crc32(Buffer.from(Int8Array.from(features, Math.sign).buffer));
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
