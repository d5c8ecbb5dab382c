/**
 * Turns token ids into the text that they add. A token may hold part of a character, so text appears when its
 * characters are whole. An utterance never begins with white space.
 */

export interface TextStream {
  /** The text that this token adds, and its byte range in the utterance's UTF-8. */
  push(id: number): Piece;
  /** Ends the text; an incomplete character is given as it is. */
  end(): Piece;
  /** The whole text so far. */
  text(): string;
}

export interface Piece {
  text: string;
  byte0: number;
  byte1: number;
}

const REPLACEMENT = '\u{FFFD}';
/** A character has at most four bytes and a token at least one, so after this many tokens nothing is incomplete. */
const OPEN_TOKENS = 3;
/** Number of tokens without a whole character after which the first ones are given up as broken. */
const MOST_FRESH = 8;
const encoder = new TextEncoder();

type Decode = (ids: readonly number[]) => string;

/**
 * Decodes only a window of tokens each time: from the last place where the text was whole, with the part before it as
 * context, since the first token of a text may be decoded differently. The window is bounded, so the time is linear
 * in the tokens.
 */
export function createTextStream(decode: Decode): TextStream {
  let context: readonly number[] = [];
  let fresh: number[] = [];
  let text = '';
  let bytes = 0;
  const add = (piece: string): Piece => {
    const added = text === '' ? piece.trimStart() : piece;
    text += added;
    const byte0 = bytes;
    bytes += encoder.encode(added).length;
    return { text: added, byte0, byte1: bytes };
  };
  const take = (count: number): string => {
    const piece = decode([...context, ...fresh.slice(0, count)]).slice(decode(context).length);
    // Tokens without text, such as control tokens, are no context.
    if (piece !== '') context = fresh.slice(0, count);
    fresh = fresh.slice(count);
    return piece;
  };
  return {
    push: (id) => {
      fresh.push(id);
      return add(take(wholeTokens(context, fresh, decode)));
    },
    end: () => add(take(fresh.length)),
    text: () => text,
  };
}

/** How many of the new tokens, from the first on, hold only whole characters. */
function wholeTokens(context: readonly number[], fresh: readonly number[], decode: Decode): number {
  const whole = decode([...context, ...fresh]);
  if (!whole.endsWith(REPLACEMENT)) return fresh.length;
  if (fresh.length < MOST_FRESH) return 0;
  // Broken bytes: a place is whole if the text before it stays the same whatever follows.
  for (let count = fresh.length - OPEN_TOKENS; count > 0; count--)
    if (whole.startsWith(decode([...context, ...fresh.slice(0, count)]))) return count;
  return fresh.length;
}

/** Byte ranges of the tokens of an utterance, or of its first tokens if it `goes on`. */
export function byteRanges(
  ids: readonly number[],
  decode: Decode,
  end: 'finished' | 'goes on',
): [start: number, end: number][] {
  const stream = createTextStream(decode);
  const ranges = ids.map((id): [number, number] => {
    const { byte0, byte1 } = stream.push(id);
    return [byte0, byte1];
  });
  const last = ranges.at(-1);
  if (end === 'finished' && last) last[1] = stream.end().byte1;
  return ranges;
}
