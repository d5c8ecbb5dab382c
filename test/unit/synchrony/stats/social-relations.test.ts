/** The social relations model beside least squares by NumPy, and its variances beside their exact expectations. */
import { describe, expect, it } from 'vitest';
import { socialRelations, type SocialRelations } from '../../../../src/synchrony/stats/social-relations.ts';

const TABLE = [
  [0, 3, 5, 2, 4],
  [6, 0, 7, 4, 9],
  [2, 1, 0, 3, 2],
  [5, 4, 6, 0, 3],
  [1, 2, 2, 5, 0],
];

function found(table: (number | undefined)[][]): SocialRelations {
  const answer = socialRelations(table);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

type Moments = SocialRelations['variance'] & SocialRelations['covariance'];

/**
 * Mean of the estimates over all tables of n members whose effects have the given variances and covariances. The
 * estimates are quadratic forms, so that mean is the sum of the estimates over the columns of a root of the covariance.
 */
function expectedMoments(n: number, truth: Moments): Moments {
  const columns: number[][][] = [];
  const empty = (): number[][] => Array.from({ length: n }, () => Array.from({ length: n }, () => 0));
  /** A pair of correlated effects with equal or unequal variances, by its Cholesky factor. */
  const factor = (one: number, other: number, both: number): [number, number][] => {
    const first = Math.sqrt(one);
    const second = both / first;
    return [
      [first, second],
      [0, Math.sqrt(other - second ** 2)],
    ];
  };
  for (let i = 0; i < n; i++)
    for (const [actor, partner] of factor(truth.actor, truth.partner, truth.actorPartner))
      columns.push(
        empty().map((row, r) => row.map((_value, c) => (r === i ? actor : 0) + (c === i ? partner : 0))),
      );
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++)
      for (const [there, back] of factor(truth.relationship, truth.relationship, truth.reciprocity))
        columns.push(
          empty().map((row, r) =>
            row.map((_value, c) => (r === i && c === j ? there : r === j && c === i ? back : 0)),
          ),
        );
  const total: Moments = { actor: 0, partner: 0, relationship: 0, actorPartner: 0, reciprocity: 0 };
  for (const { variance, covariance } of columns.map(found))
    for (const [name, value] of Object.entries({ ...variance, ...covariance }))
      total[name as keyof Moments] += value;
  return total;
}

describe('the social relations model', () => {
  it('has the effects of least squares by numpy.linalg.lstsq with effects that sum to 0', () => {
    const { mean, actors, partners } = found(TABLE);
    expect(mean).toBeCloseTo(3.8, 12);
    for (const [at, value] of [-0.4, 2.5333333333333328, -1.6, 0.6666666666666663, -1.2].entries())
      expect(actors[at]).toBeCloseTo(value, 12);
    for (const [at, value] of [-0.4, -0.6666666666666676, 0.8, -0.13333333333333397, 0.4].entries())
      expect(partners[at]).toBeCloseTo(value, 12);
  });

  it('gives every cell back as the sum of its parts', () => {
    const { mean, actors, partners, relationships } = found(TABLE);
    for (const [i, row] of TABLE.entries())
      for (const [j, value] of row.entries())
        if (i !== j)
          expect(mean + (actors[i] ?? 0) + (partners[j] ?? 0) + (relationships[i]?.[j] ?? 0)).toBeCloseTo(
            value,
            12,
          );
  });

  it('has variances whose mean over all tables is the truth, for 4, 5 and 9 members', () => {
    const truth: Moments = {
      actor: 2,
      partner: 0.7,
      relationship: 1.3,
      actorPartner: -0.4,
      reciprocity: 0.6,
    };
    for (const n of [4, 5, 9]) {
      const mean = expectedMoments(n, truth);
      for (const name of Object.keys(truth) as (keyof Moments)[])
        expect(mean[name]).toBeCloseTo(truth[name], 10);
    }
  });

  it('tells a table of good actors from one of good partners', () => {
    const actors = TABLE.map((row, i) => row.map(() => i * i));
    expect(found(actors).variance.partner).toBeCloseTo(0, 10);
    expect(found(actors).variance.actor).toBeGreaterThan(10);
    const turned = found(actors.map((row, i) => row.map((_value, j) => actors[j]?.[i] ?? 0)));
    expect(turned.variance.partner).toBeCloseTo(found(actors).variance.actor, 10);
  });

  it('does not look at the diagonal', () => {
    const other = TABLE.map((row, i) => row.map((value, j) => (i === j ? undefined : value)));
    expect(found(other)).toEqual(found(TABLE));
  });

  it('gives no number for three members, a missing pair and a table that is not square', () => {
    expect(socialRelations(TABLE.slice(0, 3).map((row) => row.slice(0, 3)))).toEqual({
      reason: 'actor and partner are told apart from four members on, there are 3',
    });
    const missing = TABLE.map((row, i) => row.map((value, j) => (i === 2 && j === 0 ? undefined : value)));
    expect(socialRelations(missing)).toEqual({ reason: 'a pair has no figure' });
    expect(socialRelations(TABLE.slice(1))).toEqual({ reason: 'the table is not square' });
  });
});
