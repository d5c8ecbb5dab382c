/**
 * Renders a dialogue with the model's own chat template and finds each utterance in the result. What a template does not
 * allow (no system role, strict alternation) is found out once, by trying, and worked around in the messages.
 */
import { Template } from '@huggingface/jinja';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { exists, readJsonIfThere } from '../folder/model-folder.ts';
import type { Tokenizer } from './tokenizer.ts';

/** `self` spoke, `peer` was heard, `unheard` is a peer's turn that this agent did not hear. */
export interface Turn {
  who: 'self' | 'peer' | 'unheard';
  text: string;
}

export interface Rendered {
  text: string;
  /** Character range of each turn's words in the text, by index of the turn; absent for an unheard turn. */
  ranges: Map<number, [start: number, end: number]>;
}

export interface ChatTemplate {
  render(system: string, turns: readonly Turn[], generate: boolean): Rendered;
  /** Strings that end a reply, for models without a template of their own. */
  stops: string[];
  /** How the template must be addressed; for `models inspect`. */
  takesSystem: boolean;
  alternates: boolean;
  source: 'model' | 'plain';
}

interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

const UNHEARD = '…';
/** Private-use characters put around the words, to find them again; no template and no text has them. */
const OPEN = '\u{F0E00}';
const CLOSE = '\u{F0E01}';
const MARKS = new RegExp(`[${OPEN}${CLOSE}]`, 'gu');

/** For models that were never taught a chat format. */
const PLAIN =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n" +
  "{% elif m.role == 'user' %}Them: {{ m.content }}\n{% else %}You: {{ m.content }}\n{% endif %}{% endfor %}" +
  '{% if add_generation_prompt %}You:{% endif %}';

export async function loadChatTemplate(folder: string, tokenizer: Tokenizer): Promise<ChatTemplate> {
  const source = await readTemplate(folder);
  const template = parse(source ?? PLAIN);
  const fill = (messages: readonly Message[], generate: boolean): string =>
    template.render({
      bos_token: '',
      eos_token: '',
      ...tokenizer.specials,
      messages,
      add_generation_prompt: generate,
      enable_thinking: false,
      // Some templates write today's date into the prompt, which would make it depend on the day.
      date_string: '1 January 2025',
    });
  return createChatTemplate(fill, source === undefined);
}

type Fill = (messages: readonly Message[], generate: boolean) => string;

function createChatTemplate(fill: Fill, plain: boolean): ChatTemplate {
  const takesSystem = keepsSystem(fill);
  const alternates = demandsAlternation(fill);
  const render = (system: string, turns: readonly Turn[], generate: boolean): Rendered => {
    const marked = toMessages(turns, { system, takesSystem, alternates, generate });
    return locate(tryFill(fill, marked, generate));
  };
  const stops = plain ? ['\n'] : [];
  return { render, stops, takesSystem, alternates, source: plain ? 'plain' : 'model' };
}

async function readTemplate(folder: string): Promise<string | undefined> {
  const file = join(folder, 'chat_template.jinja');
  if (await exists(file)) return readFile(file, 'utf8');
  const settings = await readJsonIfThere(join(folder, 'tokenizer_config.json'));
  const value = settings['chat_template'];
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value as { name: string; template: string }[];
  return (named.find(({ name }) => name === 'default') ?? named[0])?.template;
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (cause) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The model's chat template cannot be read: ${(cause as Error).message}; mend chat_template in tokenizer_config.json.`,
      { cause },
    );
  }
}

function keepsSystem(fill: Fill): boolean {
  try {
    return fill([message('system', 'SYSTEM'), message('user', 'U')], true).includes('SYSTEM');
  } catch {
    return false;
  }
}

function demandsAlternation(fill: Fill): boolean {
  try {
    fill([message('user', 'U'), message('assistant', 'A'), message('assistant', 'B')], true);
    fill([message('assistant', 'A'), message('user', 'U')], true);
    return false;
  } catch {
    return true;
  }
}

function message(role: Message['role'], content: string): Message {
  return { role, content };
}

interface Address {
  system: string;
  takesSystem: boolean;
  alternates: boolean;
  generate: boolean;
}

function toMessages(turns: readonly Turn[], address: Address): Message[] {
  const messages: Message[] = [];
  for (const [index, turn] of turns.entries()) {
    if (turn.who === 'unheard') continue;
    const role = turn.who === 'self' ? 'assistant' : 'user';
    if (address.alternates) alternate(messages, role);
    messages.push(message(role, `${OPEN}${index}${OPEN}${turn.text.replaceAll(MARKS, '')}${CLOSE}`));
  }
  if (address.alternates && address.generate) alternate(messages, 'assistant');
  return withSystem(messages, address);
}

/** Puts an unheard turn between two of the same role, and in front of an opening reply. */
function alternate(messages: Message[], next: Message['role']): void {
  const last = messages.at(-1)?.role;
  if (last === next || (last === undefined && next === 'assistant')) {
    messages.push(message(next === 'user' ? 'assistant' : 'user', UNHEARD));
  }
}

function withSystem(messages: Message[], { system, takesSystem }: Address): Message[] {
  if (system === '') return messages;
  if (takesSystem) return [message('system', system), ...messages];
  const [first, ...rest] = messages;
  if (first?.role !== 'user') return [message('user', system), ...messages];
  return [message('user', `${system}\n\n${first.content}`), ...rest];
}

function tryFill(fill: Fill, messages: readonly Message[], generate: boolean): string {
  try {
    return fill(messages, generate);
  } catch (cause) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The model's chat template refuses the dialogue: ${(cause as Error).message}; use a model with a template for chats.`,
      { cause },
    );
  }
}

const MARKED = new RegExp(`${OPEN}(\\d+)${OPEN}([^${CLOSE}]*)${CLOSE}`, 'gu');

/** Takes the marks out again and notes where they stood. */
function locate(marked: string): Rendered {
  const ranges: Rendered['ranges'] = new Map();
  let text = '';
  let from = 0;
  for (const match of marked.matchAll(MARKED)) {
    text += marked.slice(from, match.index);
    const words = match[2] ?? '';
    ranges.set(Number(match[1]), [text.length, text.length + words.length]);
    text += words;
    from = match.index + match[0].length;
  }
  return { text: text + marked.slice(from), ranges };
}
