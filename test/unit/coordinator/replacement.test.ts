import { describe, expect, it } from 'vitest';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { initialState, reduceEvent } from '../../../src/coordinator/state/run-state.ts';
import { chooseReplacements, withoutStandIn } from '../../../src/coordinator/replacement.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const person = { persona: '', goal: '', secret: '' };
const study = studySchema.parse({
  name: 't',
  pairs: [
    ['ada', 'ben'],
    ['cas', 'dan'],
  ],
  scenarios: [{ id: 'x', text: 'x', people: [person, person] }],
});
const plan = planEpisodes(study);

/** A run in which these episodes have begun. */
const running = (...episodes: string[]) =>
  episodes.reduce(
    (state, episode) =>
      reduceEvent(state, {
        type: 'episode-started',
        episode,
        scenario: 'x',
        condition: 'live',
        order: [],
        seed: 1,
        atMs: 0,
      }),
    initialState(plan, 4),
  );

const modelOf = (agent: string) => ({
  name: 'm',
  sha256: agent === 'odd' ? 'other' : 'same',
  layers: 1,
  dims: 1,
});
const fleet = (present: string[], lost: string[], atOnce = 1) => ({
  present: new Map(
    present.map((agent) => [agent, { instance: `${agent}-1`, model: modelOf(agent), atOnce }]),
  ),
  lost: new Set(lost),
  modelOf,
});

describe('chooseReplacements', () => {
  it('takes a free agent with the same model, the first by name', () => {
    const { takeovers, hopeless } = chooseReplacements(
      running('e0001'),
      fleet(['odd', 'eve', 'dan', 'ada'], ['ben']),
    );
    expect(takeovers).toEqual([{ episode: 'e0001', role: 1, lost: 'ben', agent: 'dan', instance: 'dan-1' }]);
    expect(hopeless).toEqual([]);
  });

  it('waits for an agent that is busy with an episode that will end', () => {
    const busy = chooseReplacements(running('e0001', 'e0002'), fleet(['ada', 'cas', 'dan'], ['ben']));
    expect(busy).toEqual({ takeovers: [], hopeless: [] });
  });

  it('takes an agent that plays fewer episodes than it can, but never one of the episode itself', () => {
    const { takeovers, hopeless } = chooseReplacements(
      running('e0001', 'e0002'),
      fleet(['ada', 'cas', 'dan'], ['ben'], 2),
    );
    expect(takeovers.map(({ agent, episode }) => `${agent} in ${episode}`)).toEqual(['cas in e0001']);
    expect(hopeless).toEqual([]);
  });

  it.each([
    ['nobody else is there', ['ada'], ['ben']],
    ['the others have another model', ['ada', 'odd'], ['ben']],
    ['the others wait for a lost agent too', ['ada', 'cas'], ['ben', 'dan']],
  ])('gives up when %s', (_, present, lost) => {
    expect(chooseReplacements(running('e0001', 'e0002'), fleet(present, lost))).toEqual({
      takeovers: [],
      hopeless: lost,
    });
  });

  it('gives one agent one role, and does nothing for lost agents without an episode', () => {
    const { takeovers } = chooseReplacements(
      running('e0001', 'e0002'),
      fleet(['ada', 'cas', 'eve'], ['ben', 'dan']),
    );
    expect(takeovers.map(({ agent, lost }) => `${agent} for ${lost}`)).toEqual(['eve for ben']);
    expect(chooseReplacements(running('e0002'), fleet(['cas', 'dan'], ['ben']))).toEqual({
      takeovers: [],
      hopeless: [],
    });
  });
});

describe('withoutStandIn', () => {
  it('names the lost agents that no present agent has the model of', () => {
    expect(withoutStandIn(fleet(['ada', 'odd'], ['ben', 'cas']))).toEqual([]);
    expect(withoutStandIn(fleet(['odd'], ['ben']))).toEqual(['ben']);
    expect(withoutStandIn(fleet(['ada'], ['odd']))).toEqual(['odd']);
  });
});
