/**
 * Reads texts whose tags say who may see a part: `<p viewer="environment">…</p>` is for observers, `viewer="agent_0"`
 * for one agent, and a tag without a viewer, such as `<extra_info>`, for every reader. Tags may be nested.
 */

/** One agent by its number from 0, or `both`: what both may see. */
export type Reader = 0 | 1 | 'both';

const TAG = /<(\/?)([a-z][\w-]*)((?:\s+[\w-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*>/gi;
const VIEWER = /\bviewer\s*=\s*(?:"([^"]*)"|'([^']*)')/i;

/**
 * The text without its tags and without what the reader may not see. A part whose tag is never closed extends to the
 * end.
 */
export function readableText(text: string, reader: Reader): string {
  const open: { name: string; hidden: boolean }[] = [];
  let out = '';
  let from = 0;
  const take = (upTo: number): void => {
    if (open.every(({ hidden }) => !hidden)) out += text.slice(from, upTo);
  };
  for (const tag of text.matchAll(TAG)) {
    const [whole, slash, name = '', attributes = ''] = tag;
    take(tag.index);
    from = tag.index + whole.length;
    if (slash === '') open.push({ name, hidden: !mayRead(attributes, reader) });
    else {
      const at = open.findLastIndex((one) => one.name === name);
      if (at >= 0) open.splice(at);
    }
  }
  take(text.length);
  return tidied(out);
}

function mayRead(attributes: string, reader: Reader): boolean {
  const found = VIEWER.exec(attributes);
  const viewer = found?.[1] ?? found?.[2];
  return viewer === undefined || viewer === 'all' || viewer === `agent_${reader}`;
}

/** Removes the white space that removed parts leave. */
function tidied(text: string): string {
  return text
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
}
