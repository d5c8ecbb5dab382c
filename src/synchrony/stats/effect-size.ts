/**
 * Effect size: how much of the partner's next state is explained by coupling, beside what stays unexplained.
 * Formula: Cohen's local f² = (score − null mean) / (1 − score), score and null mean shares of one variance.
 * Range: −1 upwards; 0.02, 0.15 and 0.35 are by convention small, medium and large.
 * Reference: Cohen, 1988; Selya, Rose, Dierker, Hedeker, Mermelstein, 2012.
 * No number: a score of 1 leaves nothing unexplained.
 */
export function cohensF2(score: number, nullMean: number): number | undefined {
  return score < 1 ? (score - nullMean) / (1 - score) : undefined;
}
