/** Adds a turn to a dialogue: the same for heard, spoken and recalled words. */
import type { Turn } from '../text/template-roles.ts';
import type { Engine } from './engine.ts';

/**
 * The turn as prompts hold it. It depends only on the text, so an episode that is taken over has the states of one
 * that continues.
 */
export function turnOf({ parts }: Pick<Engine, 'parts'>, who: 'self' | 'peer', text: string): Turn {
  const said = text.trim();
  const held = parts.escape(said);
  return held === said ? { who, text: said } : { who, text: held, said };
}

export function addTurn(engine: Engine, who: 'self' | 'peer', text: string): void {
  engine.turns.push(turnOf(engine, who, text));
}
