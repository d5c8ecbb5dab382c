/** Functions of the status page, run as in a browser on an empty document. */
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { PAGE_SCRIPT } from '../../../../../src/analyzer/output/page/script.ts';

const page = createContext({
  document: { getElementById: () => ({}) },
  location: { search: '' },
  fetch: () => Promise.reject(new Error('nobody answers')),
  setTimeout: () => 0,
  AbortSignal,
});
runInContext(PAGE_SCRIPT, page);
const call = (text: string): unknown => runInContext(text, page);

it('the page writes "1 scenario" and "2 scenarios"', () => {
  expect(call(`[named(1, 'scenario'), named(2, 'scenario'), named(0, 'scenario')].join()`)).toBe(
    'scenario,scenarios,scenarios',
  );
});

it('the page says that a figure at 0 was clipped', () => {
  expect(call(`[clipped(0), clipped(0.0004), clipped(null)].join()`)).toBe('0.000 (clipped),0.000,–');
});

it('the page warns of a stream that is away, and not of one whose sender left in order', () => {
  const kindOf = (stream: object): unknown => call(`streamState(${JSON.stringify(stream)}).text`);
  expect(kindOf({ connected: true, done: false })).toBe('streaming');
  expect(kindOf({ connected: false, done: true })).toBe('done');
  expect(kindOf({ connected: false, done: false })).toBe('away');
});

it('the page says whether the table is provisional or final', () => {
  const said = (report: object): unknown =>
    call(`standing(${JSON.stringify({ groups: [1], ...report })})[0]`);
  expect(said({ pending: true, provisional: true })).toBe('provisional · scoring as it comes');
  expect(said({ pending: false, provisional: true })).toBe('provisional · the run is open');
  expect(said({ pending: false, provisional: false })).toBe('final · the run has ended');
  expect(said({ pending: false, provisional: true, groups: [] })).toBe('waiting');
});

it('the page shows the mean of both directions in each mode, or why there is none', () => {
  // Elements as nested texts, in the order in which a reader sees them.
  call(`var kept = make; make = (tag, attributes, ...children) => children.filter(Boolean).flat().join('|')`);
  const place = { modelA: 'm', modelB: 'm', roleA: 1, roleB: 2, agents: 2 };
  const strict = { score: 0.12, excess: 0.13, ciLow: 0.05, ciHigh: 0.2 };
  const paper = { score: 0.31, unclipped: 0.31, nullMean: 0, pseudoMean: null };
  const shown = (pair: object): unknown => call(`bothWays(${JSON.stringify({ ...place, ...pair })})`);
  expect(shown({ strict, paper })).toBe(
    'both directions: opener ↔ answerer|excess |0.130| 95 %: 0.050 … 0.200 · score 0.120' +
      '|paper mode, the figure of the paper |0.310| shuffled null 0.000 (clipped) · pseudo null –',
  );
  expect(shown({ strict: null, paper: { ...paper, score: 0, unclipped: -0.9843 } })).toContain(
    '|0.000 (clipped)| unclipped −0.984 · shuffled null 0.000 (clipped)',
  );
  expect(shown({ strict: null, paper: null, reason: 'few' })).toBe('both directions: opener ↔ answerer|few');
  call('make = kept');
});

it('the page shows the unclipped figure under the paper figure if the mean is below 0, and nothing otherwise', () => {
  call(`kept = make; make = (tag, attributes, ...children) => children.join('|')`);
  const shown = (paper: object | null): unknown => call(`paperMode(${JSON.stringify(paper)}).join('|')`);
  const nulls = 'shuffled null 0.000 (clipped)|pseudo null –';
  const of = (score: number, unclipped: number): unknown =>
    shown({ score, unclipped, nullMean: 0, pseudoMean: null });
  expect(of(0, -8.1715)).toBe(`0.000 (clipped)|unclipped −8.171|${nulls}`);
  expect(of(0.05, -0.3)).toBe(`0.050|unclipped −0.300|${nulls}`);
  expect(of(0.31, 0.31)).toBe(`0.310|${nulls}`);
  expect(shown(null)).toBe('–');
  call('make = kept');
});

it('the page says how each group’s talk was, and why its score does not count if the talk has a fault', () => {
  call(`kept = make; make = (tag, attributes, ...children) => children.join('|')`);
  const talk = {
    pairs: 240,
    empty: 130,
    repeated: 2,
    copied: 0,
    identical: 0,
    cut: 31,
    shortened: 40,
    drops: 8,
  };
  const shown = (of: object | null): unknown => call(`talkLines(${JSON.stringify({ talk: of })}).join('|')`);
  expect(shown({ ...talk, faults: ['empty'] })).toBe(
    [
      'does not count: half or more of the utterances are empty',
      'of 240 utterances 130 empty · 2 repeated · 0 copied from the partner · 0 the same in another episode · 31 cut at maxTokens',
      'memory shortened 8 times: 40 turn pairs without the oldest turns',
    ].join('|'),
  );
  expect(shown({ ...talk, shortened: 0, drops: 0, faults: [] })).not.toMatch(/count:|memory/);
  expect(shown(null)).toBe('');
  call('make = kept');
});

it('the page says what influence and matched SyncR² mean, and nothing if no turn has branched', () => {
  call(`var kept = make; make = (tag, attributes, ...children) => children.join('|')`);
  const lines = (branches: object | null): unknown =>
    call(`branchLines(${JSON.stringify({ branches })}).join('\\n')`);
  expect(lines(null)).toBe('');
  const interval = { ciLow: 0.2, ciHigh: 0.4 };
  expect(
    lines({
      histories: 30,
      influence: { value: 0.3, ...interval },
      matched: { score: 0.25, ...interval, pValue: 0.005, words: 0.2, bystander: null, both: 0.3 },
      sequential: { histories: 26, logE: 9, pValue: 0.0001 },
    }),
  ).toBe(
    'influence 0.300 [0.200, 0.400]: the choice of words acts on the target\n' +
      'matched 0.250 [0.200, 0.400], p 0.005: the target moves in line with the source; beside it words 0.200 · both 0.300\n' +
      'branches so far: p 0.00010 at any time, of 30 turns',
  );
  call('make = kept');
});
