/** Steps of two tokenizers over the same words. */
import { expect, it } from 'vitest';
import { alignSteps, type ByteRange } from '../../../../src/synchrony/online/align-steps.ts';

const ranges = (...ends: number[]): ByteRange[] => ends.map((end, k) => [ends[k - 1] ?? 0, end]);

it('pairs every step of equal cuts', () => {
  expect(alignSteps(ranges(3, 7, 11), ranges(3, 7, 11))).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
});

it('pairs states where both have read up to the same byte, and no others', () => {
  expect(alignSteps(ranges(3, 7, 11), ranges(5, 7, 9, 11, 12))).toEqual([
    [1, 1],
    [2, 3],
  ]);
});

it('leaves out a step inside a character: it has read more than the end that it stands at', () => {
  // The second token begins a character that the third one ends.
  expect(alignSteps([...ranges(3), [3, 3], [3, 7]], ranges(3, 7))).toEqual([
    [0, 0],
    [2, 1],
  ]);
});

it('has nothing to pair where one has heard nothing', () => {
  expect(alignSteps(ranges(3, 7), [])).toEqual([]);
});
