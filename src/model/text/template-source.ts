/** Finds a model's chat template and renders it as the reference implementation does, except for the clock. */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { exists, readJsonIfThere } from '../folder/model-folder.ts';
import { setPythonFunctions, withPythonRules } from './python-rules.ts';
import { strftime } from './strftime.ts';

export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Renders a prompt. Throws what the template raises. */
export type Fill = (messages: readonly Message[], generate: boolean) => string;

/** @returns undefined if the model has none */
export async function readTemplate(folder: string): Promise<string | undefined> {
  const file = join(folder, 'chat_template.jinja');
  if (await exists(file)) return readFile(file, 'utf8');
  const settings = await readJsonIfThere(join(folder, 'tokenizer_config.json'));
  return (
    chosen(settings['chat_template']) ??
    chosen((await readJsonIfThere(join(folder, 'chat_template.json')))['chat_template'])
  );
}

function chosen(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name: string; template: string }[];
  return (named.find(({ name }) => name === 'default') ?? named[0])?.template;
}

export type ParsedTemplate = ReturnType<typeof parse>;

/** @throws EntrainError `MODEL_UNSUPPORTED` */
export function parseTemplate(source: string): ParsedTemplate {
  try {
    // Jinja converts every kind of line break to a newline first.
    const tokens = tokenize(source.replaceAll(/\r\n?/g, '\n'), { lstrip_blocks: true, trim_blocks: true });
    return withPythonRules(parse(tokens));
  } catch (cause) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The model's chat template cannot be read: ${(cause as Error).message}; mend chat_template in tokenizer_config.json.`,
      { cause },
    );
  }
}

/** @param atMs the date for the template, the same for a whole run, so that prompts do not depend on the clock */
export function createFill(
  template: ParsedTemplate,
  specials: Readonly<Record<string, string>>,
  atMs: number,
): Fill {
  return (messages, generate) => {
    const environment = new Environment();
    const variables = {
      ...GLOBALS,
      strftime_now: (format: string) => strftime(atMs, format),
      bos_token: '',
      eos_token: '',
      ...specials,
      messages,
      tools: null,
      documents: null,
      add_generation_prompt: generate,
      enable_thinking: false,
    };
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    setPythonFunctions(environment);
    return String(new Interpreter(environment).run(template).value);
  };
}

/**
 * Functions that every template may use. The library's `Template` would add a clock in the machine's time zone and
 * language.
 */
const GLOBALS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  raise_exception: (reason: string): never => {
    throw new Error(reason);
  },
};

/** As in Python: from the first to before the last number, or from 0. */
function range(first: number, last?: number, step = 1): number[] {
  if (step === 0) throw new Error('range() takes no step of 0');
  const [from, to] = last === undefined ? [0, first] : [first, last];
  const length = Math.max(0, Math.ceil((to - from) / step));
  return Array.from({ length }, (_, i) => from + i * step);
}
