/** The list that `entrain measure --list` prints. */
import { MEASURES } from '../synchrony/measures/index.ts';

const SYNC_R2 = {
  name: 'sync-r2',
  about: "SyncR2: how well A's state at a turn predicts B's at the next, on held-out scenarios.",
  formula:
    'strict: 1 - error / variance beyond scenario, turn and episode, mean over layers; paper: max over target layers, clipped',
  range: 'up to 1; strict mode about 0 without coupling',
  reference: 'Zhang et al. 2026',
};

const INFLUENCE = {
  name: 'influence',
  about:
    "Of a run with branches: the share of the variance of B's state that A's choice of words makes; and matched SyncR2.",
  formula:
    "variance within branched turns / total variance, mean over layers; R2 of that movement by A's own state",
  range: '0 to 1, exactly 0 where B does not hear; matched up to 1',
  reference: 'docs/method.md',
};

export function listMeasures(json: boolean): string {
  const rows = [SYNC_R2, INFLUENCE, ...MEASURES].map(({ name, about, formula, range, reference }) => ({
    name,
    about,
    formula,
    range,
    reference,
  }));
  if (json) return `${JSON.stringify(rows)}\n`;
  return rows
    .map(({ name, about, formula, range, reference }) =>
      [`${name.padEnd(14)}${about}`, formula, `${range} (${reference})`].join(`\n${' '.repeat(14)}`),
    )
    .join('\n')
    .concat('\n');
}
