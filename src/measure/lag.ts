/** `--lag N`: B's state N turns after A's in place of its next one. */
import { EntrainError } from '../protocol/errors.ts';
import { lagPairs } from '../synchrony/syncr2/nulls.ts';
import type { TurnPairs } from '../synchrony/types.ts';
import { wholeNumber, type MeasureFlags } from './arguments.ts';

/**
 * @param agents number of speakers who alternate: B speaks at every so-many-th turn
 * @returns the pairs, and by how many of B's turns they lie later
 * @throws EntrainError `USAGE` for a lag at which B never speaks
 */
export function atLag(
  pairs: TurnPairs,
  flags: Pick<MeasureFlags, 'lag'>,
  agents = 2,
): { pairs: TurnPairs; later: number } {
  const lag = wholeNumber('lag', flags.lag, { least: 1, fallback: 1 });
  if (lag === 1) return { pairs, later: 0 };
  if ((lag - 1) % agents !== 0)
    throw new EntrainError(
      'USAGE',
      `--lag is ${lag}; expected 1, ${agents + 1}, ${2 * agents + 1}, …: with ${agents} speakers B has a state at no other turn`,
    );
  const later = lagPairs(pairs, lag);
  if (later.n > 0) return { pairs: later, later: (lag - 1) / agents };
  throw new EntrainError(
    'MEASURE_INPUT',
    `no turn of A has a turn of B ${lag} turns later; expected longer episodes, or turn numbers that count all turns`,
  );
}
