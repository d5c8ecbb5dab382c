/** The text of a study file to a value: JSON, or YAML where the name of the file ends in .yaml or .yml. */
import { parseDocument } from 'yaml';
import { parseJsonText } from '../json-text.ts';

/** Names with `&` and `*` may stand for a text that is used often; more uses than this are an attack. */
const MOST_ALIASES = 1000;

/** @returns the value, or a sentence's end that says where and why there is none */
export function parseStudyText(file: string, text: string): { value: unknown } | { fault: string } {
  const parsed = /\.ya?ml$/i.test(file) ? parseYaml(text) : parseJsonText(text);
  return 'fault' in parsed ? parsed : { value: withoutSchema(parsed.value) };
}

function parseYaml(text: string): { value: unknown } | { fault: string } {
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

/** `$schema` is for editors, and says nothing of the study. */
function withoutSchema(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { $schema: _, ...rest } = value as Record<string, unknown>;
  return rest;
}
