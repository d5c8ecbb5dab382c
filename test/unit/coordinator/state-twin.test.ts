/** The state that is kept up to date beside its slow twin, over random messages of random studies. */
import { describe, expect, it } from 'vitest';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import * as decisions from '../../../src/coordinator/state/decide.ts';
import * as states from '../../../src/coordinator/state/run-state.ts';
import type { RunEvent, Utterance } from '../../../src/protocol/nats-messages.ts';
import { studySchema, type Study } from '../../../src/protocol/study.ts';
import type { PlacedAlternative } from '../../../src/protocol/turn-order.ts';
import * as slow from '../../fixtures/coordinator/slow-run-state.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';

type Message =
  | { is: 'event'; event: RunEvent }
  | { is: 'utterance'; utterance: Utterance }
  | { is: 'alternative'; alternative: PlacedAlternative };

const person = { persona: '', goal: '', secret: '' };
const PEOPLE = [person, person, person];
const base = {
  name: 't',
  pairs: [
    ['a', 'b'],
    ['c', 'd'],
    ['b', 'c'],
  ],
  scenarios: ['x', 'y'].map((id) => ({ id, text: id, people: PEOPLE })),
  maxTurns: 3,
  episodes: 3,
};
const STUDIES: Record<string, unknown> = {
  'of four conditions, shuffled': {
    ...base,
    conditions: ['live', 'monologue', 'dose:0.5', 'shared-input'],
    order: 'shuffled',
  },
  'whose episodes wait for another': { ...base, conditions: ['live', 'monologue'], steps: { control: true } },
  'that moves states': { ...base, branches: { share: 1, patch: { layers: [1] } } },
  'that exchanges states': {
    ...base,
    episodes: 4,
    branches: { share: 1, patch: { kind: 'interchange', layers: [1] } },
  },
  'of three that talk, with a reader': {
    ...base,
    pairs: [
      ['a', 'b', 'c'],
      ['d', 'e', 'a'],
    ],
    conditions: ['live', 'reader'],
    reader: 'z',
  },
  'of one pair and many episodes': { ...base, pairs: [['a', 'b']], episodes: 40 },
};
const AGENTS = ['a', 'b', 'c', 'd', 'e', 'z'];
const STEPS = 150;

describe('the state that is kept up to date', () => {
  const cases = Object.entries(STUDIES).flatMap(([name, study]) =>
    [1, 2, 3, 4, 5].map((seed) => ({ name, study: studySchema.parse(study), seed })),
  );

  it.each(cases)('says what its slow twin says: a study $name, $seed', ({ study, seed }) => {
    const random = seededRandom(seed);
    const plan = planEpisodes(study);
    const first = states.initialState(plan, study.maxTurns);
    let both: Both = { quick: first, slow: slow.initialState(plan, study.maxTurns) };
    const before: { state: states.RunState; look: unknown }[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      both = reduceBoth(both, nextMessage(both.slow, study, random));
      const most = AGENTS.map(() => Math.floor(random() * 4));
      const atOnce = (agent: string): number => most[AGENTS.indexOf(agent)] ?? 0;
      const look = quickLook(both.quick, atOnce);
      expect(look, `step ${step}`).toEqual(slowLook(both.slow, atOnce));
      if (step % 10 === 0) before.push({ state: both.quick, look: quickLook(both.quick, two) });
    }
    // No message changed a state in place.
    for (const { state, look } of before) expect(quickLook(state, two)).toEqual(look);
  });

  it('comes to its end: each episode begins once and the run finishes', () => {
    const study = studySchema.parse(STUDIES['whose episodes wait for another']);
    const plan = planEpisodes(study);
    const random = seededRandom(9);
    let both: Both = {
      quick: states.initialState(plan, study.maxTurns),
      slow: slow.initialState(plan, study.maxTurns),
    };
    while (!both.quick.ended) both = reduceBoth(both, sensible(both.slow, study, random));
    expect(decisions.countEpisodes(both.quick)).toEqual({ planned: 0, running: 0, finished: plan.length });
    expect(decisions.countTurns(both.quick)).toBe(plan.length * study.maxTurns);
    expect(quickLook(both.quick, two)).toEqual(slowLook(both.slow, two));
  });
});

const two = (): number => 2;

interface Both {
  quick: states.RunState;
  slow: slow.SlowState;
}

function reduceBoth(both: Both, message: Message): Both {
  switch (message.is) {
    case 'event':
      return {
        quick: states.reduceEvent(both.quick, message.event),
        slow: slow.reduceEvent(both.slow, message.event),
      };
    case 'utterance':
      return {
        quick: states.reduceUtterance(both.quick, message.utterance),
        slow: slow.reduceUtterance(both.slow, message.utterance),
      };
    case 'alternative':
      return {
        quick: states.reduceAlternative(both.quick, message.alternative),
        slow: slow.reduceAlternative(both.slow, message.alternative),
      };
  }
}

/** Everything that the coordinator asks of a state. */
function quickLook(state: states.RunState, atOnce: decisions.AtOnce) {
  const { floors, failures, replaced, ended } = state;
  return {
    commands: decisions.decide(state, atOnce),
    episodes: state.plan.map(({ id }) => states.episodeOf(state, id)),
    counts: decisions.countEpisodes(state),
    turns: decisions.countTurns(state),
    open: decisions.openEpisodes(state),
    ofAgents: AGENTS.map((agent) => decisions.episodesOf(state, agent)),
    goesOn: AGENTS.map((agent) => decisions.canGoOn(state, atOnce, new Set([agent]))),
    floors,
    failures,
    replaced,
    ended,
  };
}

function slowLook(state: slow.SlowState, atOnce: decisions.AtOnce): ReturnType<typeof quickLook> {
  const { floors, failures, replaced, ended } = state;
  return {
    commands: slow.decide(state, atOnce),
    episodes: state.plan.map(({ id }) => state.episodes.get(id)),
    counts: slow.countEpisodes(state),
    turns: slow.countTurns(state),
    open: slow.openEpisodes(state),
    ofAgents: AGENTS.map((agent) => slow.episodesOf(state, agent)),
    goesOn: AGENTS.map((agent) => slow.canGoOn(state, atOnce, new Set([agent]))),
    floors,
    failures,
    replaced,
    ended,
  };
}

function nextMessage(state: slow.SlowState, study: Study, random: () => number): Message {
  return random() < 0.7 ? sensible(state, study, random) : anything(state, study, random);
}

/** What follows in a run without faults: a command that is carried out, or the next turn of an episode. */
function sensible(state: slow.SlowState, study: Study, random: () => number): Message {
  const command = pick(slow.decide(state, two), random);
  if (!command) return anything(state, study, random);
  switch (command.do) {
    case 'start-run':
      return eventOf({ type: 'run-started', run: 'r', study, episodes: state.plan.length, atMs: 0 });
    case 'start-episode':
      return started(command.episode.id, state, study);
    case 'assign-role': {
      const floor = state.floors.get(command.episode.id);
      const turn = floor?.said.length ?? 0;
      const agent = floor?.agents[turn % (floor?.speakers ?? 2)] ?? 'a';
      return says({ episode: command.episode.id, turn, agent });
    }
    case 'finish-episode': {
      const { episode, turns, finish } = command;
      return eventOf({ type: 'episode-finished', episode, turns, finish, atMs: 0 });
    }
    case 'finish-run':
      return eventOf({ type: 'run-finished', run: 'r', episodes: 1, turns: command.turns, atMs: 0 });
  }
}

/** Any message about any episode, whether it counts or not. */
function anything(state: slow.SlowState, study: Study, random: () => number): Message {
  const episode = random() < 0.05 ? 'nowhere' : (pick(state.plan, random)?.id ?? '');
  const [agent, other] = [pick(AGENTS, random) ?? 'a', pick(AGENTS, random) ?? 'a'];
  const turn = Math.floor(random() * 4);
  const common = { episode, agent, instance: 'i', turn, atMs: 0 };
  const messages: (() => Message)[] = [
    () => started(episode, state, study),
    () => says({ episode, turn, agent, finish: random() < 0.3 ? 'leave' : 'stop' }),
    () => eventOf({ type: 'episode-finished', episode, turns: turn, finish: 'leave', atMs: 0 }),
    () => eventOf({ type: 'episode-resumed', ...common }),
    () => eventOf({ type: 'episode-taken-over', ...common, role: turn % 3, lost: other }),
    () => eventOf({ type: 'run-resumed', run: 'r', atMs: 0 }),
    () => eventOf({ type: 'run-recorded', run: 'r', analyzer: 'm', part: 1, atMs: 0 }),
    () => ({
      is: 'alternative',
      alternative: { episode, turn, k: 1 + turn, agent, text: 'x', finish: 'stop', tokens: 1, seq: 7 },
    }),
    () =>
      random() < 0.3
        ? eventOf({ type: 'run-failed', run: 'r', reason: 'x', atMs: 0 })
        : eventOf({ type: 'run-started', run: 'r', study, episodes: state.plan.length, atMs: 0 }),
  ];
  return (pick(messages, random) ?? (() => started(episode, state, study)))();
}

const eventOf = (event: RunEvent): Message => ({ is: 'event', event });

function started(episode: string, { plan }: slow.SlowState, { maxTurns, branches }: Study): Message {
  const { order = ['a', 'b'], reader } = plan.find(({ id }) => id === episode) ?? {};
  const about = { scenario: 'x', condition: 'live', order, reader, maxTurns, seed: 1 } as const;
  return eventOf({ type: 'episode-started', episode, ...about, branches, atMs: 0 });
}

function says({
  episode,
  turn,
  agent,
  finish = 'stop',
}: Pick<Utterance, 'episode' | 'turn' | 'agent'> & Partial<Utterance>): Message {
  const place = { stream: agent, epoch: 1, lastSeq: turn };
  const utterance = { episode, turn, agent, text: 'x', finish, tokens: 1, droppedTurns: 0, ...place };
  return { is: 'utterance', utterance };
}

const pick = <T>(from: readonly T[], random: () => number): T | undefined =>
  from[Math.floor(random() * from.length)];
