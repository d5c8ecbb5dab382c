/** How many tokens a judge may still take. What a request may take at most is set aside before it is sent. */
export interface TokenBudget {
  /** Reserves tokens; false, without a reservation, if fewer are left. */
  reserve(tokens: number): boolean;
  /** Gives back what was set aside, and counts what was taken. */
  settle(reserved: number, taken: number): void;
  taken(): number;
}

export function createTokenBudget(most: number): TokenBudget {
  let [taken, reserved] = [0, 0];
  return {
    reserve: (tokens) => {
      if (taken + reserved + tokens > most) return false;
      reserved += tokens;
      return true;
    },
    settle: (held, used) => {
      reserved -= held;
      taken += used;
    },
    taken: () => taken,
  };
}

/** No tokenizer makes more tokens than bytes, and of English about one for four; few make less than one for eight. */
export const mostTokens = (bytes: number): number => Math.ceil(bytes / 2);
export const leastTokens = (bytes: number): number => Math.ceil(bytes / 8);
