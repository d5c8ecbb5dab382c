import { describe, expect, it } from 'vitest';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const person = { persona: 'p', goal: 'g', secret: 's' };
const study = studySchema.parse({
  name: 'test',
  pairs: [
    ['ada', 'ben'],
    ['ben', 'ada'],
  ],
  scenarios: ['one', 'two', 'three'].map((id) => ({ id, text: id, people: [person, person] })),
  conditions: ['live', 'monologue'],
  episodes: 2,
});

describe('planEpisodes', () => {
  const plan = planEpisodes(study);

  it('makes every scenario × pair × condition × episode once', () => {
    expect(plan).toHaveLength(3 * 2 * 2 * 2);
    const keys = plan.map(
      ({ scenario, order, condition, seed }) => `${scenario.id} ${order.join()} ${condition} ${seed}`,
    );
    expect(new Set(keys).size).toBe(plan.length);
    expect(new Set(plan.map(({ id }) => id)).size).toBe(plan.length);
  });

  it('grows every condition and scenario evenly, so that a run cut short is balanced', () => {
    for (let length = 1; length <= plan.length; length += 1) {
      const counts = ['live', 'monologue'].map(
        (name) => plan.slice(0, length).filter(({ condition }) => condition === name).length,
      );
      expect(Math.abs((counts[0] ?? 0) - (counts[1] ?? 0))).toBeLessThanOrEqual(1);
    }
  });

  it('gives conditions the same draws and different episodes different ones', () => {
    const [live, monologue, next] = plan;
    expect(live?.seed).toBe(monologue?.seed);
    expect(live?.seed).not.toBe(next?.seed);
  });

  it('names a pair alike in both speaking orders', () => {
    expect(new Set(plan.map(({ pair }) => pair))).toEqual(new Set(['ada+ben']));
  });

  it('is a pure function of the study', () => {
    expect(planEpisodes(study)).toEqual(plan);
    expect(planEpisodes({ ...study, seed: 2 })[0]?.seed).not.toBe(plan[0]?.seed);
  });
});
