import { describe, expect, it } from 'vitest';
import { foundRow, offRow, readChaos, renderChaos } from '../../../scripts/lib/chaos-page.js';

const row = { scenario: 'link-cut', size: '2 of 20 cuts', figures: '2 × 30 s', lost: 0, doubled: 0 };
const good = { ...row, failures: [] };
const bad = { ...row, size: '1 of 20 cuts', failures: ['noticed only after 30 s', 'a | b', 'more'] };
const when = { seed: 7, day: '2026-01-01' };

describe('the page of chaos', () => {
  it('keeps what was seen without the mechanism when a scenario is played again, and the other way round', () => {
    const off = offRow(undefined, bad, { what: 'a silent line is given up', day: '2026-01-01' });
    const both = foundRow(off, good, when);
    expect(both.slice(0, -1)).toEqual([
      'link-cut',
      '2 of 20 cuts',
      '2 × 30 s',
      '0',
      '0',
      'yes',
      '7',
      '2026-01-01',
    ]);
    expect(both.at(-1)).toContain('Then (1, 2026-01-01): noticed only after 30 s; a   b');
    expect(offRow(both, bad, { what: 'a silent line is given up', day: '2026-01-01' })).toEqual(both);
  });

  it('reads what it wrote', () => {
    const rows = new Map([['link-cut', foundRow(undefined, good, when)]]);
    expect(readChaos(renderChaos(rows, 'a machine'))).toEqual(rows);
    expect(readChaos('')).toEqual(new Map());
  });

  it('says when nothing broke without the mechanism, and what broke with it', () => {
    expect(offRow(undefined, good, { what: 'x', day: 'd' }).at(-1)).toContain('nothing was broken');
    expect(foundRow(undefined, bad, when)[5]).toBe('no: noticed only after 30 s');
  });
});
