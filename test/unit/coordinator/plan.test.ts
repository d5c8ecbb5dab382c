import { describe, expect, it } from 'vitest';
import { couplingOf } from '../../../src/coordinator/conditions.ts';
import { planEpisodes, agentsOfEpisode } from '../../../src/coordinator/plan.ts';
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

describe('planEpisodes of a shuffled study', () => {
  const conditions = ['live', 'monologue', 'dose:0.5'] as const;
  const listed = { ...study, conditions: [...conditions] };
  const plan = planEpisodes({ ...listed, order: 'shuffled' });
  const keyOf = ({ scenario, order, condition, seed }: (typeof plan)[number]): string =>
    [scenario.id, order.join(), condition, seed].join(' ');

  it('has the episodes of the listed one, with the same draws', () => {
    expect(plan.map(keyOf).toSorted()).toEqual(planEpisodes(listed).map(keyOf).toSorted());
    expect(plan.map(keyOf)).not.toEqual(planEpisodes(listed).map(keyOf));
    expect(new Set(plan.map(({ id }) => id)).size).toBe(plan.length);
  });

  it('plays each scenario and group in all conditions, one after another, in an order of its own', () => {
    const blocks = Array.from({ length: plan.length / 3 }, (_, at) => plan.slice(3 * at, 3 * at + 3));
    for (const block of blocks) {
      expect(new Set(block.map(({ scenario, order }) => scenario.id + order.join())).size).toBe(1);
      expect(new Set(block.map(({ condition }) => condition))).toEqual(new Set(conditions));
    }
    const orders = new Set(blocks.map((block) => block.map(({ condition }) => condition).join()));
    expect(orders.size).toBeGreaterThan(2);
  });

  it('plays a whole round before the next, and follows the seed', () => {
    const round = (from: number): Set<string> =>
      new Set(plan.slice(from, from + 18).map(({ scenario, order }) => scenario.id + order.join()));
    expect([round(0).size, round(18).size]).toEqual([6, 6]);
    expect(planEpisodes({ ...listed, order: 'shuffled' }).map(keyOf)).toEqual(plan.map(keyOf));
    const other = planEpisodes({ ...listed, order: 'shuffled', seed: 2 });
    expect(other.map(({ scenario }) => scenario.id)).not.toEqual(plan.map(({ scenario }) => scenario.id));
  });
});

describe('the conditions of a study', () => {
  const everyone = studySchema.parse({
    ...study,
    pairs: [['ada', 'ben']],
    reader: 'cas',
    conditions: ['live', 'monologue', 'reader', 'shared-input', 'dose:0.25', 'random'],
    scenarios: study.scenarios.map((scenario, index) => ({
      ...scenario,
      people: [person, { ...person, persona: `second of ${index}` }],
      script: ['It rains.', 'It stopped.'],
    })),
  });
  const plan = planEpisodes(everyone);
  const episodeWith = (condition: string) => plan.find((episode) => episode.condition === condition)!;
  const coupling = (condition: string, index: number) => couplingOf(everyone, episodeWith(condition), index);

  it('say what each agent hears', () => {
    expect(coupling('live', 1).hears).toBe('all');
    expect(coupling('monologue', 1).hears).toBe('none');
    expect(coupling('dose:0.25', 0).hears).toEqual({ dose: 0.25 });
    for (const index of [0, 1])
      expect(coupling('shared-input', index).hears).toEqual({ script: ['It rains.', 'It stopped.'] });
  });

  it('give every episode of a scenario a script of its own where there is one', () => {
    const scripts = Array.from({ length: 4 }, (_, at) => [`text ${at}`, 'and on']);
    const own = studySchema.parse({
      ...study,
      conditions: ['shared-input', 'live'],
      scenarios: everyone.scenarios.map((scenario) => ({ ...scenario, script: [], scripts })),
    });
    const read = planEpisodes(own).filter(({ condition }) => condition === 'shared-input');
    const heard = (index: number) =>
      read
        .filter(({ scenario }) => scenario.id === 'two')
        .map((episode) => couplingOf(own, episode, index).hears);
    // Two rounds in two speaking orders.
    expect(heard(0)).toEqual(scripts.map((script) => ({ script })));
    expect(heard(1)).toEqual(heard(0));
  });

  it('put a reader with another persona after the speakers, and only in its own condition', () => {
    expect(agentsOfEpisode(episodeWith('reader'))).toEqual(['ada', 'ben', 'cas']);
    expect(coupling('reader', 2)).toMatchObject({ hears: 'all', person: { persona: 'second of 1' } });
    expect(agentsOfEpisode(episodeWith('live'))).toEqual(['ada', 'ben']);
  });

  it('give each agent of `random` other words, a hot draw and nothing of the scenario', () => {
    const [ada, ben] = [coupling('random', 0), coupling('random', 1)];
    expect(ada).toMatchObject({
      sampling: { temperature: 2 },
      person: { persona: '' },
      scenario: { text: '' },
    });
    expect(ada.hears).not.toEqual(ben.hears);
    expect(coupling('random', 0)).toEqual(ada);
    expect(ada.hears).toMatchObject({ script: { length: everyone.maxTurns / 2 } });
  });

  it.each(['dose:1.5', 'dose:', 'dose:0.50001', 'loud'])('refuse "%s"', (condition) => {
    expect(studySchema.safeParse({ ...everyone, conditions: [condition] }).success).toBe(false);
  });
});
