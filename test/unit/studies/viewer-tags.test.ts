/** Which parts of a tagged text who may read. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readableText } from '../../../src/studies/sotopia/viewer-tags.ts';

describe('viewer tags', () => {
  const text =
    'A. <p viewer="environment">B.</p> <p viewer=\'agent_1\'>C. <hint>D.</hint></p> <extra_info>E.</extra_info>';

  it.each([
    ['both', 'A. E.'],
    [0, 'A. E.'],
    [1, 'A. C. D. E.'],
  ] as const)('show %s what is for it', (reader, shown) => expect(readableText(text, reader)).toBe(shown));

  it('hide what stands within a hidden part, and all behind a tag that is never closed', () => {
    expect(readableText('<p viewer="agent_1">A <p viewer="all">B</p></p> C', 0)).toBe('C');
    expect(readableText('A <p viewer="environment">B <extra_info>C</extra_info>', 0)).toBe('A');
    expect(readableText('A</p> B', 0)).toBe('A B');
  });

  it('leave signs of less and more alone', () => {
    expect(readableText('costs < 900 and > 100, a <3 b', 0)).toBe('costs < 900 and > 100, a <3 b');
  });

  it('keep every word outside of tags, and none of another viewer', () => {
    const part = fc.record({
      viewer: fc.constantFrom('all', 'environment', 'agent_0', 'agent_1', ''),
      word: fc.stringMatching(/^[a-z]{3,8}$/),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const tagged = parts
          .map(({ viewer, word }, at) =>
            viewer === '' ? `${word}${at}` : `<p viewer="${viewer}">${word}${at}</p>`,
          )
          .join(' ');
        const shown = parts.flatMap(({ viewer, word }, at) =>
          ['', 'all', 'agent_0'].includes(viewer) ? [`${word}${at}`] : [],
        );
        expect(readableText(tagged, 0)).toBe(shown.join(' '));
      }),
    );
  });
});
