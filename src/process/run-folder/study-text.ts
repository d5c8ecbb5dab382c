/** The text of a study file to a value: JSON, or YAML where the name of the file ends in .yaml or .yml. */
import { parseJsonText } from '../json-text.ts';
import { parseYamlText } from '../yaml-text.ts';

/** @returns the value, or a sentence's end that says where and why there is none */
export function parseStudyText(file: string, text: string): { value: unknown } | { fault: string } {
  const parsed = /\.ya?ml$/i.test(file) ? parseYamlText(text) : parseJsonText(text);
  return 'fault' in parsed ? parsed : { value: withoutSchema(parsed.value) };
}

/** `$schema` is for editors, and says nothing of the study. */
function withoutSchema(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { $schema: _, ...rest } = value as Record<string, unknown>;
  return rest;
}
