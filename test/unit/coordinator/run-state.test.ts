import { describe, expect, it } from 'vitest';
import type { RunEvent, Utterance } from '../../../src/protocol/nats-messages.ts';
import { studySchema } from '../../../src/protocol/study.ts';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { agentsNeeded } from '../../../src/coordinator/restore-run.ts';
import { countEpisodes, countTurns, decide, episodesOf } from '../../../src/coordinator/state/decide.ts';
import {
  initialState,
  reduceEvent,
  reduceUtterance,
  type RunState,
} from '../../../src/coordinator/state/run-state.ts';

const person = { persona: '', goal: '', secret: '' };
const scenario = (id: string) => ({ id, text: id, people: [person, person] });
const study = studySchema.parse({
  name: 't',
  pairs: [
    ['a', 'b'],
    ['c', 'd'],
  ],
  scenarios: [scenario('x'), scenario('y')],
  maxTurns: 3,
});
const plan = planEpisodes(study);
const begun: RunEvent = { type: 'run-started', run: 'r', study, episodes: plan.length, atMs: 0 };

const started = (episode: string): RunEvent => ({
  type: 'episode-started',
  episode,
  scenario: 'x',
  condition: 'live',
  order: ['a', 'b'],
  seed: 1,
  atMs: 0,
});
const finished = (episode: string, turns: number): RunEvent => ({
  type: 'episode-finished',
  episode,
  turns,
  finish: 'turns',
  atMs: 0,
});
const says = (episode: string, turn: number, finish: Utterance['finish'] = 'stop'): Utterance =>
  saysAs(turn % 2 === 0 ? 'a' : 'b', { episode, turn, finish });
const saysAs = (
  agent: string,
  { episode = 'e0001', turn, finish = 'stop' }: Partial<Utterance> & { turn: number },
): Utterance => ({
  episode,
  turn,
  agent,
  text: 'x',
  finish,
  tokens: 1,
  droppedTurns: 0,
  stream: agent,
  epoch: 1,
  lastSeq: turn,
});
const after = (...messages: (RunEvent | Utterance)[]): RunState =>
  messages.reduce<RunState>(
    (state, message) => ('type' in message ? reduceEvent(state, message) : reduceUtterance(state, message)),
    initialState(plan, 3),
  );
const one = (): number => 1;
const starts = (state: RunState, atOnce: (agent: string) => number = one): string[] =>
  decide(state, atOnce).flatMap((command) => (command.do === 'start-episode' ? [command.episode.id] : []));

describe('the state of a run', () => {
  it('starts the run first', () => {
    expect(decide(after(), one)).toEqual([{ do: 'start-run' }]);
  });

  it('starts one episode for each pair of free agents, in the order of the plan', () => {
    expect(starts(after(begun))).toEqual(['e0001', 'e0002']);
    expect(starts(after(begun, started('e0001')))).toEqual(['e0002']);
    expect(starts(after(begun, started('e0001'), started('e0002')))).toEqual([]);
    expect(starts(after(begun, started('e0001'), started('e0002'), finished('e0001', 3)))).toEqual(['e0003']);
  });

  it('starts as many episodes as all of their agents play at once', () => {
    expect(starts(after(begun), () => 2)).toEqual(['e0001', 'e0002', 'e0003', 'e0004']);
    const slow = (agent: string): number => (agent === 'b' ? 1 : 2);
    expect(starts(after(begun), slow)).toEqual(['e0001', 'e0002', 'e0004']);
    expect(starts(after(begun, started('e0001'), finished('e0001', 3)), slow)).toContain('e0003');
  });

  it('finishes an episode at its last turn or when an agent leaves', () => {
    const open = after(begun, started('e0001'), started('e0002'), says('e0001', 0), says('e0001', 1));
    expect(decide(open, one).filter((command) => command.do !== 'assign-role')).toEqual([]);
    const command = { do: 'finish-episode', episode: 'e0001' };
    expect(decide(reduceUtterance(open, says('e0001', 2)), one)).toContainEqual({
      ...command,
      turns: 3,
      finish: 'turns',
    });
    expect(decide(reduceUtterance(open, says('e0001', 2, 'leave')), one)).toContainEqual({
      ...command,
      turns: 3,
      finish: 'leave',
    });
  });

  it('gives the role to the agent that took over, keeps it busy, and leaves the lost agent to later episodes', () => {
    const takenOver: RunEvent = {
      type: 'episode-taken-over',
      episode: 'e0001',
      role: 1,
      lost: 'b',
      agent: 'c',
      instance: 'i',
      turn: 1,
      atMs: 0,
    };
    const state = after(begun, started('e0001'), says('e0001', 0), takenOver, takenOver);
    const command = { do: 'assign-role', episode: plan[0] };
    expect(decide(state, one)).toEqual([
      { ...command, role: 0, agent: 'a', tookOverAs: undefined },
      { ...command, role: 1, agent: 'c', tookOverAs: 'i' },
    ]);
    expect(episodesOf(state, 'c')).toMatchObject([{ role: 1, now: { spoken: [{ turn: 0 }] } }]);
    expect(episodesOf(state, 'b')).toEqual([]);
    const over = after(begun, started('e0001'), takenOver, finished('e0001', 3));
    expect(starts(over)).toEqual(['e0002', 'e0003']);
  });

  it('counts how often a role was given to an agent again', () => {
    const resumed: RunEvent = {
      type: 'episode-resumed',
      episode: 'e0001',
      agent: 'b',
      instance: 'i',
      turn: 0,
      atMs: 0,
    };
    const holders = episodesOf(after(begun, started('e0001'), resumed, resumed), 'b')[0]?.now.holders;
    expect(holders?.map(({ seating }) => seating)).toEqual([0, 2]);
  });

  it('accepts a turn once, from the agent that has its role, and in order', () => {
    const inOrder = after(begun, started('e0001'), says('e0001', 0), says('e0001', 1));
    const others = [
      saysAs('b', { turn: 0 }),
      says('e0001', 1),
      saysAs('eve', { turn: 0 }),
      says('e0001', 0),
      says('e0001', 0),
      saysAs('a', { turn: 1, finish: 'leave' }),
      says('e0001', 1),
      says('e0001', 5),
    ];
    expect(after(begun, says('e0001', 0), started('e0001'), ...others)).toEqual(inOrder);
  });

  it('gives a running episode to all of its agents again after a restart', () => {
    expect(decide(after(begun, started('e0001'), says('e0001', 0)), one)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ do: 'assign-role', role: 0, agent: 'a' }),
        expect.objectContaining({ do: 'assign-role', role: 1, agent: 'b' }),
      ]),
    );
  });

  it('finishes the run when every episode is finished, and then decides nothing more', () => {
    const all = after(begun, ...plan.flatMap(({ id }) => [started(id), finished(id, 2)]));
    expect(decide(all, one)).toEqual([{ do: 'finish-run', episodes: 4, turns: 8 }]);
    expect(
      decide(reduceEvent(all, { type: 'run-finished', run: 'r', episodes: 4, turns: 8, atMs: 0 }), one),
    ).toEqual([]);
    expect(countTurns(all)).toBe(8);
    expect(countEpisodes(all)).toEqual({ planned: 0, running: 0, finished: 4 });
  });

  it('decides nothing in a failed run', () => {
    expect(decide(after(begun, { type: 'run-failed', run: 'r', reason: 'x', atMs: 0 }), one)).toEqual([]);
  });

  it('ignores messages that belong to no planned episode', () => {
    const state = after(begun);
    expect(reduceUtterance(state, says('nowhere', 0))).toEqual(state);
  });
});

describe('a study that moves states', () => {
  const patch = { layers: [1] };
  const patched = studySchema.parse({ ...study, episodes: 2, branches: { patch } });
  const all = planEpisodes(patched);
  const state = (...ended: string[]): RunState =>
    ended
      .flatMap((id) => [started(id), finished(id, 3)])
      .reduce<RunState>(reduceEvent, reduceEvent(initialState(all, 3), { ...begun, study: patched }));
  const [first, second] = [0, 1].map((round) =>
    all.filter((episode) => episode.round === round).map(({ id }) => id),
  ) as [string[], string[]];
  const many = (): number => 9;

  it('begins no later episode before all of the first ones, which give the components, have ended', () => {
    expect([first.length, second.length]).toEqual([4, 4]);
    expect(starts(state(), many)).toEqual(first);
    expect(starts(state(...first.slice(0, 3)), many)).toEqual(first.slice(3));
    expect(starts(reduceEvent(state(...first.slice(0, 3)), started(first[3] ?? '')), many)).toEqual([]);
    expect(starts(state(...first), many)).toEqual(second);
  });

  it('begins them at once where it moves none', () => {
    const plain = studySchema.parse({ ...study, episodes: 2, branches: {} });
    const without = reduceEvent(initialState(planEpisodes(plain), 3), { ...begun, study: plain });
    expect(starts(without, many)).toHaveLength(8);
  });
});

describe('the agents that a restarted coordinator waits for', () => {
  const takenOver: RunEvent = {
    type: 'episode-taken-over',
    episode: 'e0001',
    role: 1,
    lost: 'b',
    agent: 'z',
    instance: 'i',
    turn: 0,
    atMs: 0,
  };
  const back: RunEvent = {
    type: 'episode-resumed',
    episode: 'e0003',
    agent: 'b',
    instance: 'j',
    turn: 0,
    atMs: 0,
  };
  it.each<[string, (RunEvent | Utterance)[], string[]]>([
    ['all whom the study names', [begun, started('e0001')], ['a', 'b', 'c', 'd']],
    ['the replacement, not the lost one', [begun, started('e0001'), takenOver], ['a', 'c', 'd', 'z']],
    [
      'not the lost one, though another of its episodes waits to be taken over',
      [begun, started('e0001'), started('e0003'), takenOver],
      ['a', 'c', 'd', 'z'],
    ],
    [
      'neither once the episode is over',
      [begun, started('e0001'), takenOver, finished('e0001', 3)],
      ['a', 'c', 'd'],
    ],
    [
      'the lost one when it came back',
      [begun, started('e0001'), takenOver, finished('e0001', 3), started('e0003'), back],
      ['a', 'b', 'c', 'd'],
    ],
  ])('%s', (_, messages, needed) => {
    expect([...agentsNeeded(after(...messages), study)].toSorted()).toEqual(needed);
  });
});

describe('leaving an episode', () => {
  const people = Array.from({ length: 4 }, () => person);
  const four = studySchema.parse({
    name: 'f',
    pairs: [['a', 'b', 'c', 'd']],
    scenarios: [{ id: 'x', text: 'x', people }],
    maxTurns: 12,
  });
  const order = ['a', 'b', 'c', 'd'];
  const first: (RunEvent | Utterance)[] = [
    { type: 'run-started', run: 'r', study: four, episodes: 1, atMs: 0 },
    { ...started('e0001'), order } as RunEvent,
  ];
  const said = (turn: number, finish: Utterance['finish'] = 'stop'): Utterance => {
    const agent = order[turn % 4] as string;
    return { ...says('e0001', turn, finish), agent, stream: agent };
  };
  const closed = (...turns: Utterance[]) => {
    const start = initialState(planEpisodes(four), four.maxTurns);
    const state = [...first, ...turns].reduce<RunState>(
      (was, message) => ('type' in message ? reduceEvent(was, message) : reduceUtterance(was, message)),
      start,
    );
    return decide(state, one).find((command) => command.do === 'finish-episode');
  };

  it('does not end the talk when one of four leaves, and ends it with the third', () => {
    const turns = [said(0), said(1, 'leave'), said(2), said(3, 'leave'), said(4), said(5, 'absent')];
    expect(closed(...turns)).toBeUndefined();
    expect(closed(...turns, said(6))).toBeUndefined();
    expect(closed(...turns, said(6, 'leave'))).toMatchObject({ turns: 7, finish: 'leave' });
  });

  it('does not change the number of turns', () => {
    const turns = Array.from({ length: 12 }, (_, turn) =>
      said(turn, turn % 4 === 1 ? (turn === 1 ? 'leave' : 'absent') : 'stop'),
    );
    expect(closed(...turns.slice(0, 11))).toBeUndefined();
    expect(closed(...turns)).toMatchObject({ turns: 12, finish: 'turns' });
  });
});
