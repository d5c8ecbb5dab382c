import { describe, expect, it } from 'vitest';
import { studySchema } from '../../../../src/protocol/study.ts';
import {
  emptyView,
  progress,
  viewEvent,
  viewToken,
  viewUtterance,
} from '../../../../src/cli/terminal/view-state.ts';

const person = { persona: '', goal: '', secret: '' };
const study = studySchema.parse({
  name: 't',
  pairs: [['a', 'b']],
  scenarios: [{ id: 'x', text: 'x', people: [person, person] }],
  maxTurns: 4,
});

describe('view state', () => {
  it('joins tokens into the current utterance and counts turns towards the progress', () => {
    let state = viewEvent(emptyView('r'), { type: 'run-started', run: 'r', study, episodes: 2, atMs: 0 });
    state = viewEvent(state, {
      type: 'episode-started',
      episode: 'e',
      scenario: 'x',
      condition: 'live',
      order: ['a', 'b'],
      seed: 1,
      atMs: 0,
    });
    const token = { episode: 'e', turn: 0, agent: 'a', byte0: 0, byte1: 0 };
    state = viewToken(viewToken(state, { ...token, step: 0, text: 'Hel' }), {
      ...token,
      step: 1,
      text: 'lo',
    });
    expect(state.speaking.get('e')?.text).toBe('Hello');
    state = viewUtterance(state, {
      episode: 'e',
      turn: 0,
      agent: 'a',
      text: 'Hello',
      finish: 'stop',
      tokens: 2,
      droppedTurns: 0,
      stream: 'a',
      epoch: 1,
      lastSeq: 1,
    });
    expect(state.speaking.size).toBe(0);
    expect(progress(state)).toBeCloseTo(1 / 8);
    state = viewEvent(state, { type: 'episode-finished', episode: 'e', turns: 4, finish: 'turns', atMs: 0 });
    expect(progress(state)).toBe(0.5);
  });
});
