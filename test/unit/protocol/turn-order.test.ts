import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  branchesOfRound,
  countVersions,
  isBasis,
  isBranched,
  utteranceSeed,
  versionsOf,
} from '../../../src/protocol/branches.ts';
import {
  alternativeSchema,
  type Alternative,
  type RunEvent,
  type Utterance,
} from '../../../src/protocol/nats-messages.ts';
import { deriveSeed } from '../../../src/protocol/seed.ts';
import { storedKind, subjects, tokenPlace } from '../../../src/protocol/subjects.ts';
import {
  alternativeFault,
  alternativesOf,
  floorsAfter,
  floorsBeside,
  floorsWith,
  NO_FLOORS,
  parseAlternative,
  parseUtterance,
  turnFault,
  type Floors,
} from '../../../src/protocol/turn-order.ts';

const started: RunEvent = {
  type: 'episode-started',
  episode: 'e1',
  scenario: 's',
  condition: 'live',
  order: ['ada', 'ben'],
  reader: 'rea',
  maxTurns: 5,
  seed: 1,
  atMs: 0,
};
const takenOver = (role: number, lost: string, agent: string): RunEvent => ({
  type: 'episode-taken-over',
  episode: 'e1',
  role,
  lost,
  agent,
  instance: 'i',
  turn: 0,
  atMs: 0,
});
const finished: RunEvent = { type: 'episode-finished', episode: 'e1', turns: 1, finish: 'turns', atMs: 0 };
const says = (turn: number, agent: string, finish: Utterance['finish'] = 'stop'): Utterance => ({
  episode: 'e1',
  turn,
  agent,
  text: `${agent} ${turn}`,
  finish,
  tokens: 1,
  droppedTurns: 0,
  stream: agent,
  epoch: 1,
  lastSeq: 1,
});

/** The turns of a stream, as texts. */
function turnsOf(stream: readonly (RunEvent | Utterance)[]): string[] {
  let floors: Floors = NO_FLOORS;
  const turns: string[] = [];
  for (const message of stream) {
    if ('type' in message) floors = floorsAfter(floors, message);
    else if (turnFault(floors.get(message.episode), message) === undefined) {
      floors = floorsWith(floors, message);
      turns.push(message.text);
    }
  }
  return turns;
}

describe('the utterance of a turn', () => {
  it('is the first one in stream order whose publisher had the role', () => {
    expect(turnsOf([started, says(0, 'ben'), says(0, 'ada'), says(0, 'ada'), says(1, 'ben')])).toEqual([
      'ada 0',
      'ben 1',
    ]);
  });

  it('cannot come from a reader or a stranger, nor from any agent before the episode or after its end', () => {
    const all = [says(0, 'ada'), started, says(0, 'rea'), says(0, 'eve'), finished, says(0, 'ada')];
    expect(turnsOf(all)).toEqual([]);
  });

  it('comes from the replacement after the takeover, and from the lost agent before it', () => {
    const lost = [started, says(0, 'ada'), takenOver(0, 'ada', 'cas')];
    expect(turnsOf([...lost, says(1, 'ben'), says(2, 'ada'), says(2, 'cas')])).toEqual([
      'ada 0',
      'ben 1',
      'cas 2',
    ]);
    expect(turnsOf([started, takenOver(0, 'ben', 'cas'), says(0, 'cas'), says(0, 'ada')])).toEqual(['ada 0']);
  });

  it('comes after the turn before it, and none comes after the last turn or when too few speakers are left', () => {
    expect(
      turnsOf([started, says(1, 'ben'), says(0, 'ada'), says(1, 'ben', 'leave'), says(2, 'ada')]),
    ).toEqual(['ada 0', 'ben 1']);
    const five = [0, 1, 2, 3, 4, 5].map((turn) => says(turn, turn % 2 === 0 ? 'ada' : 'ben'));
    expect(turnsOf([started, ...five])).toHaveLength(5);
  });

  it('cannot be changed by what an agent without the role publishes anywhere in the stream', () => {
    const honest = [started, says(0, 'ada'), says(1, 'ben'), takenOver(0, 'ada', 'cas'), says(2, 'cas')];
    const forged = fc.record({
      at: fc.nat(honest.length),
      turn: fc.nat(6),
      agent: fc.constantFrom('eve', 'rea'),
      finish: fc.constantFrom('stop' as const, 'leave' as const),
    });
    fc.assert(
      fc.property(fc.array(forged, { maxLength: 12 }), (forgeries) => {
        const stream: (RunEvent | Utterance)[] = [...honest];
        for (const { at, turn, agent, finish } of forgeries) stream.splice(at, 0, says(turn, agent, finish));
        expect(turnsOf(stream)).toEqual(turnsOf(honest));
      }),
    );
  });
});

describe('an alternative utterance', () => {
  const branching: RunEvent = { ...started, branches: { share: 1, alternatives: 2 } };
  const might = (turn: number, agent: string, k: number): Alternative => {
    const text = `${agent} ${turn} or ${k}`;
    return { episode: 'e1', turn, agent, k, text, finish: 'stop', tokens: 1 };
  };

  it('belongs to the next turn and to the agent that has its role', () => {
    const floor = floorsWith(floorsAfter(NO_FLOORS, branching), says(0, 'ada')).get('e1');
    expect(alternativeFault(floor, might(1, 'ben', 1))).toBeUndefined();
    expect(alternativeFault(floor, might(1, 'ada', 1))).toMatch(/role 1/);
    expect(alternativeFault(floor, might(0, 'ada', 1))).toMatch(/not at hand/);
    expect(alternativeFault(floor, might(2, 'ada', 1))).toMatch(/not at hand/);
    expect(alternativeFault(undefined, might(0, 'ada', 1))).toMatch(/not running/);
  });

  it('counts once for each k that the study asks for, and only if the turn branches', () => {
    const floors = floorsAfter(NO_FLOORS, branching);
    const first = floorsBeside(floors, might(0, 'ada', 1)).get('e1');
    expect(alternativeFault(first, might(0, 'ada', 1))).toMatch(/said before/);
    expect(alternativeFault(first, might(0, 'ada', 2))).toBeUndefined();
    expect(alternativeFault(first, might(0, 'ada', 3))).toMatch(/no alternative 3/);
    for (const branches of [undefined, null, { share: 1e-9, alternatives: 2 }]) {
      const plain = floorsAfter(NO_FLOORS, { ...started, branches }).get('e1');
      expect(alternativeFault(plain, might(0, 'ada', 1))).toMatch(/does not branch/);
    }
  });

  it('does not count after the end of the talk, nor for a role whose speaker has left', () => {
    const left = floorsWith(floorsAfter(NO_FLOORS, branching), says(0, 'ada', 'leave'));
    expect(alternativeFault(left.get('e1'), might(1, 'ben', 1))).toMatch(/nobody speaks/);
    const three: RunEvent = { ...branching, order: ['ada', 'ben', 'cas'] };
    const [, , , next] = [...Array(3).keys()].reduce<Floors[]>(
      (all, turn) => [
        ...all,
        floorsWith(all.at(-1) ?? NO_FLOORS, says(turn, '', turn === 0 ? 'leave' : 'stop')),
      ],
      [floorsAfter(NO_FLOORS, three)],
    );
    expect(alternativeFault(next?.get('e1'), might(3, 'ada', 1))).toMatch(/nobody speaks/);
  });

  it('counts only from the speaker of the turn: an agent that takes over in the middle of a turn says all of them', () => {
    let floors = floorsBeside(floorsAfter(NO_FLOORS, branching), might(0, 'ada', 1));
    floors = floorsAfter(floors, takenOver(0, 'ada', 'cas'));
    expect(alternativeFault(floors.get('e1'), might(0, 'ada', 2))).toMatch(/role 0/);
    for (const k of [2, 1]) {
      expect(alternativeFault(floors.get('e1'), might(0, 'cas', k))).toBeUndefined();
      floors = floorsBeside(floors, might(0, 'cas', k));
    }
    expect(alternativesOf(floors.get('e1'), 'cas').map(({ text }) => text)).toEqual([
      'cas 0 or 1',
      'cas 0 or 2',
    ]);
    const back = floorsAfter(floors, takenOver(0, 'cas', 'ada'));
    expect(alternativesOf(back.get('e1'), 'ada')).toHaveLength(1);
    expect(floorsWith(floors, says(0, 'cas')).get('e1')?.alternatives).toEqual([]);
  });

  it.each([
    ['another agent', { agent: 'ben' }],
    ['another turn', { turn: 1 }],
    ['another k', { k: 2 }],
    ['another episode', { episode: 'e2' }],
  ])('must agree with its subject, and one that names %s is refused', (_, other) => {
    const subject = subjects.alternative('r', { episode: 'e1', turn: 0, k: 1, agent: 'ada' });
    const body = might(0, 'ada', 1);
    expect(parseAlternative({ subject, text: JSON.stringify(body) })).toEqual(body);
    const text = JSON.stringify({ ...body, ...other });
    expect(() => parseAlternative({ subject, text })).toThrow(/another place/);
  });
});

describe('the turns that branch', () => {
  const turns = [...Array(4000).keys()];
  const branched = (seed: number, share: number): number[] =>
    turns.filter((turn) => isBranched({ seed, branches: { share, alternatives: 3 } }, turn));

  it('are about the share that the study asks for, different for another seed, and none without branches', () => {
    expect(branched(1, 0.25).length / turns.length).toBeCloseTo(0.25, 1);
    expect(branched(1, 1)).toEqual(turns);
    expect(branched(1, 0.25)).toEqual(branched(1, 0.25));
    expect(branched(1, 0.25)).not.toEqual(branched(2, 0.25));
    expect(branched(1, 0.1).every((turn) => branched(1, 0.25).includes(turn))).toBe(true);
    expect(turns.some((turn) => isBranched({ seed: 1, branches: null }, turn))).toBe(false);
  });

  it('have a seed for each alternative, and the ordinary seed of the turn for what is said', () => {
    const plan = { seed: 7, branches: { share: 1, alternatives: 3 } };
    expect(versionsOf(plan, 5)).toEqual(
      [1, 2, 3].map((k) => ({ k, kind: 'alternative', seed: deriveSeed(7, 5, 'branch', k) })),
    );
    expect(utteranceSeed(7, 5, 0)).toBe(deriveSeed(7, 5));
    expect(versionsOf({ ...plan, branches: null }, 5)).toEqual([]);
  });

  it('have, after the other words, as many with a moved state for each layer and size, all with the seed of what is said', () => {
    const patch = { kind: 'perturbation' as const, layers: [4, 6], sizes: [0.5, 2] };
    const branches = { share: 1, alternatives: 2, patch };
    const versions = versionsOf({ seed: 7, branches }, 5);
    expect(versions.map(({ k }) => k)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(countVersions(branches)).toBe(10);
    const moved = versions.flatMap((version) => (version.kind === 'perturbation' ? [version] : []));
    expect(moved.map(({ layer, size }) => `${layer} ${size}`)).toEqual(
      ['4 0.5', '4 2', '6 0.5', '6 2'].flatMap((place) => [place, place]),
    );
    expect(new Set(moved.map(({ seed }) => seed))).toEqual(new Set([deriveSeed(7, 5)]));
    expect(new Set(moved.map(({ direction }) => direction)).size).toBe(8);
    expect(versions.slice(0, 2)).toEqual(versionsOf({ seed: 7, branches: { share: 1, alternatives: 2 } }, 5));
  });

  it('have no moved state in the first episode of a scenario, whose states are kept', () => {
    const branches = {
      share: 1,
      alternatives: 2,
      patch: { kind: 'perturbation' as const, layers: [4], sizes: [1] },
    };
    const study = { branches, episodes: 3 };
    expect([0, 1, 2].map((round) => isBasis(study, round))).toEqual([true, false, false]);
    expect(countVersions(branchesOfRound(study, 0, []))).toBe(2);
    expect(branchesOfRound(study, 1, [])).toEqual(branches);
    expect(isBasis({ episodes: 3, branches: { share: 1, alternatives: 2 } }, 0)).toBe(false);
  });
});

it('alternativeSchema keeps words and finish, numbered from 1', () => {
  const body = { ...says(2, 'ada'), k: 1 };
  expect(alternativeSchema.parse(body)).toMatchObject({ k: 1, text: 'ada 2', finish: 'stop' });
  expect(alternativeSchema.safeParse({ ...body, k: 0 }).success).toBe(false);
});

describe('the subject of a stored message', () => {
  const alternative = { episode: 'e1', turn: 3, k: 2, agent: 'ben' };
  it.each([
    [
      subjects.utterance('r', { episode: 'e1', turn: 3, agent: 'ben' }),
      { is: 'utterance', episode: 'e1', turn: 3, agent: 'ben' },
    ],
    [subjects.alternative('r', alternative), { is: 'alternative', ...alternative }],
    [subjects.episodeEvent('r', 'e1', 'episode-taken-over.e1.0.ben'), { is: 'event' }],
    [subjects.event('r', 'run-failed.2'), { is: 'event' }],
    [subjects.spec('r', 'utterance', 'ben'), { is: 'spec' }],
    ['entrain.v2.r.else.e1', { is: 'unknown' }],
  ])('says what the message is: %s', (subject, kind) => {
    expect(storedKind(subject)).toEqual(kind);
  });

  it('names the speaker of a token, for watchers and for listeners', () => {
    const place = { episode: 'e1', agent: 'ben' };
    expect(tokenPlace(subjects.token('r', 'e1', 'ben'))).toEqual(place);
    expect(tokenPlace(subjects.heardToken('r', 'ada', place))).toEqual(place);
  });

  it.each([
    ['another agent', says(0, 'ben')],
    ['another turn', says(1, 'ada')],
    ['another episode', { ...says(0, 'ada'), episode: 'e2' }],
    ['the stream of another agent', { ...says(0, 'ada'), stream: 'ben' }],
  ])('must agree with an utterance, and one that names %s is refused', (_, body) => {
    const subject = subjects.utterance('r', { episode: 'e1', turn: 0, agent: 'ada' });
    expect(parseUtterance({ subject, text: JSON.stringify(says(0, 'ada')) })).toEqual(says(0, 'ada'));
    expect(() => parseUtterance({ subject, text: JSON.stringify(body) })).toThrow(/another place/);
  });
});
