import { expect, it } from 'vitest';
import { replayFields } from '../../../src/recordings/replay-fields.ts';

const published = {
  seed: 4_000_000_000,
  strict: { score: 0.25, ci: [-0.1, 0.4], n: 120, why: null },
  paper: { r2: -8 },
};

const said = (again: Partial<Record<keyof typeof published, unknown>>): string | undefined =>
  replayFields(['seed', 'strict', 'paper'], { published, again: { ...published, ...again } });

it('replayFields accepts differences that another order of additions makes', () => {
  const strict = { score: 0.25 + 3e-16, ci: [-0.1 - 5e-10, 0.4], n: 120, why: null };
  expect(said({ strict, paper: { r2: -8 + 4e-6 } })).toBeUndefined();
});

it.each([
  ['a figure beyond rounding', { strict: { ...published.strict, score: 0.25 + 2e-9 } }],
  ['one in a list', { strict: { ...published.strict, ci: [-0.1, 0.400001] } }],
  ['a figure in place of none', { strict: { ...published.strict, why: 0 } }],
  ['none in place of a figure', { strict: { ...published.strict, score: NaN } }],
  ['a count by one', { strict: { ...published.strict, n: 121 } }],
  ['a large seed by one', { seed: published.seed + 1 }],
  ['a field too few', { strict: { score: 0.25, ci: [-0.1, 0.4], n: 120 } }],
  ['a field too many', { strict: { ...published.strict, more: 1 } }],
  ['nothing at all', { strict: undefined }],
  ['a figure of paper mode beyond its digits', { paper: { r2: -8 + 2e-5 } }],
])('replayFields reports %s', (_, again) => {
  expect(said(again)).toMatch(/^(seed|strict|paper) was published as .+ and comes out as /u);
});
