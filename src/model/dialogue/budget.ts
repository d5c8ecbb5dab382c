/**
 * How long a reply may grow. `maxTokens` counts speech; what is thought before has a bound of its own, behind which the
 * end of the thought is
 * written for the model, so that one that thinks for long comes to speak at all.
 */
import type { Engine } from './engine.ts';

export interface Budget {
  /** Whether one more token may come behind so many. */
  hasRoom(tokens: number): boolean;
  /** A token that has to come now, whatever the model would choose. */
  forced(): number | undefined;
  /** One token was written; whether it was thought, and whether what follows is. */
  spend(was: boolean, is: boolean): void;
}

const MOST_THOUGHTS = 1024;

/** @param reply `closing` gives the tokens that end the thought in hand */
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
