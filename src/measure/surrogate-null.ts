/** Computes a measure with its null, if one is asked for. The original streams are measured once for both. */
import { surrogateNull, type SurrogateInput, type SurrogateOptions } from '../synchrony/stats/surrogates.ts';
import { surrogateOf } from '../analyzer/steps/step-measures.ts';
import { measureAnswer, surrogateAnswer, type Json } from './answers.ts';

export interface AskedNull extends Omit<SurrogateOptions, 'kind'> {
  /** By default the kind that suits the measure. */
  kind?: SurrogateOptions['kind'];
}

export async function measureBesideNull(input: SurrogateInput, asked: AskedNull | undefined): Promise<Json> {
  if (!asked) return measureAnswer(await measured(input));
  const { kind = surrogateOf(input.measure) } = asked;
  const found = await surrogateNull(input, { ...asked, kind });
  const answer = 'reason' in found ? await measured(input) : found.answer;
  if ('reason' in answer) return measureAnswer(answer);
  return { ...measureAnswer(answer), surrogate: kind, ...surrogateAnswer(found, asked.count) };
}

const measured = ({ a, b, measure, options }: SurrogateInput) => measure.compute(a, b, options);
