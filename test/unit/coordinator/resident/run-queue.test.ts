/** Which runs begin: fair between submitters, no run starved, and the reason why each other one waits. */
import { array, assert, constantFrom, integer, property, record, uniqueArray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideQueue,
  restingState,
  type AgentNow,
  type QueueInput,
  type QueuedRun,
} from '../../../../src/coordinator/resident/run-queue.ts';
import type { RunRows } from '../../../../src/coordinator/resident/service-rows.ts';

const free: AgentNow = { model: 'm', run: undefined, isOpen: true };
const run = (name: string, of: Partial<QueuedRun> = {}): QueuedRun => ({
  run: name,
  submitter: 'alice',
  priority: 0,
  place: Number(name.slice(1)),
  agents: ['ada', 'ben'],
  models: {},
  ...of,
});
const decide = (queued: QueuedRun[], of: Partial<QueueInput> = {}) =>
  decideQueue({
    queued,
    agents: new Map(['a', 'b', 'c', 'd'].map((id) => [id, free])),
    load: new Map(),
    servedAt: new Map(),
    ...of,
  });

describe('decideQueue', () => {
  it('begins runs of one submitter by priority, then by time', () => {
    const pair = { agents: ['a', 'b'] };
    const { begin } = decide([run('r1', pair), run('r2', pair), run('r3', { ...pair, priority: 1 })]);
    expect(begin).toEqual(['r3']);
  });

  it('serves the submitter whose runs have the fewest agents, then the one served longest ago', () => {
    const queued = [run('r1', { agents: ['a'] }), run('r2', { agents: ['a'], submitter: 'bob' })];
    expect(decide(queued, { load: new Map([['alice', 2]]) }).begin).toEqual(['r2']);
    expect(
      decide(queued, {
        servedAt: new Map([
          ['alice', 20],
          ['bob', 10],
        ]),
      }).begin,
    ).toEqual(['r2']);
    expect(decide(queued).begin).toEqual(['r1']);
  });

  it('keeps the agents of a run that waits for a busy one, and none for one that waits for an absent one', () => {
    const agents = new Map([
      ['a', { ...free, run: 'r0' }],
      ['b', free],
      ['c', free],
    ]);
    const large = run('r1', { agents: ['a', 'b'] });
    const small = run('r2', { agents: ['b'] });
    const starving = decide([large, small], { agents });
    expect(starving.begin).toEqual([]);
    expect(Object.fromEntries(starving.waiting)).toEqual({
      r1: 'waits for a, which r0 has',
      r2: 'waits for b, which r1 has before it',
    });
    const absent = decide([run('r1', { agents: ['z', 'b'] }), small], { agents });
    expect(absent.begin).toEqual(['r2']);
    expect(absent.waiting.get('r1')).toBe('waits for z to join');
  });

  it('waits for an agent with the model that the study names, and for one that is drained', () => {
    const models = { a: 'models/other' };
    expect(decide([run('r1', { agents: ['a'], models })]).waiting.get('r1')).toBe(
      'waits for a with the model other; it has m',
    );
    const agents = new Map([['a', { ...free, isOpen: false }]]);
    expect(decide([run('r1', { agents: ['a'] })], { agents }).waiting.get('r1')).toBe('waits for a to join');
  });

  it('gives no agent to two runs, and leaves no run idle whose agents nobody else keeps', () => {
    const runs = array(
      record({
        submitter: constantFrom('alice', 'bob', 'carol'),
        priority: integer({ min: -2, max: 2 }),
        agents: uniqueArray(constantFrom('a', 'b', 'c', 'd', 'z'), { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 8 },
    );
    assert(
      property(runs, (drawn) => {
        const queued = drawn.map((of, at) => run(`r${at + 1}`, of));
        const { begin, waiting } = decide(queued);
        const byName = new Map(queued.map((one) => [one.run, one]));
        const given = begin.flatMap((name) => [...(byName.get(name)?.agents ?? [])]);
        expect(new Set(given).size).toBe(given.length);
        expect([...begin, ...waiting.keys()].toSorted()).toEqual(queued.map((one) => one.run).toSorted());
        for (const [name] of waiting)
          expect(
            byName
              .get(name)
              ?.agents.some(
                (agent) =>
                  agent === 'z' ||
                  given.includes(agent) ||
                  [...waiting.values()].some((why) => why.includes(`waits for ${agent}`)),
              ),
          ).toBe(true);
      }),
    );
  });
});

describe('restingState', () => {
  const row = <T>(revision: number, value: T) => ({ revision, value });
  const rows = (of: object): RunRows => ({ submission: row(1, {}), ...of }) as unknown as RunRows;

  it('follows the latest wish, and a failure only until the next one', () => {
    const failed = row(5, { state: 'failed' });
    expect(restingState(rows({}))).toBe('queued');
    expect(restingState(rows({ wish: row(3, { want: 'stop' }) }))).toBe('stopped');
    expect(restingState(rows({ outcome: failed, wish: row(3, { want: 'run' }) }))).toBe('failed');
    expect(restingState(rows({ outcome: failed, wish: row(6, { want: 'run' }) }))).toBe('queued');
    expect(
      restingState(rows({ outcome: row(5, { state: 'finished' }), wish: row(6, { want: 'run' }) })),
    ).toBe('finished');
  });
});
