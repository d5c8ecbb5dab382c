/** YAML to a value, or a sentence's end that says where and why there is none. */
import { parseDocument } from 'yaml';

/** Names with `&` and `*` may stand for a text that is used often; more uses than this are an attack. */
const MOST_ALIASES = 1000;

export function parseYamlText(text: string): { value: unknown } | { fault: string } {
  const document = parseDocument(text, { uniqueKeys: true, merge: false });
  const [error] = document.errors;
  if (error) {
    const [place] = error.linePos ?? [];
    const where = place ? ` at line ${place.line}, column ${place.col}` : '';
    return { fault: `is not YAML${where}: ${firstSentence(error.message)}` };
  }
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown };
  } catch (error) {
    return { fault: `is not YAML that can be read: ${firstSentence((error as Error).message)}` };
  }
}

const firstSentence = (message: string): string =>
  (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '').replace(/\.$/, '');
