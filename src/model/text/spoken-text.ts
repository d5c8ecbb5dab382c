/**
 * Turns token ids into the text they add, as they come. A token may hold part of a character, so text appears only when
 * its characters are whole; an utterance never begins with white space.
 */

export interface TextStream {
  /** The text that this token adds, and its byte range in the utterance's UTF-8. */
  push(id: number): Piece;
  /** The same for the last token of a text that is finished: what looked like half a character is all there will be. */
  finish(id: number): Piece;
  /** The whole so far. */
  text(): string;
}

export interface Piece {
  text: string;
  byte0: number;
  byte1: number;
}

const REPLACEMENT = '\u{FFFD}';
const encoder = new TextEncoder();

/**
 * Only a window of tokens is decoded each time: from the last place where the text was whole, with the stretch before it
 * as context, for the first token of a text may be decoded otherwise than one within it.
 */
export function createTextStream(decode: (ids: readonly number[]) => string): TextStream {
  let context: number[] = [];
  let fresh: number[] = [];
  let text = '';
  let bytes = 0;
  const add = (id: number, isLast: boolean): Piece => {
    fresh.push(id);
    const before = decode(context);
    const whole = decode([...context, ...fresh]);
    const done = (isLast || !whole.endsWith(REPLACEMENT)) && whole.length > before.length;
    const piece = done ? whole.slice(before.length) : '';
    const added = text === '' ? piece.trimStart() : piece;
    if (done) [context, fresh] = [fresh, []];
    text += added;
    const byte0 = bytes;
    bytes += encoder.encode(added).length;
    return { text: added, byte0, byte1: bytes };
  };
  return { push: (id) => add(id, false), finish: (id) => add(id, true), text: () => text };
}

/** Byte ranges of the tokens of an utterance, or of its first tokens where it `goes on`. */
export function byteRanges(
  ids: readonly number[],
  decode: (ids: readonly number[]) => string,
  end: 'finished' | 'goes on',
): [start: number, end: number][] {
  const stream = createTextStream(decode);
  return ids.map((id, i) => {
    const isLast = end === 'finished' && i === ids.length - 1;
    const { byte0, byte1 } = isLast ? stream.finish(id) : stream.push(id);
    return [byte0, byte1];
  });
}
