/**
 * Encodings, held against the ids that the reference implementation (tokenizers 0.23.2 for Python) gives of the same
 * file.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { loadTokenizer, type Tokenizer } from '../../../../src/model/text/tokenizer.ts';
import { byteLevelTokenizer } from '../../../fixtures/onnx/tokenizers.ts';

const folders: string[] = [];
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true }))));

/** GPT-2's kind, which has learned three joins of a blank with a byte. */
async function gpt2Kind(
  splits: 'alone' | 'in a sequence',
): Promise<{ tokenizer: Tokenizer; idOf(token: string): number }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-tokenizer-'));
  folders.push(folder);
  const { tokenizer } = byteLevelTokenizer(0) as { tokenizer: ReturnType<typeof parts> };
  const { model, pre_tokenizer: splitter } = tokenizer;
  for (const byte of ['ï', 'Â', 'Ġ']) {
    model.merges.push(['Ġ', byte]);
    model.vocab[`Ġ${byte}`] = Object.keys(model.vocab).length;
  }
  const sequence = { type: 'Sequence', pretokenizers: [splitter] };
  const file = { ...tokenizer, pre_tokenizer: splits === 'alone' ? splitter : sequence };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(file));
  return { tokenizer: await loadTokenizer(folder), idOf: (token) => model.vocab[token] as number };
}

/** What this test changes of a tokenizer's file. */
declare function parts(): {
  model: { vocab: Record<string, number>; merges: [string, string][] };
  pre_tokenizer: object;
};

it.each(['alone', 'in a sequence'] as const)(
  'the tokenizer splits at the same white space as the reference, also beyond ASCII, with its pattern %s',
  async (splits) => {
    const { tokenizer, idOf } = await gpt2Kind(splits);
    const ids = (text: string): number[] => [...tokenizer.encode(text)];
    const of = (...tokens: string[]): number[] => tokens.map(idOf);
    // U+FEFF is no white space: the blank before it is its own.
    expect(ids('a \ufeffb')).toEqual(of('a', 'Ġï', '»', '¿', 'b'));
    // U+0085 is: the blank before it stands alone.
    expect(ids('a \u0085b')).toEqual(of('a', 'Ġ', 'Â', 'ħ', 'b'));
    expect(ids('a\u0085 b')).toEqual(of('a', 'Â', 'ħ', 'Ġ', 'b'));
    expect(ids('a \u001fb')).toEqual(of('a', 'Ġ', 'ğ', 'b'));
    expect(ids('a   b')).toEqual(of('a', 'ĠĠ', 'Ġ', 'b'));
    expect(tokenizer.decode(ids('a \ufeff\u0085 b'))).toBe('a \ufeff\u0085 b');
  },
);
