/**
 * The paper's figure by plain arithmetic: which groups belong together, what a mean is over, and when there is none.
 */
import { describe, expect, it } from 'vitest';
import { groupOf } from '../../../../src/analyzer/ingest/episode-index.ts';
import {
  distancesOf,
  pairReport,
  pairsOf,
  type PairMember,
} from '../../../../src/analyzer/state/pair-means.ts';

const model = (name: string) => ({ name, sha256: name.repeat(4), layers: 1, dims: 1 });

interface Spoken {
  /** Names of the models in speaking order, then the places of source and target, from 1. */
  models: string[];
  from: number;
  to: number;
  condition?: string;
}

/** A group with figures that no other group has. */
function member({ models, from, to, condition = 'live' }: Spoken, figure: number): PairMember {
  const about = { scenario: 's', pair: 'p', condition, order: models, models: models.map(model) };
  const group = groupOf(about, from - 1, to - 1)!;
  const replicates = [0, 1, 2, 3, 4, 5].map((scenario) => ({
    scenario,
    excess: figure + scenario / 1000 - 0.0025,
  }));
  return {
    group,
    seed: Math.round(figure * 100),
    samples: 100 + figure * 100,
    paper: { score: figure + 0.3, unclipped: figure - 2, nullMean: figure / 2, pseudoMean: figure / 4 },
    strict: { score: figure - 0.05, excess: figure, nullMean: -0.05 },
    replicates,
  };
}

const reportOf = (...members: PairMember[]) => pairsOf(members).map(pairReport);

describe('the mean over directions and speaking orders', () => {
  it('is over four figures if two models speak in both orders', () => {
    const [report, ...others] = reportOf(
      member({ models: ['n', 'm'], from: 1, to: 2 }, 0.4),
      member({ models: ['m', 'n'], from: 1, to: 2 }, 0.1),
      member({ models: ['m', 'n'], from: 2, to: 1 }, 0.2),
      member({ models: ['n', 'm'], from: 2, to: 1 }, 0.3),
    );
    expect(others).toEqual([]);
    expect(report).toMatchObject({ modelA: 'm', modelB: 'n', roleA: 1, roleB: 2, figures: 4, samples: 500 });
    expect(report?.paper?.score).toBeCloseTo((0.4 + 0.5 + 0.6 + 0.7) / 4, 12);
    expect(report?.paper?.unclipped).toBeCloseTo(-1.75, 12);
    expect(report?.paper?.nullMean).toBeCloseTo(0.125, 12);
    expect(report?.paper?.pseudoMean).toBeCloseTo(0.0625, 12);
    expect(report?.strict?.excess).toBeCloseTo(0.25, 12);
    expect(report?.strict?.score).toBeCloseTo(0.2, 12);
    expect(report?.strict?.nullMean).toBeCloseTo(-0.05, 12);
    expect(report?.strict?.ciLow).toBeLessThan(0.25);
    expect(report?.strict?.ciHigh).toBeGreaterThan(0.25);
    expect(report).not.toHaveProperty('reason');
  });

  it('is over two figures if one model has both places, since each figure holds both orders', () => {
    const [report] = reportOf(
      member({ models: ['m', 'm'], from: 1, to: 2 }, 0.1),
      member({ models: ['m', 'm'], from: 2, to: 1 }, 0.2),
    );
    expect(report).toMatchObject({ figures: 2, modelA: 'm', modelB: 'm' });
    expect(report?.paper?.score).toBeCloseTo(0.45, 12);
  });

  it('exists for each condition and each two places, and not for more than two agents', () => {
    const three = ['m', 'm', 'm'];
    const spoken = [
      { models: ['m', 'm'], from: 1, to: 2 },
      { models: ['m', 'm'], from: 1, to: 2, condition: 'monologue' },
      { models: three, from: 1, to: 2 },
      { models: three, from: 3, to: 1 },
      { models: ['m', 'n'], from: 1, to: 2 },
    ];
    const back = spoken.map((one) => ({ ...one, from: one.to, to: one.from }));
    // The models keep their places when the direction is reversed.
    const members = [...spoken, ...back].map((one, at) => member(one, at / 100));
    const reports = reportOf(...members);
    expect(reports.map(({ figures }) => figures)).toEqual([2, 2, 2]);
    expect(reports.map(({ paper }) => paper !== null)).toEqual([true, true, true]);
    // 1 → 2 and 3 → 1 follow by one turn, 2 → 1 and 1 → 3 by two.
    expect(distancesOf(members).map(({ distance, figures, excess }) => [distance, figures, excess])).toEqual([
      [1, 2, expect.closeTo(0.025, 12)],
      [2, 2, expect.closeTo(0.075, 12)],
    ]);
  });

  it('does not depend on the order of arrival', () => {
    const members = [1, 2].flatMap((from) =>
      [
        ['m', 'n'],
        ['n', 'm'],
      ].map((models, at) => member({ models, from, to: 3 - from }, from / 10 + at / 100)),
    );
    expect(reportOf(...members.toReversed())).toEqual(reportOf(...members));
  });
});

describe('the mean of a pair is missing', () => {
  const there = member({ models: ['m', 'n'], from: 1, to: 2 }, 0.1);
  const back = member({ models: ['m', 'n'], from: 2, to: 1 }, 0.2);

  it('if a direction has no turn pair yet', () => {
    expect(reportOf(there)).toMatchObject([
      { paper: null, strict: null, reason: 'No turn pair yet of n as speaker 2 → m as speaker 1.' },
    ]);
    // The other order does not compensate for it.
    const otherOrder = member({ models: ['n', 'm'], from: 1, to: 2 }, 0.1);
    expect(reportOf(there, otherOrder)).toMatchObject([{ paper: null, strict: null }]);
  });

  it('in strict mode alone, if a direction has no strict figure; paper mode keeps its mean', () => {
    const few = { ...back, strict: null, replicates: null, reason: 'too few scenarios' };
    const [report] = reportOf(there, few);
    expect(report).toMatchObject({
      strict: null,
      reason: 'n as speaker 2 → m as speaker 1: too few scenarios',
    });
    expect(report?.paper?.score).toBeCloseTo(0.45, 12);
  });

  it('for a null that one direction does not have', () => {
    const bare = { ...back, paper: { score: 0.5, unclipped: 0.5, nullMean: 0.1, pseudoMean: null } };
    expect(reportOf(there, bare)[0]?.paper).toMatchObject({ pseudoMean: null });
    expect(reportOf(there, bare)[0]?.paper?.nullMean).toBeCloseTo(0.075, 12);
  });
});
