/**
 * Which measures are taken of aligned steps: names as in `entrain measure --list`, an oscillatory one with its pass band in cycles per step
 * behind a colon: `cka,isc,plv:0.05-0.25`.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { MEASURES } from '../../synchrony/measures/index.ts';
import type { Measure, MeasureOptions } from '../../synchrony/measures/measure.ts';
import type { SurrogateOptions } from '../../synchrony/surrogates.ts';

export const STEP_MEASURES = 'cka,cka-unbiased,rsa,svcca,isc,xcorr';

export interface StepMeasure {
  /** As it was asked for: its name in reports and metrics. */
  label: string;
  measure: Measure;
  options: Pick<MeasureOptions, 'band' | 'components'>;
  surrogate: SurrogateOptions['kind'];
}

/** Leading components of each stream that an oscillatory measure looks at. */
const COMPONENTS = 4;
const OSCILLATORY = ['plv', 'coh', 'imcoh', 'pli', 'wpli', 'ccorr', 'accorr', 'envcorr', 'powcorr'];

/** @throws EntrainError USAGE */
export function parseStepMeasures(text: string): StepMeasure[] {
  const labels = text.split(',').map((label) => label.trim());
  return [...new Set(labels)].filter((label) => label !== '').map(parseOne);
}

function parseOne(label: string): StepMeasure {
  const [name, band] = label.split(':');
  const measure = MEASURES.find((one) => one.name === name);
  if (!measure)
    throw new EntrainError(
      'USAGE',
      `--step-measures names "${label}": expected names of ${MEASURES.map((one) => one.name).join(', ')}, with commas between.`,
    );
  if (!OSCILLATORY.includes(measure.name)) {
    if (band === undefined) return { label, measure, options: {}, surrogate: 'shift' };
    throw new EntrainError('USAGE', `--step-measures gives ${measure.name} a band, but it has none.`);
  }
  // Turned round, a rhythm stays in step with itself: its phases are drawn anew instead.
  const options = { components: COMPONENTS, ...(band === undefined ? {} : { band: parseBand(label, band) }) };
  return { label, measure, options, surrogate: 'phase' };
}

function parseBand(label: string, text: string): [low: number, high: number] {
  const [low = NaN, high = NaN, ...rest] = text.split('-').map(Number);
  if (rest.length === 0 && low >= 0 && low < high && high <= 0.5) return [low, high];
  throw new EntrainError(
    'USAGE',
    `--step-measures names "${label}": expected a band LOW-HIGH in cycles per step, from 0 to 0.5, as in plv:0.05-0.25.`,
  );
}
