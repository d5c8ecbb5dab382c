import { describe, expect, it } from 'vitest';
import { countText, sameText, wordingsOf } from '../../../../../src/viewer/page/state/wordings.ts';

const rowsOf = (said: string, others: string[], moved?: Record<string, number>) =>
  wordingsOf(
    { text: said, alternatives: others.map((text, at) => ({ k: at + 1, text })) },
    moved ? [{ moved }] : [],
  );
const shown = (rows: ReturnType<typeof rowsOf>): string[] =>
  rows.map((row) => `${row.text}|${sameText(row)}`);

describe('wordings of a turn with alternatives', () => {
  it('merge alternatives that are equal word for word, and say how many there are', () => {
    const rows = rowsOf('Hi.', ['Hello!', 'Hello! ', 'No.', 'Hello!']);
    expect(shown(rows)).toEqual(['Hi.|said', 'Hello!|3 × the same words', 'No.|']);
    expect(countText(rows)).toBe('4 alternatives in 2 wordings');
  });

  it('merge alternatives with what was said', () => {
    const rows = rowsOf('Hi.', ['Hi.', 'No.', 'Hi.']);
    expect(shown(rows)).toEqual(['Hi.|said, and 2 × the same words', 'No.|']);
    expect(countText(rows)).toBe('3 alternatives in 2 wordings');
    expect(countText(rowsOf('Hi.', ['Hi.', 'Hi.']))).toBe('2 alternatives in the same words');
  });

  it('stay apart where they differ, or where a figure or a moved state does', () => {
    expect(countText(rowsOf('a', ['b', 'c', 'd']))).toBe('3 alternatives');
    expect(countText(rowsOf('a', ['b']))).toBe('1 alternative');
    expect(shown(rowsOf('a', ['b', 'b', 'b'], { 0: 0.1, 1: 0.5, 2: 0.504, 3: 0.7 }))).toEqual([
      'a|said',
      'b|2 × the same words',
      'b|',
    ]);
    const moved = { layer: 2, by: 'by 1 SD' };
    const alternatives = [
      { k: 1, text: 'b' },
      { k: 2, text: 'b', moved },
    ];
    expect(wordingsOf({ text: 'a', alternatives }, [])).toHaveLength(3);
  });
});
