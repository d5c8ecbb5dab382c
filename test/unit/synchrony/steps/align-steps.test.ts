/** Alignment of steps of two tokenizers over the same words. */
import { expect, it } from 'vitest';
import { alignSteps, type ByteRange } from '../../../../src/synchrony/steps/align-steps.ts';

const ranges = (...ends: number[]): ByteRange[] => ends.map((end, k) => [ends[k - 1] ?? 0, end]);

it('alignSteps pairs every step if both tokenizers cut alike', () => {
  expect(alignSteps(ranges(3, 7, 11), ranges(3, 7, 11))).toEqual([
    [0, 0],
    [1, 1],
    [2, 2],
  ]);
});

it('alignSteps pairs only states after which both have read up to the same byte', () => {
  expect(alignSteps(ranges(3, 7, 11), ranges(5, 7, 9, 11, 12))).toEqual([
    [1, 1],
    [2, 3],
  ]);
});

it('alignSteps leaves out a step that ends inside a character', () => {
  // The second token begins a character that the third one ends.
  expect(alignSteps([...ranges(3), [3, 3], [3, 7]], ranges(3, 7))).toEqual([
    [0, 0],
    [2, 1],
  ]);
});

it('alignSteps gives no pairs if one side has no steps', () => {
  expect(alignSteps(ranges(3, 7), [])).toEqual([]);
});
