/** Which turns of others an agent hears. */
import type { AgentSpec, Hears } from '../nats-messages.ts';
import { deriveSeed } from '../seed.ts';
import type { Condition } from '../study.ts';

/** Whether this agent hears a turn of another agent; with a dose, a draw that depends only on seed and turn. */
export function hearsTurn(spec: Pick<AgentSpec, 'hears' | 'seed'>, turn: number): boolean {
  if (spec.hears === 'all') return true;
  if (spec.hears === 'none' || 'script' in spec.hears) return false;
  return deriveSeed(spec.seed, turn, 'dose') / 2 ** 32 < spec.hears.dose;
}

/** What a speaker hears of the others in a condition; undefined where it reads a script in their place. */
export function heardIn(condition: Condition): Hears | undefined {
  switch (condition) {
    case 'live':
    case 'reader':
    case 'paper-reader':
      return 'all';
    case 'monologue':
      return 'none';
    case 'shared-input':
    case 'random':
      return undefined;
    default:
      return { dose: Number(condition.slice('dose:'.length)) };
  }
}
