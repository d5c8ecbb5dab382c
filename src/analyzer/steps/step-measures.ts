/**
 * Parses the measures between aligned steps: names as in `entrain measure --list`, an oscillatory one with its pass
 * band in cycles per step after a colon: `cka,isc,plv:0.05-0.25`.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { MEASURES } from '../../synchrony/measures/index.ts';
import type { Measure, MeasureOptions } from '../../synchrony/measures/measure.ts';
import type { SurrogateOptions } from '../../synchrony/stats/surrogates.ts';
import { parseBand } from './pass-band.ts';

export const STEP_MEASURES = 'cka,cka-unbiased,rsa,svcca,isc,xcorr';

export interface StepMeasure {
  /** The measure as it was asked for: its name in reports and metrics. */
  label: string;
  measure: Measure;
  options: Pick<MeasureOptions, 'band' | 'components'>;
  surrogate: SurrogateOptions['kind'];
}

/** Number of leading components of each stream for an oscillatory measure. */
const COMPONENTS = 4;
const OSCILLATORY = ['plv', 'coh', 'imcoh', 'pli', 'wpli', 'ccorr', 'accorr', 'envcorr', 'powcorr'];

/** @throws EntrainError `USAGE` */
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
  const surrogate = surrogateOf(measure);
  if (surrogate === 'shift') {
    if (band === undefined) return { label, measure, options: {}, surrogate };
    throw new EntrainError('USAGE', `--step-measures gives ${measure.name} a band, but it has none.`);
  }
  const options = { components: COMPONENTS, ...(band === undefined ? {} : { band: bandOf(label, band) }) };
  return { label, measure, options, surrogate };
}

/**
 * Kind of surrogate of a measure. A rhythm stays locked to itself under a circular shift, so oscillatory measures use
 * random phases.
 */
export function surrogateOf({ name }: Measure): SurrogateOptions['kind'] {
  return OSCILLATORY.includes(name) ? 'phase' : 'shift';
}

function bandOf(label: string, text: string): [low: number, high: number] {
  const band = parseBand(text, '-');
  if (band) return band;
  throw new EntrainError(
    'USAGE',
    `--step-measures names "${label}": expected a band LOW-HIGH in cycles per step, from 0 to 0.5, as in plv:0.05-0.25.`,
  );
}
