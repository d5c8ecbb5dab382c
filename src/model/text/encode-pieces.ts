/**
 * Tokenises a growing dialogue without repeating it all: special tokens, and mostly blanks too, cut a text into
 * independent pieces, and the tokens of known pieces are kept. Tokenizers for which that does not hold are used
 * directly.
 */

export type Encode = (text: string) => readonly number[];

/** A part of a text and its tokens, which do not depend on the surrounding text. */
export interface Piece {
  text: string;
  ids: readonly number[];
}

/** The pieces of a text, in order and without gaps. */
export type EncodePieces = (text: string) => readonly Piece[];

export interface SpecialToken {
  content: string;
  lstrip: boolean;
  rstrip: boolean;
  single_word: boolean;
}

export interface Pieces {
  specials: readonly SpecialToken[];
  /** Whether words are tokenised separately: no token has a blank after a letter, or words are split before. */
  wordsApart: boolean;
}

const REMEMBERED = 8192;
/** A blank between two words belongs to the second one. */
const BETWEEN_WORDS = String.raw`(?<=\S)(?= \S)`;

export function encodeByPieces(encode: Encode, { specials, wordsApart }: Pieces): EncodePieces {
  const remembered = remember(encode);
  const asOne: EncodePieces = (text) => [remembered(text)];
  if (specials.some(({ lstrip, rstrip, single_word: word }) => lstrip || rstrip || word)) return asOne;
  const contents = specials.map(({ content }) => content).filter((content) => content !== '');
  const ahead = contents
    .toSorted((a, b) => b.length - a.length)
    .map((content) => `(?=${escapePattern(content)})`);
  const tries = [wordsApart ? [BETWEEN_WORDS, ...ahead] : undefined, ahead.length > 0 ? ahead : undefined];
  for (const cuts of tries) {
    if (!cuts) continue;
    const pattern = new RegExp(cuts.join('|'), 'u');
    const byPieces: EncodePieces = (text) => text.split(pattern).map(remembered);
    if (probes(contents).every((text) => same(idsOf(byPieces(text)), encode(text)))) return byPieces;
  }
  return asOne;
}

export function idsOf(pieces: readonly Piece[]): number[] {
  return pieces.flatMap(({ ids }) => ids);
}

function remember(encode: Encode): (text: string) => Piece {
  const known = new Map<string, Piece>();
  return (text) => {
    const piece = known.get(text) ?? { text, ids: encode(text) };
    // Inserted last, so that the first entry of the map is the least recently used one.
    known.delete(text);
    known.set(text, piece);
    if (known.size > REMEMBERED) known.delete(known.keys().next().value ?? '');
    return piece;
  };
}

function escapePattern(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}/-]/g, String.raw`\$&`);
}

const FILLERS = [
  'word two',
  ' word ',
  '\nword\n\n',
  '',
  '  two words, and 3 more',
  'Don\'t! 12345 times, they\'re 10% off; naïve 我不会 🙂 e.g. (this) or "that".',
  'a  b\t c \n d - e',
];

/** Every special token before and after words, blanks and line breaks. */
function probes(contents: readonly string[]): string[] {
  const some = ['', ...contents.slice(0, 64)];
  return FILLERS.map((_, shift) =>
    some.map((content, i) => content + (FILLERS[(i + shift) % FILLERS.length] ?? '')).join(''),
  );
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, i) => id === b[i]);
}
