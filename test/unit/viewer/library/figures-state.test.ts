import { describe, expect, it } from 'vitest';
import { emptyFigures, figuresView, takeScore } from '../../../../src/viewer/library/figures-state.ts';
import { scoreLine } from '../../../fixtures/viewer/run-folder.ts';

const take = (...lines: object[]) => {
  const figures = emptyFigures();
  for (const line of lines) takeScore(figures, line as Record<string, unknown>);
  return figuresView(figures);
};

const influence = (condition: string, value: number): object => ({
  ...(scoreLine({ condition }) as Record<string, unknown>),
  type: 'influence',
  histories: 24,
  branches: 96,
  influence: { value, ci: [value - 0.1, value + 0.1], per_layer: [] },
  matched: { score: 0.6, ci: [0.5, 0.7], p_value: 0.005 },
  sequential: { histories: 24, log_e: 5, p_value: 0.01 },
});

describe('figures of scores.jsonl', () => {
  it('keeps the last line of a group and its curve in the order of turn pairs', () => {
    const view = take(
      scoreLine({ condition: 'live', samples: 50, excess: 0.1, provisional: true }),
      scoreLine({ condition: 'live', samples: 90, excess: 0.2, provisional: true }),
      scoreLine({ condition: 'live', samples: 90, excess: 0.3 }),
    );
    expect(view.provisional).toBe(false);
    expect(view.groups).toHaveLength(1);
    expect(view.groups[0]).toMatchObject({ sourceModel: 'tiny', targetModel: 'tiny' });
    const [group] = view.groups;
    expect(group?.adjustment).toMatchObject({
      value: 0.3,
      low: 0.25,
      high: 0.35,
      qValue: 0.01,
      verdict: 'counts',
    });
    expect(group?.association).toEqual({
      score: 0.4,
      unclipped: 0.4,
      shuffled: 0.1,
      pseudo: 0.3,
      text: null,
    });
    expect(group?.curve.map(({ samples, value }) => [samples, value])).toEqual([
      [50, 0.1],
      [90, 0.3],
    ]);
  });

  it('thins a long curve and keeps its last point', () => {
    const lines = Array.from({ length: 1000 }, (_, at) => scoreLine({ condition: 'live', samples: at + 1 }));
    const { curve } = take(...lines).groups[0] ?? { curve: [] };
    expect(curve.length).toBeLessThanOrEqual(401);
    expect(curve.at(-1)?.samples).toBe(1000);
  });

  it('takes the figures of branches', () => {
    expect(take(influence('live', 0.4)).groups[0]?.intervention).toEqual({
      histories: 24,
      influence: { value: 0.4, low: 0.30000000000000004, high: 0.5 },
      matched: { value: 0.6, low: 0.5, high: 0.7, pValue: 0.005 },
      sequentialP: 0.01,
    });
  });

  it('skips lines of other types', () => {
    const figures = emptyFigures();
    expect(takeScore(figures, { type: 'steps' })).toBe(false);
    expect(figuresView(figures).groups).toEqual([]);
  });
});

describe('the verdict', () => {
  it('says that states go together, with the intervals, and that no effect of one on the other is tested', () => {
    const { verdict } = take(
      scoreLine({ condition: 'live' }),
      scoreLine({ condition: 'monologue', excess: 0.001 }),
    );
    expect(verdict).toEqual({
      claim: 'Their hidden states go together beyond what scenario, turn and episode explain.',
      evidence: [
        'live: 1st → 2nd +0.25 [+0.20, +0.30]',
        'monologue: 1st → 2nd 0.00 [−0.05, +0.05] not shown',
      ],
      caveat: 'Whether one acts on the other is not tested: that takes branches.',
    });
  });

  it('says that nothing is shown where no score counts', () => {
    expect(take(scoreLine({ condition: 'live', excess: 0.01 })).verdict.claim).toContain(
      'are not shown to go together',
    );
  });

  it('lets the highest rung speak, with the shares of the control beside them', () => {
    const { verdict } = take(
      scoreLine({ condition: 'live' }),
      influence('live', 0.47),
      influence('monologue', 0),
    );
    expect(verdict.claim).toBe(
      'One acts on the other: in this study, at this temperature, what the 1st speaker says makes 47\u00a0% of the variation of the 2nd speaker’s next state. In monologue: 0\u00a0%.',
    );
    expect(verdict.evidence).toEqual(['live: 1st → 2nd 47\u00a0% [37, 57] (p 0.010, 24 histories)']);
  });

  it('does not say that they act on one another where an interval holds 0', () => {
    const { verdict } = take(influence('live', 0.05));
    expect(verdict.claim).toBe(
      'Neither is seen to act on the other: no interval of the influence lies above 0.',
    );
    expect(verdict.evidence).toEqual(['live: 1st → 2nd 5\u00a0% [−5, 15] (p 0.010, 24 histories)']);
  });

  it('says early what the anytime-valid test finds', () => {
    const early = { ...influence('live', 0), influence: null, matched: null, provisional: true };
    expect(take(early).verdict).toEqual({
      claim: 'So far: one acts on the other: what the 1st speaker says changes the 2nd speaker.',
      evidence: ['live: 1st → 2nd p 0.010 after 24 histories'],
      caveat:
        'This p holds however often one looks; how much they move each other shows after more histories.',
    });
  });

  it('says so far while the run is open, and why there is nothing yet', () => {
    expect(take(scoreLine({ condition: 'live', provisional: true })).verdict.claim).toMatch(/^So far: /);
    const line = {
      ...scoreLine({ condition: 'live' }),
      paper: null,
      strict: null,
      reason: 'too few turn pairs',
    };
    expect(take(line).verdict.claim).toBe('Too little yet: too few turn pairs');
    expect(take().verdict.claim).toBe('Too little yet to say anything.');
  });
});

describe('differences between conditions', () => {
  it('are kept for each direction, and once for both', () => {
    const line = { type: 'difference', condition: 'live', against: 'monologue', provisional: false };
    const figure = { difference: 0.2, ciLow: 0.1, ciHigh: 0.3, pValue: 0.01 };
    const { differences } = take(
      {
        ...line,
        ...figure,
        between: 'dyads',
        sourceRole: 1,
        targetRole: 2,
        sourceModel: 'm',
        targetModel: 'm',
      },
      {
        ...line,
        ...figure,
        between: 'dyads',
        sourceRole: 2,
        targetRole: 1,
        sourceModel: 'm',
        targetModel: 'm',
      },
      { ...line, ...figure, between: 'pairs', modelA: 'm', modelB: 'm' },
    );
    expect(differences.map(({ sourceRole, value, low, high }) => [sourceRole, value, low, high])).toEqual([
      [1, 0.2, 0.1, 0.3],
      [2, 0.2, 0.1, 0.3],
      [undefined, 0.2, 0.1, 0.3],
    ]);
  });
});
