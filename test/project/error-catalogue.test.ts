/** The catalogue of errors and docs/errors.md agree, and every code is in use. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/protocol/errors.ts';

const page = readFileSync('docs/errors.md', 'utf8');

describe('docs/errors.md', () => {
  it('lists every code with its meaning, and no other', () => {
    expect(readPage(page)).toEqual(ERROR_CODES);
  });

  it('says for every code what to do', () => {
    const sections = page.split(/^### /m).slice(1);
    expect(sections.filter((section) => !section.includes('\nWhat to do: '))).toEqual([]);
  });

  it('would fail this test with a code that is missing or means something else', () => {
    expect(readPage(page.replace('### USAGE', '### USAGES'))).not.toEqual(ERROR_CODES);
    expect(readPage(page.replace('is taken.', 'is free.'))).not.toEqual(ERROR_CODES);
  });
});

describe('the catalogue of errors', () => {
  it('has no code that is never raised', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && path !== 'protocol/errors.ts')
      .map((path) => readFileSync(`src/${path}`, 'utf8'))
      .join('\n');
    expect(Object.keys(ERROR_CODES).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
  });
});

/** The codes of the page, each with the first sentence under it. */
function readPage(text: string): Record<string, string> {
  const entries = [...text.matchAll(/^### ([A-Z_]+)\n\n(.+)$/gm)];
  return Object.fromEntries(entries.map(([, code = '', meaning = '']) => [code, meaning]));
}
