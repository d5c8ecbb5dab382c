import { expect, it } from 'vitest';
import { shortNames } from '../../../src/protocol/reports/short-names.ts';

it.each([
  [
    ['my-300k-chat', 'my-8m-chat'],
    ['300k', '8m'],
  ],
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [
    ['x', 'x-long'],
    ['x', 'x-long'],
  ],
  [
    ['x-a', 'x-b-a'],
    ['a', 'b-a'],
  ],
  // No two become one, though all their parts are in both.
  [
    ['a-1-z', '1-a-z'],
    ['a-1', '1-a'],
  ],
  [['one-model'], ['one-model']],
])('of %j tells apart %j', (names, short) => {
  expect(shortNames(names)).toEqual(short);
});
