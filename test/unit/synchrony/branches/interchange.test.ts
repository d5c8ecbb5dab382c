/**
 * Interchange beside a slow twin, where a replaced state must move the listener as the map says, and where it must
 * not.
 */
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom, shuffled } from '../../../../src/numeric/random.ts';
import {
  interchange,
  type ExchangeRows,
  type Follows,
} from '../../../../src/synchrony/branches/interchange.ts';
import type { Influence } from '../../../../src/synchrony/branches/influence.ts';
import { jackknife, meanOf } from '../../../../src/synchrony/stats/jackknife.ts';
import type { NoScore } from '../../../../src/synchrony/types.ts';
import {
  plantedInterchange,
  type ExchangeWorldOptions,
} from '../../../fixtures/planted/planted-interchange.ts';
import { interchangeTwin } from './interchange-twin.ts';

const algebra = createPlainAlgebra();
const SMALL: ExchangeWorldOptions = {
  kind: 'moved',
  seed: 3,
  scenarios: 6,
  donors: 3,
  recipients: 2,
  turns: 3,
  dims: 3,
};
const options = { seed: 1, algebra, permutations: 99 };

const found = <T extends Influence | Follows>(figure: T | NoScore): T => {
  if ('reason' in figure) throw new Error(figure.reason);
  return figure;
};

/** The rows of some turns alone. */
function rowsWhere(rows: ExchangeRows, keep: (row: number) => boolean): ExchangeRows {
  const kept = Array.from({ length: rows.n }, (_, row) => row).filter(keep);
  const labels = (of: Int32Array): Int32Array => Int32Array.from(kept, (row) => of[row] as number);
  const take = ({ cols, data }: ExchangeRows['moved']) => ({
    rows: kept.length,
    cols,
    data: Float64Array.from(kept.flatMap((row) => [...data.subarray(row * cols, (row + 1) * cols)])),
  });
  return {
    ...rows,
    n: kept.length,
    scenario: labels(rows.scenario),
    episode: labels(rows.episode),
    turn: labels(rows.turn),
    alternative: labels(rows.alternative),
    donor: labels(rows.donor),
    moved: take(rows.moved),
    target: rows.target.map(take),
  };
}

/** With turns more at which nothing was replaced, each the only one of its scenario and number. */
function withLonelyTurns(rows: ExchangeRows, count: number): ExchangeRows {
  const random = seededRandom(4);
  const { n, scenario, turn, source, target } = rows.unpatched;
  const longer = (of: Int32Array, value: (i: number) => number): Int32Array =>
    Int32Array.from({ length: n + count }, (_, i) => (i < n ? (of[i] as number) : value(i - n)));
  const wider = ({ cols, data }: ExchangeRows['moved']): ExchangeRows['moved'] => ({
    rows: n + count,
    cols,
    data: Float64Array.from({ length: (n + count) * cols }, (_, i) => data[i] ?? random.normal()),
  });
  const unpatched = {
    n: n + count,
    scenario: longer(scenario, (i) => i % 6),
    turn: longer(turn, (i) => 100 + i),
    source: wider(source),
    target: target.map(wider),
  };
  return { ...rows, unpatched };
}

describe('interchange', () => {
  it('is what a slow twin finds: explicit fits on turns of other scenarios, and their scale on other scenarios', async () => {
    const { rows } = plantedInterchange(SMALL);
    const follows = found((await interchange(rows, options)).follows);
    const twin = interchangeTwin(rows);
    expect(follows.score).toBeCloseTo(twin.score, 9);
    expect(follows.score).toBeGreaterThan(0.1);
    const replicates = twin.without.map((excess, scenario) => ({ scenario, excess }));
    const ci = jackknife([{ excess: twin.score, replicates }], meanOf);
    expect([follows.ci.low, follows.ci.high]).toEqual(
      'reason' in ci ? [] : [expect.closeTo(ci.low, 9), expect.closeTo(ci.high, 9)],
    );
  });

  it('has the p-value of donors permuted once for each scenario and turn, in all episodes that have it', async () => {
    const { rows } = plantedInterchange({ ...SMALL, kind: 'donor', seed: 8 });
    const twin = interchangeTwin(rows);
    const own = twin.evidence((_, __, donor) => donor);
    const random = seededRandom(5);
    let atLeast = 0;
    const draws = 400;
    for (let draw = 0; draw < draws; draw++) {
      const orders = new Map<string, number[]>();
      const order = (scenario: number, turn: number, donor: number): number => {
        const key = `${scenario} ${turn}`;
        const drawn = orders.get(key) ?? shuffled([0, 1, 2], random);
        orders.set(key, drawn);
        return scenario * 100 + (drawn[donor % 100] as number);
      };
      if (twin.evidence(order) >= own) atLeast += 1;
    }
    const { pValue } = found((await interchange(rows, { ...options, permutations: 1999 })).follows);
    // Both are estimates of one probability, from 400 and 2,000 draws.
    expect(Math.abs(pValue - atLeast / draws)).toBeLessThan(4 * Math.sqrt(0.25 / draws));
    expect(pValue).toBeGreaterThan(0.05);
  });

  it('finds what a replaced state does: nearly as much as the planted map explains', async () => {
    const world = plantedInterchange({ ...SMALL, scenarios: 10, recipients: 3, turns: 4, dims: 8 });
    const { acts, follows } = await interchange(world.rows, options);
    expect(found(acts).ci.low).toBeGreaterThan(0);
    expect(found(follows).pValue).toBe(0.01);
    expect(found(follows).ci.low).toBeGreaterThan(0);
    expect(found(follows).score).toBeGreaterThan(0.1);
  });

  it('finds nothing that follows where a donor brings the same to every episode, which has nothing to do with its state', async () => {
    const pValues: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const { rows } = plantedInterchange({ ...SMALL, kind: 'donor', seed, recipients: 3 });
      const { acts, follows } = await interchange(rows, options);
      expect(found(acts).value).toBeGreaterThan(0);
      pValues.push(found(follows).pValue);
    }
    // With a rate of 0.05 there are 7 or more of 60 in 3 of 100 cases.
    expect(pValues.filter((p) => p <= 0.05).length).toBeLessThan(7);
    expect(pValues.filter((p) => p > 0.5).length).toBeGreaterThan(18);
  });

  it('is exactly 0, and nothing follows, where the listener does not hear', async () => {
    const { rows } = plantedInterchange({ ...SMALL, kind: 'unheard' });
    expect(await interchange(rows, options)).toMatchObject({
      acts: { value: 0, ci: { low: 0, high: 0 } },
      follows: { reason: 'the states of the listener do not move with the donors' },
    });
  });

  it('leaves out episodes of which not every donor of the others was put in place', async () => {
    const { rows } = plantedInterchange({ ...SMALL, scenarios: 8, recipients: 4 });
    // The last recipient of scenario 0 lacks one donor at turn 0.
    const at = (row: number): string => `${rows.scenario[row]} ${rows.turn[row]} ${rows.episode[row]}`;
    const lacking = rowsWhere(rows, (row) => !(at(row) === '0 0 6' && rows.donor[row] === 2));
    const without = rowsWhere(rows, (row) => at(row) !== '0 0 6');
    expect(await interchange(lacking, options)).toEqual(await interchange(without, options));
  });

  it('explains nothing, and not less, where the listener moves against the map', async () => {
    const { rows } = plantedInterchange({ ...SMALL, scenarios: 8, recipients: 3, effect: -0.5 });
    const follows = found((await interchange(rows, options)).follows);
    expect([follows.score, follows.ci]).toEqual([0, { low: 0, high: 0 }]);
    expect(follows.pValue).toBeGreaterThan(0.5);
  });

  it('takes nothing from turns that no other episode of their scenario has', async () => {
    const { rows } = plantedInterchange(SMALL);
    const lonely = withLonelyTurns(rows, 24);
    expect(lonely.unpatched.n).toBe(rows.unpatched.n + 24);
    expect(await interchange(lonely, options)).toEqual(await interchange(rows, options));
  });

  it.each([
    [{ scenarios: 5, recipients: 3, turns: 4 }, 'too few scenarios'],
    [{ scenarios: 6, recipients: 1, turns: 2 }, 'too few histories'],
  ])('has no figure of too few turns: %o', async (size, reason) => {
    const { rows } = plantedInterchange({ ...SMALL, ...size });
    const { follows } = await interchange(rows, options);
    expect(follows).toHaveProperty('reason', expect.stringContaining(reason));
  });

  it('has nothing that follows without turns at which nothing was replaced', async () => {
    const { rows } = plantedInterchange({ ...SMALL, scenarios: 8 });
    const { unpatched } = rows;
    const few = {
      ...unpatched,
      n: 20,
      scenario: unpatched.scenario.slice(0, 20),
      turn: unpatched.turn.slice(0, 20),
    };
    const { follows } = await interchange({ ...rows, unpatched: few }, options);
    expect(follows).toHaveProperty(
      'reason',
      expect.stringMatching(/too few turns without a replaced state: 20 in 2/),
    );
  });
});
