/** Help pages are broken at words, in the width of the terminal. */
import { describe, expect, it } from 'vitest';
import { helpWidth, wrapHelp } from '../../../src/cli/wrap-help.ts';

describe('wrapHelp', () => {
  it('goes on under the text of a flag, under a paragraph, and four columns in after a call', () => {
    const page = [
      'entrain export RUN --format npy|csv [--out DIR]',
      '  Writes the tables of a run, and says where.',
      '',
      '  --out DIR  a folder that is made if there is none',
    ];
    expect(wrapHelp(page.join('\n'), 40).split('\n')).toEqual([
      'entrain export RUN --format npy|csv',
      '    [--out DIR]',
      '  Writes the tables of a run, and says',
      '  where.',
      '',
      '  --out DIR  a folder that is made if',
      '             there is none',
    ]);
  });

  it('makes one paragraph of lines that were broken beyond the width, and of no others', () => {
    const page = [
      '  a paragraph whose author broke it in the middle of',
      '  a sentence',
      '  entries that end so are ones of their own, as here;',
      '  another one',
    ];
    expect(wrapHelp(page.join('\n'), 40).split('\n')).toEqual([
      '  a paragraph whose author broke it in',
      '  the middle of a sentence',
      '  entries that end so are ones of their',
      '  own, as here;',
      '  another one',
    ]);
  });

  it('takes the width of the terminal within bounds, and 80 columns where there is none', () => {
    expect([undefined, 20, 72, 160].map(helpWidth)).toEqual([80, 40, 72, 100]);
  });
});
