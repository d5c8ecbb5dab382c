import { expect, it } from 'vitest';
import { wrapText, wrapWords } from '../../../../src/cli/terminal/wrap-words.ts';

it('wrapWords breaks a text between words and indents the lines after the first', () => {
  expect(wrapWords('  ada      I would rather not say it again', { width: 24, indent: 11 })).toEqual([
    '  ada      I would',
    '           rather not',
    '           say it again',
  ]);
  expect(wrapWords('short', { width: 24, indent: 11 })).toEqual(['short']);
  expect(wrapWords('', { width: 24, indent: 0 })).toEqual(['']);
});

it('wrapWords cuts a word only if it is wider than a line', () => {
  expect(wrapWords(`a ${'x'.repeat(25)} b`, { width: 10, indent: 2 })).toEqual([
    'a',
    '  xxxxxxxx',
    '  xxxxxxxx',
    '  xxxxxxxxx b'.replace('xxxxxxxxx b', 'xxxxxxxxx'.slice(0, 8)),
    '  x b',
  ]);
});

it('wrapWords counts columns, not code units', () => {
  expect(wrapWords('日本語 日本語', { width: 8, indent: 0 })).toEqual(['日本語', '日本語']);
  expect(wrapWords('é😀 é😀', { width: 7, indent: 0 })).toEqual(['é😀 é😀']);
  expect(wrapWords('👩‍👩‍👧 ab', { width: 5, indent: 0 })).toEqual(['👩‍👩‍👧 ab']);
});

it('wrapWords loses no word and no letter', () => {
  const text = '  ben      Well, Üñïcödé and a-very-long-word-without-any-space-in-it, then the rest.';
  for (let width = 20; width < 90; width += 7) {
    const lines = wrapWords(text, { width, indent: 11 });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(lines.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
  }
});

it('wrapText puts what is broken off below what it belongs to', () => {
  const text = 'note         one two three four\n  deep in one\nwhole';
  expect(wrapText(text, 24).split('\n')).toEqual([
    'note         one two',
    '            three four',
    '  deep in one',
    'whole',
  ]);
  expect(wrapText(text, Infinity)).toBe(text);
});
