/** Renders a dialogue with the model's chat template and finds each utterance in the result. */
import { locateWords, markWords } from './locate-words.ts';
import { type RoleRules, findRoleRules, toMessages, type Turn } from './template-roles.ts';
import { findMarks, type TemplateMarks } from './template-marks.ts';
import { createFill, type Fill, type Message, parseTemplate, readTemplate } from './template-source.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { findReasoning, type Reasoning } from './reasoning.ts';
import type { Tokenizer } from './tokenizer.ts';
import { rewritesWords } from './template-rewrites.ts';

export interface Rendered {
  text: string;
  /**
   * Character range of each turn's words in the text, by index of the turn; absent for an unheard turn and for one
   * that is not found.
   */
  ranges: Map<number, [start: number, end: number]>;
}

export interface ChatTemplate {
  render(system: string, turns: readonly Turn[], generate: boolean): Rendered;
  /** The same template with another date, milliseconds since 1970. */
  at(ms: number): ChatTemplate;
  /** Strings that end a reply, if no token does. */
  stops: string[];
  marks: TemplateMarks;
  reasoning: Reasoning;
  /** What the owner of the model should know, one sentence each. */
  notices: string[];
  /** What the template allows, for `models inspect`. */
  takesSystem: boolean;
  alternates: boolean;
  source: 'model' | 'plain';
}

/** Template for models that were not trained on a chat format. */
const PLAIN =
  "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}\n\n" +
  "{% elif m.role == 'user' %}Them: {{ m.content }}\n{% else %}You: {{ m.content }}\n{% endif %}{% endfor %}" +
  '{% if add_generation_prompt %}You:{% endif %}';

/** The default date: 1 January 2025. */
export const DEFAULT_INSTANT_MS = Date.UTC(2025, 0, 1);

/**
 * @throws EntrainError `MODEL_UNSUPPORTED` if the template cannot be read, or cannot render every prompt of an
 * episode
 */
export async function loadChatTemplate(folder: string, tokenizer: Tokenizer): Promise<ChatTemplate> {
  const source = await readTemplate(folder);
  const template = parseTemplate(source ?? PLAIN);
  const fillAt = (ms: number): Fill => createFill(template, tokenizer.specials, ms);
  const fill = fillAt(DEFAULT_INSTANT_MS);
  const rules = findRoleRules(fill);
  const marks = findMarks(
    (turns) => fill(toMessages(turns, { system: SYSTEM, rules, generate: true }), true),
    { controls: tokenizer.controls, system: SYSTEM },
  );
  const reasoning = findReasoning(source ?? '', tokenizer);
  const rewritten = rewritesWords(fill, rules);
  const about = {
    stops: source === undefined ? ['\n'] : marks.stops,
    marks,
    reasoning,
    notices: rewritten === undefined ? [] : [rewritten],
    takesSystem: rules.takesSystem,
    alternates: rules.order === 'alternating',
    source: source === undefined ? ('plain' as const) : ('model' as const),
  };
  const at = (ms: number): ChatTemplate => ({ ...about, at, render: createRender(fillAt(ms), rules) });
  return at(DEFAULT_INSTANT_MS);
}

const SYSTEM = 'qsystem';

function createRender(fill: Fill, rules: RoleRules): ChatTemplate['render'] {
  return (system, given, generate) => {
    const request = { system: withoutPrivate(system), rules, generate };
    const turns = given.map((turn) => ({ ...turn, text: withoutPrivate(turn.text) }));
    const text = tryFill(fill, toMessages(turns, request), generate);
    const marked = tryFill(fill, toMessages(markWords(turns), request), generate);
    return { text, ranges: locateWords(text, marked, turns) };
  };
}

/** Text without private-use characters, which are used as marks around words. */
const withoutPrivate = (text: string): string => text.replaceAll(/\p{Co}/gu, '');

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
