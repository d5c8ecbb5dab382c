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

  it('says that they act on one another only where every direction is seen, also one without a figure yet', () => {
    const [there, back] = [
      group({ sequentialP: 0.001 }),
      group({ sourceRole: 2, targetRole: 1, sequentialP: 0.01 }),
    ];
    const claim = (...groups: VerdictGroup[]): string =>
      verdictOf({ groups, provisional: false, nameOf }).claim;
    expect(claim(there)).toBe('One acts on the other: what ada says changes ben.');
    expect(claim(there, { ...back, sequentialP: 0.4 })).toBe(
      'One acts on the other: what ada says changes ben.',
    );
    expect(claim(there, back)).toBe('They act on one another.');
    const influence = { value: 0.4, low: 0.3, high: 0.5 };
    expect(claim({ ...there, influence })).toMatch(/^One acts on the other: in this study, .* 40\u00a0% of/);
    expect(claim({ ...there, influence }, { ...back, influence })).toMatch(/^They act on one another: in/);
    const none = { value: 0.1, low: -0.1, high: 0.3 };
    expect(claim({ ...there, influence: none })).toMatch(/^Neither is seen to act on the other: no interval/);
  });

  it('takes back no direction that the test has shown because the share of another comes first', () => {
    const there = group({ sequentialP: 1e-16, histories: 20 });
    const back = group({ sourceRole: 2, targetRole: 1, sequentialP: 7e-9, histories: 15 });
    const deaf = group({ condition: 'monologue', sequentialP: 1, influence: { value: 0, low: 0, high: 0 } });
    const influence = { value: 0.49, low: 0.4, high: 0.6 };
    const said = (...groups: VerdictGroup[]) => verdictOf({ groups, provisional: true, nameOf });
    // As a recorded run gave them: both by the test, then one share, then both.
    const steps = [
      [there, back],
      [{ ...there, influence }, back, deaf],
      [{ ...there, influence }, { ...back, influence }, deaf],
    ].map((groups) => said(...groups));
    for (const { claim } of steps) expect(claim).toMatch(/^So far: they act on one another/);
    expect(steps[1]).toMatchObject({
      claim:
        'So far: they act on one another: in this study, at this temperature, what ada says makes 49\u00a0% of the variation of ben’s next state; what ben says changes ada too, how much is not known yet. In monologue: 0\u00a0%.',
      evidence: [
        'live: ada → ben 49\u00a0% [40, 60] (p < 0.001, 20 histories), ben → ada p < 0.001 after 15 histories',
      ],
    });
    // The share that there is shows nothing: what the test shows of the other stands.
    const none = { value: 0.1, low: -0.1, high: 0.3 };
    expect(said({ ...there, influence: none }, back).claim).toBe(
      'So far: one acts on the other: what ben says changes ada.',
    );
  });

  it('says of several models in how many pairs and from how much to how much, and no figure of each', () => {
    const influence = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
    const excess = (value: number) => ({ ...influence(value), verdict: value > 0.1 ? 'counts' : 'none' });
    const groups = [0.2, 0.3, 0.5, 0.05].map((value) =>
      group({ influence: influence(value), excess: excess(value) }),
    );
    expect(verdictOf({ groups, provisional: false })).toEqual({
      claim:
        'Some act on others, in 3 of 4 directions: in this study, at this temperature, what one says makes 20\u00a0% to 50\u00a0% of the variation of the other’s next state, by pair of models and direction.',
      evidence: ['live: above 0 in 3 of 4 pairs of models and directions'],
      caveat:
        'The shares are of the variation between alternatives that were tried at single turns, the histories.',
    });
    const together = groups.map((one) => ({ ...one, influence: null }));
    expect(verdictOf({ groups: together, provisional: false }).evidence).toEqual([
      'live: shown in 3 of 4 pairs of models and directions, excess +0.05 to +0.50',
    ]);
  });

  it('marks the excess that is not shown, and gives what rounds to 0 no sign', () => {
    const groups = [
      group({ excess: { value: 0.3, low: 0.2, high: 0.4, verdict: 'counts' } }),
      group({ condition: 'monologue', excess: { value: -0.004, low: -0.02, high: 0.01, verdict: 'none' } }),
    ];
    expect(verdictOf({ groups, provisional: false, nameOf }).evidence).toEqual([
      'live: ada → ben +0.30 [+0.20, +0.40]',
      'monologue: ada → ben 0.00 [−0.02, +0.01] not shown',
    ]);
  });

  it('counts what is missing where a group has too few, also beside one that is only not computed', () => {
    const groups = [
      group({ reason: 'Not computed yet: the last look was at 118 turn pairs.' }),
      group({ reason: 'Too few for a score: 105 of 120 turn pairs.', sourceRole: 2, targetRole: 1 }),
    ];
    expect(verdictOf({ groups, provisional: true }).claim).toBe('Too little yet: 105 of 120 turn pairs.');
    const alike = [group({ reason: 'too few scenarios: 0 can be used, 6 are needed' })];
    expect(verdictOf({ groups: alike, provisional: true }).claim).toBe(
      'Too little yet: scenarios: 0 can be used, 6 are needed',
    );
    expect(verdictOf({ groups: groups.slice(0, 1), provisional: true }).claim).toBe(
      'The first figures are being computed.',
    );
  });
});
