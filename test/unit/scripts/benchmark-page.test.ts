import { describe, expect, it } from 'vitest';
import {
  describeMachine,
  readRows,
  readSections,
  renderPage,
  renderSection,
} from '../../../scripts/lib/benchmark-page.js';

const result = {
  table: [
    ['what', 'ms'],
    ['fast', '1.0'],
  ],
  notes: ['A note.'],
};
const section = renderSection('Speed', result, { machine: 'a machine', day: '2026-01-02' });

describe('the page of benchmarks', () => {
  it('has a table, notes, and what it was taken on', () => {
    expect(section).toBe(
      '## Speed\n\n| what | ms |\n| --- | --: |\n| fast | 1.0 |\n\n- A note.\n\nOn a machine; 2026-01-02.\n',
    );
  });

  it('keeps the sections that are not written anew', () => {
    const page = renderPage(
      new Map([
        ['b', section],
        ['a', section],
      ]),
    );
    const read = readSections(page);
    expect([...read.keys()]).toEqual(['a', 'b']);
    expect(renderPage(read)).toBe(page);
    expect(readSections('').size).toBe(0);
  });

  it('keeps the rows of a table that are not taken anew', () => {
    expect([...readRows(section)]).toEqual([['fast', ['fast', '1.0']]]);
    expect(readRows('').size).toBe(0);
  });

  it('names no machine', () => {
    expect(describeMachine()).toMatch(/^\d+ × .+ GiB, \w+ \w+, Node \d+/);
  });
});
