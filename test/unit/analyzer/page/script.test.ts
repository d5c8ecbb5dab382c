/** The status page's own functions, run as a browser would load them, over a document that holds nothing. */
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { PAGE_SCRIPT } from '../../../../src/analyzer/page/script.ts';

const page = createContext({
  document: { getElementById: () => ({}) },
  location: { search: '' },
  fetch: () => Promise.reject(new Error('nobody answers')),
  setTimeout: () => 0,
  AbortSignal,
});
runInContext(PAGE_SCRIPT, page);
const call = (text: string): unknown => runInContext(text, page);

it('counts one scenario, and two scenarios', () => {
  expect(call(`[named(1, 'scenario'), named(2, 'scenario'), named(0, 'scenario')].join()`)).toBe(
    'scenario,scenarios,scenarios',
  );
});

it('says of a figure at the floor that it was cut off there', () => {
  expect(call(`[clipped(0), clipped(0.0004), clipped(null)].join()`)).toBe('0.000 (clipped),0.000,–');
});

it('is alarmed by a stream that is away, and not by one whose sender left in order', () => {
  const kindOf = (stream: object): unknown => call(`streamState(${JSON.stringify(stream)}).text`);
  expect(kindOf({ connected: true, done: false })).toBe('streaming');
  expect(kindOf({ connected: false, done: true })).toBe('done');
  expect(kindOf({ connected: false, done: false })).toBe('away');
});

it('says how many turn pairs the evidence rests on where the score holds newer ones', () => {
  const noteOf = (evidenceSamples: number): unknown =>
    call(`evidenceNote(${JSON.stringify({ strict: { samples: 300 }, evidenceSamples })})`);
  expect(noteOf(260)).toBe('exchanged, interval, p rest on 260 of 300 turn pairs');
  expect(noteOf(300)).toBeNull();
});
