/** `entrain measure sync-r2` on arrays: paper or strict score, with nulls. */
import { EntrainError } from '../protocol/errors.ts';
import { pseudoPairs, shuffledPairs } from '../synchrony/syncr2/nulls.ts';
import { beyondText, strictScore } from '../synchrony/strict/strict-score.ts';
import type { TurnPairs } from '../synchrony/types.ts';
import { estimateAnswer, strictAnswer, type Json } from './answers.ts';
import { wholeNumber } from './arguments.ts';
import { modeOf, seedOf, type Measured, type MeasureJob } from './job.ts';
import { measurePaper } from './paper.ts';

const NULL_PERMUTATIONS = 199;

export async function measureSyncR2(pairs: TurnPairs, job: MeasureJob): Promise<Measured> {
  const { flags } = job;
  const mode = modeOf(flags);
  if (mode === 'paper') return measurePaper(pairs, job);
  if (mode === 'strict' && flags.splits !== undefined)
    throw new EntrainError('USAGE', '--splits goes with paper mode; leave it out, or --mode strict');
  if (mode === 'strict') return measureStrict(pairs, job);
  throw new EntrainError('USAGE', `--mode is ${mode}; expected paper or strict`);
}

async function measureStrict(pairs: TurnPairs, job: MeasureJob): Promise<Measured> {
  const { flags, fallbacks, algebra, layers, say } = job;
  const seed = seedOf(job);
  const options = {
    algebra,
    seed,
    permutations: wholeNumber('permutations', flags.permutations, {
      least: 1,
      fallback: fallbacks.permutations,
    }),
    shortest: wholeNumber('minimum-turns', flags['minimum-turns'], {
      least: 0,
      fallback: fallbacks.shortest,
    }),
    minimums: {
      samples: wholeNumber('minimum-samples', flags['minimum-samples'], { least: 1, fallback: 120 }),
      episodes: wholeNumber('minimum-episodes', flags['minimum-episodes'], { least: 1, fallback: 18 }),
      scenarios: wholeNumber('minimum-scenarios', flags['minimum-scenarios'], { least: 1, fallback: 6 }),
    },
  };
  say('beyond scenario, turn and episode');
  const score = await strictScore(pairs, options);
  const answer: Json = { mode: 'strict', seed, ...strictAnswer(score, layers) };
  for (const beyond of ['text', 'words'] as const) {
    if ((beyond === 'text' ? pairs.history : pairs.reply).cols === 0) continue;
    say(`beyond ${beyond}`);
    answer[`beyond_${beyond}`] = estimateAnswer(await beyondText(pairs, { ...options, beyond }), layers);
  }
  const fewer = { ...options, permutations: Math.min(options.permutations, NULL_PERMUTATIONS) };
  say('shuffled null');
  const shuffled = brief(await strictScore(shuffledPairs(pairs, seed), fewer));
  say('pseudo null');
  const pseudo = brief(await strictScore(pseudoPairs(pairs, seed), fewer));
  answer['nulls'] = { shuffled, pseudo };
  return { mode: 'strict', answer, score };
}

/** The figures of a null: score, evidence or reason, without layers. */
function brief(score: Awaited<ReturnType<typeof strictScore>>): Json {
  if ('reason' in score) return { score: null, reason: score.reason };
  return { score: score.score, excess: score.excess, p_value: score.pValue, n: score.n };
}
