/** A slow or absent agent does not stall the episodes of the others. */
import { describe, expect, it } from 'vitest';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { canGoOn, decide } from '../../../src/coordinator/state/decide.ts';
import { initialState, reduceEvent, type RunState } from '../../../src/coordinator/state/run-state.ts';
import type { RunEvent } from '../../../src/protocol/nats-messages.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const people = [{}, {}];
const study = studySchema.parse({
  name: 't',
  pairs: [
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
  ],
  scenarios: ['x', 'y'].map((id) => ({ id, text: id, people })),
  maxTurns: 3,
});
const plan = planEpisodes(study);
const run: RunEvent = { type: 'run-started', run: 'r', study, episodes: plan.length, atMs: 0 };
const started = (episode: string): RunEvent => {
  const { order = [] } = plan.find(({ id }) => id === episode) ?? {};
  return { type: 'episode-started', episode, scenario: 'x', condition: 'live', order, seed: 1, atMs: 0 };
};
const finished = (episode: string): RunEvent => ({
  type: 'episode-finished',
  episode,
  turns: 3,
  finish: 'turns',
  atMs: 0,
});
const after = (...events: RunEvent[]): RunState =>
  [run, ...events].reduce(reduceEvent, initialState(plan, 3));
const starts = (state: RunState, atOnce: (agent: string) => number): string[] =>
  decide(state, atOnce).flatMap((command) => (command.do === 'start-episode' ? [command.episode.id] : []));

const slow = (agent: string): number => (agent === 'a' ? 1 : 2);
const absent = (agent: string): number => (agent === 'a' ? 0 : 1);

describe('an agent that is slow', () => {
  it('holds up nobody: the others play what they have with one another', () => {
    // e0002, e0004 and e0005 wait for a.
    expect(starts(after(started('e0001')), slow)).toEqual(['e0003']);
    expect(starts(after(started('e0001'), started('e0003'), finished('e0003')), slow)).toEqual(['e0006']);
  });

  it('plays one episode at a time, wherever that stands in the plan', () => {
    expect(starts(after(started('e0005')), slow)).toEqual(['e0003']);
    expect(starts(after(started('e0005'), finished('e0005')), slow)).toEqual(['e0001', 'e0003']);
  });
});

describe('an agent that stays away and that nobody can stand in for', () => {
  const lost = new Set(['a']);

  it('begins nothing, while the others go on', () => {
    expect(starts(after(), absent)).toEqual(['e0003']);
    expect(canGoOn(after(), absent, lost)).toBe(true);
    expect(canGoOn(after(started('e0001'), started('e0003')), absent, lost)).toBe(true);
  });

  it('leaves nothing to do once all episodes without it are played', () => {
    const rest = ['e0003', 'e0006'].flatMap((episode) => [started(episode), finished(episode)]);
    expect(canGoOn(after(started('e0001'), ...rest), absent, lost)).toBe(false);
    expect(canGoOn(after(started('e0001'), ...rest), absent, new Set())).toBe(true);
  });
});
