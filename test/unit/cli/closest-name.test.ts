import { describe, expect, it } from 'vitest';
import { closestName } from '../../../src/cli/closest-name.ts';

const NAMES = ['start', 'agent', 'verify', 'view', 'replay', 'pin', 'unpin'];

describe('closestName', () => {
  it.each([
    ['strat', 'start'],
    ['veryfi', 'verify'],
    ['veiw', 'view'],
    ['replays', 'replay'],
    ['pn', 'pin'],
  ])('takes %s for %s', (text, name) => {
    expect(closestName(text, NAMES)).toBe(name);
  });

  it.each(['dance', 'x', ''])('takes %j for no name', (text) => {
    expect(closestName(text, NAMES)).toBeUndefined();
  });
});
