/**
 * Describes the surface of a text by numbers, so that the analyzer can estimate what the words alone would predict
 * without having the words.
 */
import { TEXT_FEATURE_DIMS } from './stream/frames.ts';

const SHORTEST = 3;
const LONGEST = 5;

/**
 * Signed hashed character 3–5-grams, log counts, unit length.
 * @returns [TEXT_FEATURE_DIMS]; all zero for a text shorter than three characters
 */
export function textFeatures(text: string): Float32Array {
  const features = new Float32Array(TEXT_FEATURE_DIMS);
  const chars = text.toLowerCase();
  for (let start = 0; start + SHORTEST <= chars.length; start += 1) countGramsAt(features, chars, start);
  return normalise(features);
}

function countGramsAt(features: Float32Array, chars: string, start: number): void {
  let hash = 0x811c9dc5;
  const end = Math.min(start + LONGEST, chars.length);
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ chars.charCodeAt(at), 0x01000193);
    if (at - start + 1 < SHORTEST) continue;
    // FNV-1a mixes its low bits poorly for short inputs, so the high half is folded in before bucket and sign are
    // taken.
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const bucket = (mixed >>> 8) % TEXT_FEATURE_DIMS;
    features[bucket] = (features[bucket] ?? 0) + (mixed & 1 ? 1 : -1);
  }
}

function normalise(features: Float32Array): Float32Array {
  let sum = 0;
  for (const [index, count] of features.entries()) {
    const value = Math.sign(count) * Math.log1p(Math.abs(count));
    features[index] = value;
    sum += value * value;
  }
  const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
  return features.map((value) => value * scale);
}
