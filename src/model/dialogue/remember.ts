/** How words come into a dialogue's memory: the same for those heard, those spoken and those recalled. */
import type { Turn } from '../text/template-address.ts';
import type { Engine } from './engine.ts';

/**
 * The turn as prompts hold it. A function of the text alone, so that an episode that is taken over has the states of
 * one that was
 * continued.
 */
export function turnOf({ parts }: Pick<Engine, 'parts'>, who: 'self' | 'peer', text: string): Turn {
  const said = text.trim();
  const held = parts.shield(said);
  return held === said ? { who, text: said } : { who, text: held, said };
}

export function remember(engine: Engine, who: 'self' | 'peer', text: string): void {
  engine.turns.push(turnOf(engine, who, text));
}
