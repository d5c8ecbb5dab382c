import { expect, it } from 'vitest';
import { parseBand } from '../../../../src/analyzer/steps/pass-band.ts';

it('reads two frequencies, the lower one first', () => {
  expect(parseBand('0.05,0.25', ',')).toEqual([0.05, 0.25]);
  expect(parseBand('0-0.5', '-')).toEqual([0, 0.5]);
});

it.each(['', ',0.3', '0.1', '0.3,0.1', '0.1,0.6', '0.1,0.2,0.3', 'a,b', '0.1-0.2'])(
  'refuses "%s"',
  (text) => {
    expect(parseBand(text, ',')).toBeUndefined();
  },
);
