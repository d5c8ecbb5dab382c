import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { TEXT_FEATURE_DIMS } from '../../../src/protocol/stream/frames.ts';
import { textFeatures } from '../../../src/protocol/text-features.ts';

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

describe('textFeatures', () => {
  it('gives unit length, and zero for a text without a 3-gram', () => {
    const features = textFeatures('Two neighbors talk about firewood.');
    expect(features).toHaveLength(TEXT_FEATURE_DIMS);
    expect(dot(features, features)).toBeCloseTo(1, 5);
    expect(textFeatures('ab').every((value) => value === 0)).toBe(true);
  });

  it('gives the test vectors of docs/protocol.md', async () => {
    const page = await readFile('docs/protocol.md', 'utf8');
    const rows = [...page.matchAll(/^\| `([^`]+)` +\| ((?:\d+: [−.\d]+(?:, )?)+|none) *\|$/gm)];
    expect(rows).toHaveLength(4);
    for (const [, text = '', entries = ''] of rows) {
      const named = [...entries.matchAll(/(\d+): ([−.\d]+)/g)];
      const found = [...textFeatures(text).entries()].filter(([, value]) => value !== 0);
      expect(found.map(([index, value]) => `${index}: ${value.toFixed(6).replace('-', '−')}`)).toEqual(
        named.map(([entry]) => entry),
      );
    }
  });

  it('puts texts with common words closer than texts without', () => {
    const a = textFeatures('I would like more water and more food for my trip.');
    const b = textFeatures('We need more food and more water on the trip.');
    const c = textFeatures('My guitar is older than both of your brothers.');
    expect(dot(a, b)).toBeGreaterThan(0.3);
    expect(Math.abs(dot(a, c))).toBeLessThan(0.2);
  });

  it('spreads n-grams over the buckets', () => {
    const text =
      Array.from({ length: 2000 }, (_, index) => String.fromCharCode(97 + ((index * 7919) % 26))).join('') +
      'the quick brown fox';
    const distinct = new Set<string>();
    for (let size = 3; size <= 5; size += 1)
      for (let at = 0; at + size <= text.length; at += 1) distinct.add(text.slice(at, at + size));
    const used = textFeatures(text).filter((value) => value !== 0).length;
    // Number of buckets hit by n random throws, minus the few that cancel.
    const expected = TEXT_FEATURE_DIMS * (1 - Math.exp(-distinct.size / TEXT_FEATURE_DIMS));
    expect(used).toBeGreaterThan(expected * 0.9);
  });
});
