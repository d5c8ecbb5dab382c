/** Episodes whose turns are read behind the history of the first one of their scenario: plan, order and specs. */
import { describe, expect, it } from 'vitest';
import { controlOf, planEpisodes } from '../../../src/coordinator/plan.ts';
import { decide } from '../../../src/coordinator/state/decide.ts';
import {
  episodeOf,
  initialState,
  reduceEvent,
  reduceUtterance,
  type RunState,
} from '../../../src/coordinator/state/run-state.ts';
import type { RunEvent, Utterance } from '../../../src/protocol/nats-messages.ts';
import { studySchema, type Condition } from '../../../src/protocol/study.ts';

const person = { persona: '', goal: '', secret: '' };
const scenario = (id: string) => ({ id, text: id, people: [person, person] });
const studyOf = (control: boolean, conditions: Condition[] = ['live']) =>
  studySchema.parse({
    name: 't',
    pairs: [['a', 'b']],
    scenarios: [scenario('x'), scenario('y')],
    conditions,
    episodes: 2,
    maxTurns: 2,
    steps: { control },
  });
const study = studyOf(true);
const plan = planEpisodes(study);

const started = (episode: string): RunEvent => {
  const about = { scenario: 'x', condition: 'live', order: ['a', 'b'], seed: 1, maxTurns: 2 } as const;
  return { type: 'episode-started', episode, ...about, order: [...about.order], atMs: 0 };
};
const finished = (episode: string): RunEvent => {
  return { type: 'episode-finished', episode, turns: 2, finish: 'turns', atMs: 0 };
};
const says = (episode: string, turn: number): Utterance => {
  const agent = turn === 0 ? 'a' : 'b';
  const said = { text: `words ${turn}`, finish: 'stop', tokens: 2, droppedTurns: 0 } as const;
  return { episode, turn, agent, ...said, stream: agent, epoch: 1, lastSeq: turn };
};
const after = (of: typeof study, ...messages: (RunEvent | Utterance)[]): RunState => {
  const begun: RunEvent = { type: 'run-started', run: 'r', study: of, episodes: plan.length, atMs: 0 };
  return [begun, ...messages].reduce<RunState>(
    (state, message) => ('type' in message ? reduceEvent(state, message) : reduceUtterance(state, message)),
    initialState(plan, 2),
  );
};
const starts = (state: RunState): string[] =>
  decide(state, () => 4).flatMap((command) => (command.do === 'start-episode' ? [command.episode.id] : []));

describe('the control of an episode', () => {
  it('is the first episode of the same scenario, speakers and condition, and that one has none', () => {
    const of = planEpisodes(studyOf(true, ['live', 'dose:0.5', 'monologue']));
    const found = of.map((one) => [one.scenario.id, one.condition, one.round, controlOf(study, of, one)?.id]);
    expect(found.slice(0, 6).every(([, , , id]) => id === undefined)).toBe(true);
    expect(found.slice(6)).toEqual([
      ['x', 'live', 1, 'e0001'],
      ['x', 'dose:0.5', 1, 'e0002'],
      ['x', 'monologue', 1, undefined],
      ['y', 'live', 1, 'e0004'],
      ['y', 'dose:0.5', 1, 'e0005'],
      ['y', 'monologue', 1, undefined],
    ]);
  });

  it('has ended before an episode that is read behind it begins, and its words are kept', () => {
    const both = [started('e0001'), started('e0002')];
    expect(starts(after(study, ...both))).toEqual([]);
    const talk = [says('e0001', 0), says('e0001', 1), finished('e0001')];
    const state = after(study, ...both, ...talk);
    expect(starts(state)).toEqual(['e0003']);
    const ended = episodeOf(state, 'e0001');
    expect(ended?.is === 'finished' && ended.spoken?.map(({ text }) => text)).toEqual(['words 0', 'words 1']);
  });

  it('keeps nothing waiting, and no words, where the study asks for none', () => {
    const off = studyOf(false);
    const state = after(off, started('e0001'), says('e0001', 0), says('e0001', 1), finished('e0001'));
    expect(starts(state)).toEqual(['e0002', 'e0003', 'e0004']);
    expect(episodeOf(state, 'e0001')).toEqual({ is: 'finished', turns: 2 });
  });
});
