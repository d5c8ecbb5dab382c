/**
 * The step scores of a group: the mean over its dyads, compared with the same between the speaker and the listening
 * agent behind another history, reading the same words, and with means of one surrogate of each dyad. Pure functions:
 * results of dyads in, a report out.
 */
import type { StepMeasureReport, StepReport } from '../../protocol/reports/score-report.ts';
import { hashIntegers } from '../../numeric/random.ts';
import { MINIMUMS } from '../../protocol/minimums.ts';
import { jackknife, meanOf } from '../../synchrony/stats/jackknife.ts';
import { nullOf } from '../../synchrony/stats/surrogates.ts';
import { labelOf } from '../ingest/row-cap.ts';
import { DRAWS, FEWEST_STEPS } from './dyad-steps.ts';
import type { SameWords, StepFigure, StepScore } from './step-messages.ts';

/** Episode → last score of its window. */
export type GroupSteps = Map<string, Pick<StepScore, 'scenario' | 'steps' | 'figures' | 'reasons'>>;

/** Above this number the dyads whose names have the smallest hashes are kept, as with rows (decision 0041). */
const MOST_DYADS = 2000;

/** Takes a dyad's score. If only the value was recomputed, the earlier surrogates are kept. */
export function takeStepScore(dyads: GroupSteps, score: StepScore): void {
  const { episode, scenario, steps, figures, reasons } = score;
  const known = dyads.get(episode);
  // A window that has just begun again has no figure yet.
  if (known && steps < FEWEST_STEPS && known.steps >= FEWEST_STEPS) return;
  const merged: Record<string, StepFigure> = { ...known?.figures };
  for (const [label, figure] of Object.entries(figures)) {
    const before = merged[label];
    merged[label] =
      figure.draws.length > 0 || !before ? figure : { ...before, ...figure, draws: before.draws };
  }
  dyads.set(episode, { scenario, steps, figures: merged, reasons: { ...known?.reasons, ...reasons } });
  if (dyads.size <= MOST_DYADS) return;
  const last = [...dyads.keys()].toSorted((a, b) => labelOf('keep', a) - labelOf('keep', b)).at(-1);
  dyads.delete(last as string);
}

/** Null before the first aligned step. */
export function stepReport(dyads: GroupSteps): StepReport | null {
  if (dyads.size === 0) return null;
  const all = [...dyads.values()];
  const most = Math.max(...all.map(({ steps }) => steps));
  const counted = all.filter(({ figures }) => Object.keys(figures).length > 0);
  const labels = [...new Set(counted.flatMap(({ figures }) => Object.keys(figures)))];
  const steps = counted.reduce((sum, one) => sum + one.steps, 0);
  const measures = labels.map((label) =>
    measureReport(
      label,
      counted.flatMap(({ scenario, figures }) => {
        const figure = figures[label];
        return figure ? [{ ...figure, scenario }] : [];
      }),
    ),
  );
  const few = `Too few steps yet: ${most} of ${FEWEST_STEPS} in one window.`;
  const reason = counted.length > 0 ? undefined : most < FEWEST_STEPS ? few : firstReason(all);
  return { dyads: counted.length, steps, measures, ...(reason === undefined ? {} : { reason }) };
}

const firstReason = (all: { reasons: Record<string, string> }[]): string =>
  all.flatMap(({ reasons }) => Object.entries(reasons).map(([label, why]) => `${label}: ${why}.`))[0] ??
  'Not computed yet.';

function measureReport(measure: string, figures: (StepFigure & { scenario: string })[]): StepMeasureReport {
  const drawn = figures.filter(({ draws }) => draws.length > 0);
  const found = nullOf(mean(drawn.map(({ size }) => size)), groupDraws(drawn));
  const lag = bestLag(figures);
  return {
    measure,
    value: mean(figures.map((figure) => figure.value)),
    ...('reason' in found
      ? { nullMean: null, nullQ95: null }
      : { nullMean: found.nullMean, nullQ95: found.nullQ95 }),
    ...sameWordsReport(figures),
    ...(lag === undefined ? {} : { bestLag: lag }),
  };
}

type SameWordsReport = Pick<StepMeasureReport, 'control' | 'excess' | 'ciLow' | 'ciHigh' | 'pValue'> &
  Partial<Pick<StepMeasureReport, 'value'>>;

const NO_CONTROL: SameWordsReport = { control: null, excess: null, ciLow: null, ciHigh: null, pValue: null };

/**
 * The difference to the same words behind another history: the mean over scenarios of the means over their dyads.
 * Scenarios are what is sampled, and all controls of one have the history of the same episode.
 */
export function sameWordsReport(
  figures: readonly { scenario: string; sameWords?: SameWords }[],
): SameWordsReport {
  const byScenario = new Map<string, SameWords[]>();
  for (const { scenario, sameWords } of figures)
    if (sameWords) byScenario.set(scenario, [...(byScenario.get(scenario) ?? []), sameWords]);
  if (byScenario.size === 0) return NO_CONTROL;
  const means = [...byScenario.values()].map((dyads) => ({
    value: mean(dyads.map(({ value }) => value)),
    control: mean(dyads.map(({ control }) => control)),
  }));
  const value = mean(means.map((one) => one.value));
  const control = mean(means.map((one) => one.control));
  const excess = value - control;
  const replicates = means.map((_, scenario) => ({
    scenario,
    excess: mean(means.filter((__, at) => at !== scenario).map((one) => one.value - one.control)),
  }));
  const found =
    means.length < MINIMUMS.scenarios
      ? undefined
      : jackknife([{ excess, replicates }], (excesses) => meanOf(excesses));
  if (!found || 'reason' in found) return { ...NO_CONTROL, value, control, excess };
  return { value, control, excess, ciLow: found.low, ciHigh: found.high, pValue: found.pValue };
}

/**
 * The null of the mean over dyads. For one dyad: each of its surrogates once. For several: for each dyad one of its
 * surrogates or itself, all equally likely, since under the null its own shift is one of the shifts; without that, a
 * dyad with few shifts would make p too small.
 */
function groupDraws(figures: Pick<StepFigure, 'size' | 'draws'>[]): number[] {
  const [first, ...others] = figures;
  if (first === undefined || others.length === 0) return first?.draws ?? [];
  const drawOf = (
    { size, draws }: Pick<StepFigure, 'size' | 'draws'>,
    dyad: number,
    draw: number,
  ): number => {
    const place = hashIntegers(dyad, draw) % (draws.length + 1);
    return draws[place] ?? size;
  };
  return Array.from({ length: DRAWS }, (_, draw) =>
    mean(figures.map((one, dyad) => drawOf(one, dyad, draw))),
  );
}

/** The lag at which the mean curve over dyads is farthest from 0; positive if the listener follows. */
export function bestLag(figures: Pick<StepFigure, 'curve'>[]): number | undefined {
  const curves = figures.flatMap(({ curve }) => (curve ? [curve] : []));
  const lags = Math.min(...curves.map(({ length }) => length));
  if (curves.length === 0 || lags === 0) return undefined;
  const means = Array.from({ length: lags }, (_, lag) => mean(curves.map((curve) => curve[lag] as number)));
  const best = means.reduce(
    (top, value, lag) => (Math.abs(value) > Math.abs(means[top] as number) ? lag : top),
    0,
  );
  return best - (lags - 1) / 2;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
