/** Tokens that requests to a judge may still cost. The most that a request can cost is reserved before it is sent. */
export interface TokenBudget {
  /** Reserves tokens; false, without a reservation, if fewer are left. */
  reserve(tokens: number): boolean;
  /** Releases a reservation and counts the actual cost. */
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

/** Upper and lower estimates of the tokens of a text; English has about one token for four bytes. */
export const mostTokens = (bytes: number): number => Math.ceil(bytes / 2);
export const leastTokens = (bytes: number): number => Math.ceil(bytes / 8);
