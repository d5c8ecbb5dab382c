import { describe, expect, it } from 'vitest';
import { verdictOf, type VerdictGroup } from '../../../src/protocol/verdict.ts';

const NAMES = ['ada', 'ben', 'cas'];
const nameOf = (_: string, role: number): string | undefined => NAMES[role - 1];

function group(of: Partial<VerdictGroup>): VerdictGroup {
  const place = { condition: 'live', agents: 2, sourceRole: 1, targetRole: 2 };
  return { ...place, influence: null, sequentialP: null, histories: 0, excess: null, ...of };
}

/** Every direction between three agents, with the p-value of each. */
const three = (condition: string, pValues: readonly number[]): VerdictGroup[] =>
  [
    [1, 2],
    [1, 3],
    [2, 1],
    [2, 3],
    [3, 1],
    [3, 2],
  ].map(([sourceRole = 0, targetRole = 0], at) =>
    group({ condition, agents: 3, sourceRole, targetRole, sequentialP: pValues[at] ?? 1, histories: 9 }),
  );

describe('the verdict', () => {
  it('says of three agents how many directions are seen and which is the surest, and no p-value of each', () => {
    const groups = [
      ...three('live', [0.03, 0.0004, 0.2, 0.04, 0.9, 1]),
      ...three('monologue', [1, 1, 1, 1, 1, 1]),
    ];
    expect(verdictOf({ groups, provisional: true, nameOf })).toMatchObject({
      claim: 'So far: some act on others, in 3 of 6 directions; the surest: what ada says changes cas.',
      evidence: ['live: seen in 3 of 6 directions', 'monologue: seen in 0 of 6 directions'],
    });
  });

  it('counts what is missing where a group has too few, also beside one that is only not computed', () => {
    const groups = [
      group({ reason: 'Not computed yet: the last look was at 118 turn pairs.' }),
      group({ reason: 'Too few for a score: 105 of 120 turn pairs.', sourceRole: 2, targetRole: 1 }),
    ];
    expect(verdictOf({ groups, provisional: true }).claim).toBe('Too little yet: 105 of 120 turn pairs.');
    expect(verdictOf({ groups: groups.slice(0, 1), provisional: true }).claim).toBe(
      'The first figures are being computed.',
    );
  });
});
