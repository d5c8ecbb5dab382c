import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alternativeSchema, type RunEvent, type Utterance } from '../../../src/protocol/control.ts';
import { storedKind, subjects, tokenPlace } from '../../../src/protocol/subjects.ts';
import {
  alternativeFault,
  floorsAfter,
  floorsWith,
  NO_FLOORS,
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

describe('the turn of an episode', () => {
  it('is the first in stream order whose publisher had the role', () => {
    expect(turnsOf([started, says(0, 'ben'), says(0, 'ada'), says(0, 'ada'), says(1, 'ben')])).toEqual([
      'ada 0',
      'ben 1',
    ]);
  });

  it('is no reader’s, no stranger’s, and nobody’s before the episode or after its end', () => {
    const all = [says(0, 'ada'), started, says(0, 'rea'), says(0, 'eve'), finished, says(0, 'ada')];
    expect(turnsOf(all)).toEqual([]);
  });

  it('is the stand-in’s from the takeover on, and the lost agent’s before it', () => {
    const lost = [started, says(0, 'ada'), takenOver(0, 'ada', 'cas')];
    expect(turnsOf([...lost, says(1, 'ben'), says(2, 'ada'), says(2, 'cas')])).toEqual([
      'ada 0',
      'ben 1',
      'cas 2',
    ]);
    expect(turnsOf([started, takenOver(0, 'ben', 'cas'), says(0, 'cas'), says(0, 'ada')])).toEqual(['ada 0']);
  });

  it('comes after the turn before it, ends with the last one, and with one who leaves', () => {
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

describe('an alternative', () => {
  it('belongs to the turn at hand and to the agent that has its role', () => {
    const floor = floorsWith(floorsAfter(NO_FLOORS, started), says(0, 'ada')).get('e1');
    expect(alternativeFault(floor, { turn: 0, agent: 'ada' })).toBeUndefined();
    expect(alternativeFault(floor, { turn: 1, agent: 'ben' })).toBeUndefined();
    expect(alternativeFault(floor, { turn: 1, agent: 'ada' })).toMatch(/role 1/);
    expect(alternativeFault(floor, { turn: 2, agent: 'ada' })).toMatch(/not at hand/);
    expect(alternativeFault(undefined, { turn: 0, agent: 'ada' })).toMatch(/not running/);
  });
});

it('holds of an alternative what it says and how it ended, numbered from 1', () => {
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
  ])('%s says what it is', (subject, kind) => {
    expect(storedKind(subject)).toEqual(kind);
  });

  it('names who speaks a token, to watchers and to listeners', () => {
    const place = { episode: 'e1', agent: 'ben' };
    expect(tokenPlace(subjects.token('r', 'e1', 'ben'))).toEqual(place);
    expect(tokenPlace(subjects.heardToken('r', 'ada', place))).toEqual(place);
  });

  it.each([
    ['another agent', says(0, 'ben')],
    ['another turn', says(1, 'ada')],
    ['another episode', { ...says(0, 'ada'), episode: 'e2' }],
    ['the stream of another agent', { ...says(0, 'ada'), stream: 'ben' }],
  ])('is held against an utterance that names %s', (_, body) => {
    const subject = subjects.utterance('r', { episode: 'e1', turn: 0, agent: 'ada' });
    expect(parseUtterance({ subject, text: JSON.stringify(says(0, 'ada')) })).toEqual(says(0, 'ada'));
    expect(() => parseUtterance({ subject, text: JSON.stringify(body) })).toThrow(/another place/);
  });
});
