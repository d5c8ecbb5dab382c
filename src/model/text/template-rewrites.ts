/**
 * Checks that a chat template leaves utterances unchanged. A template that shortens them is refused; one that changes
 * them is reported.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { type RoleRules, toMessages, type Turn } from './template-roles.ts';
import type { Fill } from './template-source.ts';

/** Typical utterances: capitals, digits, quotation marks, line breaks, brackets, and more than one sentence. */
const SAYINGS = [
  'Well, "three" of them (or 4?) for Zoë: it\'s 10% off! And then?',
  'First line.\nSecond line;  two blanks, a tab\tand a {brace} & <angle>.',
  `${'It goes on and on, as talk does. '.repeat(30)}The end.`,
];

/**
 * @returns what changes, as a sentence; undefined if nothing does
 * @throws EntrainError `MODEL_UNSUPPORTED` if words are left out
 */
export function rewritesWords(fill: Fill, rules: RoleRules): string | undefined {
  const changed = new Set<string>();
  for (const saying of SAYINGS) {
    for (const who of ['peer', 'self'] as const) {
      const turns: Turn[] = [
        { who, text: saying },
        { who: who === 'self' ? 'peer' : 'self', text: 'qother' },
        { who: 'peer', text: 'qlast' },
      ];
      const text = fill(toMessages(turns, { system: '', rules, generate: true }), true);
      if (text.includes(saying)) continue;
      if (!lettersOf(text).includes(lettersOf(saying))) throw cutsWords(who);
      changed.add(who === 'peer' ? 'heard' : 'spoken');
    }
  }
  if (changed.size === 0) return undefined;
  return `The chat template changes words that were ${[...changed].join(' and ')}: what prompts hold is not what was said.`;
}

const lettersOf = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

function cutsWords(who: 'peer' | 'self'): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The model's chat template leaves out part of what was ${who === 'peer' ? 'heard' : 'spoken'}, expected all of it in the prompt; mend chat_template in tokenizer_config.json.`,
  );
}
