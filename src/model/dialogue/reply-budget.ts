/**
 * Limits the length of a reply. `maxTokens` counts speech. Reasoning before it has a limit of its own; at that limit
 * the end of the reasoning is forced, so that a model that reasons for long still speaks.
 */
import type { Engine } from './engine.ts';

export interface Budget {
  /** Whether one more token may follow `tokens` of them. */
  hasRoom(tokens: number): boolean;
  /** A token that must come now, whatever the model would choose. */
  forced(): number | undefined;
  /** Counts a token: whether it was reasoning, and whether the next one is. */
  spend(was: boolean, is: boolean): void;
}

const MOST_THOUGHTS = 1024;

/** @param reply `closing` gives the tokens that end the present reasoning */
export function createBudget(
  { parts, cache }: Engine,
  { maxTokens, closing }: { maxTokens: number; closing(): readonly number[] },
): Budget {
  const room = parts.info.contextTokens - cache.length();
  let [speech, thoughts] = [0, 0];
  let due: number[] = [];
  return {
    hasRoom: (tokens) => tokens < room && speech < maxTokens,
    forced: () => due.shift(),
    spend: (was, is) => {
      if (!was && !is) speech++;
      else thoughts++;
      if (!is || due.length > 0) return;
      const end = closing();
      if (thoughts >= Math.min(MOST_THOUGHTS, room - maxTokens - end.length)) due = [...end];
    },
  };
}
