import { expect, it } from 'vitest';
import { planEpisodes } from '../../../src/coordinator/plan.ts';
import { initialState, reduceEvent, reduceUtterance } from '../../../src/coordinator/state/run-state.ts';
import { createStallSearch } from '../../../src/coordinator/stalls.ts';
import { studySchema } from '../../../src/protocol/study.ts';

const person = { persona: '', goal: '', secret: '' };
const scenarios = [{ id: 'x', text: 'x', people: [person, person] }];
const study = studySchema.parse({ name: 't', pairs: [['ada', 'tom']], scenarios });
const plan = planEpisodes(study);
const begun = reduceEvent(initialState(plan, study.maxTurns), {
  type: 'episode-started',
  episode: 'e0001',
  scenario: 'x',
  condition: 'live',
  order: ['ada', 'tom'],
  seed: 1,
  atMs: 0,
});
const spoken = reduceUtterance(begun, {
  episode: 'e0001',
  turn: 0,
  agent: 'ada',
  text: 'x',
  finish: 'stop',
  tokens: 1,
  droppedTurns: 0,
  stream: 'ada',
  epoch: 1,
  lastSeq: 0,
});

it('createStallSearch says once a minute where no turn comes, and whose turn it is', () => {
  const search = createStallSearch();
  expect(search(begun, 0)).toEqual([]);
  expect(search(begun, 59_000)).toEqual([]);
  expect(search(begun, 60_000)).toEqual([{ episode: 'e0001', quietSeconds: 60, waitingFor: 'ada' }]);
  expect(search(begun, 61_000)).toEqual([]);
  expect(search(begun, 120_000)).toEqual([{ episode: 'e0001', quietSeconds: 120, waitingFor: 'ada' }]);
  expect(search(spoken, 121_000)).toEqual([]);
  expect(search(spoken, 180_000)).toEqual([]);
  expect(search(spoken, 181_000)).toEqual([{ episode: 'e0001', quietSeconds: 60, waitingFor: 'tom' }]);
});
