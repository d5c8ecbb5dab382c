/**
 * Finds out which roles a chat template takes, and in which order. What it does not allow (a system role, two turns of
 * one role in a row, a dialogue without a user's turn) is found once, by trying every kind of prompt of an episode, and
 * worked around in the messages.
 */
import { EntrainError } from '../../protocol/errors.ts';
import type { Fill, Message } from './template-source.ts';

/** `self`: own words. `peer`: heard words. `unheard`: a peer's turn that this agent did not hear. */
export interface Turn {
  who: 'self' | 'peer' | 'unheard';
  /** As prompts hold it. */
  text: string;
  /** As it was said, if prompts hold it differently. */
  said?: string | undefined;
}

export interface RoleRules {
  /** Whether there is a system role; otherwise the system prompt is put before the first user's message. */
  takesSystem: boolean;
  /** `user first`: a dialogue begins with a user's turn. `alternating`: also, no role has two turns in a row. */
  order: 'any' | 'user first' | 'alternating';
}

/** Placeholder for an unheard turn, if a template needs one. */
const UNHEARD = '…';

const ORDERS: readonly RoleRules['order'][] = ['any', 'user first', 'alternating'];

/** Opening, alternation, monologue, and dialogues of groups of three. */
const DIALOGUES: readonly Turn['who'][][] = [
  [],
  ['peer'],
  ['self', 'peer'],
  ['peer', 'self', 'peer'],
  ['self', 'unheard', 'self', 'unheard'],
  ['unheard', 'self', 'unheard'],
  ['peer', 'peer', 'self', 'peer', 'peer'],
];
const NAMES = ['qalpha', 'qbeta', 'qgamma', 'qdelta', 'qepsilon'];
const SYSTEM = 'qsystem';

/** @throws EntrainError `MODEL_UNSUPPORTED` if no way works for all prompts that a model will get */
export function findRoleRules(fill: Fill): RoleRules {
  let reason: string | undefined;
  for (const takesSystem of [true, false]) {
    for (const order of ORDERS) {
      const rules = { takesSystem, order };
      const fault = faultOf(fill, rules);
      if (fault === undefined) return rules;
      reason = fault;
    }
  }
  throw new EntrainError(
    'MODEL_UNSUPPORTED',
    `The model's chat template cannot hold a dialogue: ${reason}; use a model with a template for chats.`,
  );
}

/** @returns why some prompt cannot be rendered; undefined if all can */
function faultOf(fill: Fill, rules: RoleRules): string | undefined {
  for (const who of DIALOGUES) {
    const turns = who.map((one, i): Turn => ({ who: one, text: one === 'unheard' ? '' : (NAMES[i] ?? '') }));
    for (const system of [SYSTEM, '']) {
      try {
        const text = fill(toMessages(turns, { system, rules, generate: true }), true);
        const lost = [system, ...turns.map((turn) => turn.text)].find(
          (words) => !text.toLowerCase().includes(words),
        );
        if (lost !== undefined) return `it leaves out ${lost === SYSTEM ? 'the system prompt' : 'a turn'}`;
      } catch (cause) {
        return (cause as Error).message;
      }
    }
  }
  return undefined;
}

export interface Request {
  system: string;
  rules: RoleRules;
  generate: boolean;
}

export function toMessages(turns: readonly Turn[], { system, rules, generate }: Request): Message[] {
  const messages: Message[] = [];
  for (const turn of turns) {
    if (turn.who === 'unheard') continue;
    const role = turn.who === 'self' ? 'assistant' : 'user';
    fillGap(messages, role, rules);
    messages.push({ role, content: turn.text });
  }
  if (generate) fillGap(messages, 'assistant', rules);
  return withSystem(messages, system, rules);
}

/** Puts an unheard turn between two of the same role, and before an opening reply, if the template needs one. */
function fillGap(messages: Message[], next: Message['role'], { order }: RoleRules): void {
  const last = messages.at(-1)?.role;
  const opens = last === undefined && next === 'assistant' && order !== 'any';
  if (opens || (last === next && order === 'alternating'))
    messages.push({ role: next === 'user' ? 'assistant' : 'user', content: UNHEARD });
}

function withSystem(messages: Message[], system: string, { takesSystem }: RoleRules): Message[] {
  if (system === '') return messages;
  if (takesSystem) return [{ role: 'system', content: system }, ...messages];
  const [first, ...rest] = messages;
  if (first?.role !== 'user') return [{ role: 'user', content: system }, ...messages];
  return [{ role: 'user', content: `${system}\n\n${first.content}` }, ...rest];
}
