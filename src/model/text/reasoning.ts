/** How a model marks its reasoning before it speaks, and whether a prompt begins with reasoning. */
import type { Tokenizer } from './tokenizer.ts';

export interface Reasoning {
  /** Pairs of marks that begin and end reasoning. */
  pairs: readonly ThoughtMarks[];
  /** Whether the model or its template knows of reasoning, so that a reply may hold some. */
  expected: boolean;
}

export interface ThoughtMarks {
  open: string;
  close: string;
}

const KNOWN: readonly ThoughtMarks[] = [
  { open: '<think>', close: '</think>' },
  { open: '<thinking>', close: '</thinking>' },
  { open: '<thought>', close: '</thought>' },
  { open: '<thoughts>', close: '</thoughts>' },
  { open: '<reasoning>', close: '</reasoning>' },
  { open: '<seed:think>', close: '</seed:think>' },
  { open: '[THINK]', close: '[/THINK]' },
  { open: '<|START_THINKING|>', close: '<|END_THINKING|>' },
  { open: '<|begin_of_thought|>', close: '<|end_of_thought|>' },
  { open: '<|thinking_start|>', close: '<|thinking_end|>' },
  { open: '◁think▷', close: '◁/think▷' },
];

const THOUGHT = /think|thought|reason/i;

/** @param source of the chat template */
export function findReasoning(source: string, { controls }: Pick<Tokenizer, 'controls'>): Reasoning {
  const pairs = [...KNOWN];
  for (const open of [...controls.keys(), ...bracketed(source)]) {
    const close = closeOf(open);
    if (!THOUGHT.test(open) || close === undefined || pairs.some((pair) => pair.open === open)) continue;
    if (controls.has(close) || source.includes(close)) pairs.push({ open, close });
  }
  return { pairs, expected: pairs.some(({ close }) => source.includes(close)) };
}

const bracketed = (source: string): string[] => source.match(/<[^<>/\s]+>|\[[A-Z_]+\]/g) ?? [];

function closeOf(open: string): string | undefined {
  const bracket = /^([<[◁])([^/|].*)$/u.exec(open);
  if (bracket) return `${bracket[1]}/${bracket[2]}`;
  for (const [begin, end] of [
    ['start', 'end'],
    ['begin', 'end'],
    ['START', 'END'],
    ['BEGIN', 'END'],
  ] as const)
    if (open.includes(begin)) return open.replace(begin, end);
  return undefined;
}

/**
 * What a reply begins as.
 * @param tail of the prompt, behind the last words: `thinking` where it opens a thought, `speaking` where it closes
 * one; `unknown` where the
 *   model knows of thoughts and nothing tells
 */
export function beginningOf(
  { pairs, expected }: Reasoning,
  tail: string,
): { kind: 'thinking' | 'speaking' | 'unknown'; close: string } {
  let last = { at: -1, kind: 'unknown' as 'thinking' | 'speaking' | 'unknown', close: '' };
  for (const { open, close } of pairs) {
    for (const [mark, kind] of [
      [open, 'thinking'],
      [close, 'speaking'],
    ] as const) {
      const at = tail.lastIndexOf(mark);
      if (at > last.at) last = { at, kind, close };
    }
  }
  if (last.at < 0 && !expected) return { kind: 'speaking', close: '' };
  return { kind: last.kind, close: last.close };
}
