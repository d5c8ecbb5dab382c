/** Adds a turn to a dialogue: the same for heard, spoken and recalled words. */
import type { Turn } from '../text/template-roles.ts';
import type { Engine } from './engine.ts';

/** No model fits more words into its context; longer ones, of whoever says them, are not looked at. */
const MOST_CHARACTERS_PER_TOKEN = 64;

/**
 * The turn as prompts hold it. It depends only on the text, so an episode that is taken over has the states of one
 * that continues.
 */
export function turnOf({ parts }: Pick<Engine, 'parts'>, who: 'self' | 'peer', text: string): Turn {
  const said = text.trim();
  const held = parts.escape(said.slice(0, MOST_CHARACTERS_PER_TOKEN * parts.info.contextTokens));
  return held === said ? { who, text: said } : { who, text: held, said };
}

export function addTurn(engine: Engine, who: 'self' | 'peer', text: string): void {
  engine.turns.push(turnOf(engine, who, text));
}
