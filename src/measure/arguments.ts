/** Flags of `entrain measure`, and their parsing. */
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';

export const usage = (): string => `entrain measure MEASURE --a A.npy --b B.npy [options]
entrain measure MEASURE --run NAME [--runs DIR]
entrain measure MEASURE --dyads DIR [options]
entrain measure --list

Arrays are [n, layers, dims] or [n, dims], rows aligned: for sync-r2 one row per turn pair (A's state, B's next state), otherwise one per step.
With --dyads each dyad of a folder, NAME-a.npy with NAME-b.npy, is held beside pseudo-dyads: members of different dyads.

  --episode, --scenario, --turn FILE   labels of the rows [n]: whole numbers; episodes and scenarios may be texts
  --setting FILE                       labels of scenarios alone, if --scenario names personas too: a second unit of paper mode
  --text FILE                          features of what A had read, [n, m]: strict mode gives an estimate beyond them beside its score
  --words FILE                         features of what B had read, with A's reply, [n, m]: another estimate, beyond these as well
  --mode paper|strict                  strict unless --splits is given
  --splits FILE.json                   {"alpha": 0.1, "test_episodes": [[…], …]}: the paper's mode on these splits
  --alpha NUMBER                       ridge penalty of the paper's mode (0.1)
  --memory-gb N                        paper mode reads arrays that would take more layer by layer (half of the machine's memory)
  --permutations N                     of strict mode (999; with --run as published); other measures have a null of N surrogates when asked for one
  --minimum-turns N                    turn pairs of a finished episode: shorter ones are left out in strict mode (2; with --run those of the study's minTurns)
  --surrogate shift|phase              B shifted circularly, or with random phases (shift; phase for measures that give a matrix)
  --minimum-samples, --minimum-episodes, --minimum-scenarios N   below them strict mode gives no number (120, 18, 6)
  --seed N                             of splits, permutations and folds (1; with --run the one that each group was published with)
  --lag N                              of sync-r2: B's state N turns after A's: 1, 3, 5, …; arrays need --turn. With --dyads: the second member N rows later (0)
  --layer N                            only this layer, of both sides (0 is the first in a file; with --run the number that the recording gives it)
  --components K --max-lag N --order N --band LOW,HIGH           of single measures; the band in cycles per step
  --json                               one JSON object on standard output
  --progress                           says on standard error how far it is, also where that is no terminal`;

const OPTIONS = {
  a: { type: 'string' },
  b: { type: 'string' },
  episode: { type: 'string' },
  scenario: { type: 'string' },
  turn: { type: 'string' },
  text: { type: 'string' },
  words: { type: 'string' },
  run: { type: 'string' },
  dyads: { type: 'string' },
  runs: { type: 'string' },
  splits: { type: 'string' },
  lag: { type: 'string' },
  'memory-gb': { type: 'string' },
  setting: { type: 'string' },
  mode: { type: 'string' },
  alpha: { type: 'string' },
  permutations: { type: 'string' },
  'minimum-turns': { type: 'string' },
  surrogate: { type: 'string' },
  'minimum-samples': { type: 'string' },
  'minimum-episodes': { type: 'string' },
  'minimum-scenarios': { type: 'string' },
  seed: { type: 'string' },
  layer: { type: 'string' },
  components: { type: 'string' },
  'max-lag': { type: 'string' },
  order: { type: 'string' },
  band: { type: 'string' },
  json: { type: 'boolean' },
  progress: { type: 'boolean' },
  list: { type: 'boolean' },
} as const;

export type MeasureFlags = ReturnType<typeof parseMeasureArguments>['flags'];

export function parseMeasureArguments(argv: string[]) {
  try {
    const { values, positionals } = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
    return { flags: values, names: positionals };
  } catch (cause) {
    const what = cause instanceof Error ? cause.message.split('. ')[0] : String(cause);
    throw new EntrainError('USAGE', `${what}; entrain measure --help lists the options`, { cause });
  }
}

/** A whole number of at least `least`, or the fallback if the flag is absent. */
export function wholeNumber(
  flag: string,
  text: string | undefined,
  bounds: { least: number; fallback: number },
): number {
  if (text === undefined) return bounds.fallback;
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value) && value >= bounds.least) return value;
  const range = `${bounds.least} or more, up to ${Number.MAX_SAFE_INTEGER}`;
  throw new EntrainError('USAGE', `--${flag} is ${text}; expected a whole number, ${range}`);
}
