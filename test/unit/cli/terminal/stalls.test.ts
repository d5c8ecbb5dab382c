import { expect, it } from 'vitest';
import { createStallLines } from '../../../../src/cli/terminal/stalls.ts';
import { emptyView, viewEvent, viewToken, viewUtterance } from '../../../../src/cli/terminal/view-state.ts';
import type { RunEvent } from '../../../../src/protocol/nats-messages.ts';
import type { ScoreReport } from '../../../../src/protocol/reports/score-report.ts';

const utterance = (turn: number, finish: 'stop' | 'leave' = 'stop') => ({
  episode: 'e0001',
  turn,
  agent: turn % 2 === 0 ? 'ada' : 'ben',
  text: 'Hello.',
  finish,
  tokens: 2,
  droppedTurns: 0,
  stream: 'ada',
  epoch: 1,
  lastSeq: turn,
});
const token = { episode: 'e0001', turn: 1, agent: 'ben', step: 0, text: 'Hi', byte0: 0, byte1: 2 };
const started: RunEvent = {
  type: 'episode-started',
  episode: 'e0001',
  scenario: 'x',
  condition: 'live',
  order: ['ada', 'ben'],
  seed: 1,
  atMs: 0,
};
const run = { ...emptyView('r'), episodes: 2, maxTurns: 4 };
const begun = viewEvent(run, started);

it('a stall report says for whom an episode waits, where and for how long, at growing intervals, and once that it goes on', () => {
  const lines = createStallLines({ logFolder: 'runs/r/logs' });
  const after = viewUtterance(begun, utterance(0));
  expect(lines(begun, 0)).toEqual([]);
  expect(lines(after, 10_000)).toEqual([]);
  expect(lines(after, 24_900)).toEqual([]);
  expect(lines(after, 25_000)).toEqual([
    'no word for 15 s in e0001, where ben is to speak; the programs’ logs are in runs/r/logs',
  ]);
  expect(lines(after, 39_900)).toEqual([]);
  expect(lines(after, 40_000)).toEqual([expect.stringContaining('no word for 30 s in e0001, where ben')]);
  expect(lines(after, 60_000)).toEqual([]);
  expect(lines(after, 70_000)).toEqual([expect.stringContaining('no word for 1:00 in e0001')]);
  const goesOn = viewToken(after, token);
  expect(lines(goesOn, 75_000)).toEqual(['e0001 goes on after 1:05']);
  expect(lines(viewToken(goesOn, token), 76_000)).toEqual([]);
});

it('a long utterance is not reported as a stall', () => {
  const lines = createStallLines({ logFolder: 'l' });
  let state = begun;
  for (let atMs = 0; atMs < 60_000; atMs += 5000) {
    state = viewToken(state, { ...token, turn: 0, agent: 'ada' });
    expect(lines(state, atMs)).toEqual([]);
  }
});

it('a stall report names the agent that took the role over, and the coordinator when no agent is to speak', () => {
  const waited = (state: typeof begun): string | undefined => {
    const lines = createStallLines({ logFolder: 'l' });
    lines(state, 0);
    return lines(state, 15_000)[0];
  };
  const takenOver = viewEvent(begun, {
    type: 'episode-taken-over',
    episode: 'e0001',
    role: 0,
    lost: 'ada',
    agent: 'cas',
    instance: 'i',
    turn: 0,
    atMs: 0,
  });
  expect(waited(takenOver)).toContain('where cas is to speak');
  expect(waited(viewUtterance(begun, utterance(0, 'leave')))).toContain(
    'e0001, which the coordinator is to close',
  );
  expect(waited(run)).toContain('no episode has run for 15 s');
  expect(waited({ ...run, ended: { failed: false } })).toBeUndefined();
});

it('a stall report names the disk while the recording waits for it, since then no agent can speak', () => {
  const waiting = (framesDurable: number): string | undefined => {
    const lines = createStallLines({ logFolder: 'l' });
    const report = { framesAccepted: 40, framesDurable } as ScoreReport;
    const state = { ...viewUtterance(begun, utterance(0)), report };
    lines(state, 0);
    return lines(state, 15_000)[0];
  };
  expect(waiting(28)).toBe(
    'no word for 15 s in e0001, for the recording waits for its disk: 12 frames wait to be written; the programs’ logs are in l',
  );
  expect(waiting(39)).toContain('its disk: 1 frame waits to be written');
  expect(waiting(40)).toContain('where ben is to speak');
});

it('a stall report names the next speaker after one of three has left', () => {
  const lines = createStallLines({ logFolder: 'l' });
  const three = viewEvent(run, { ...started, order: ['ada', 'ben', 'cas'] });
  const after = viewUtterance(three, utterance(0, 'leave'));
  lines(after, 0);
  expect(lines(after, 15_000)[0]).toContain('where ben is to speak');
});
