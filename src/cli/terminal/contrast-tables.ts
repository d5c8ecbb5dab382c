/** Tables of comparisons: differences between conditions, and groups by the distance of the target in turns. */
import type { DifferenceReport, ScoreReport } from '../../protocol/reports/score-report.ts';
import { directionOf, distanceNote, intervalText, layOut, pairPlace, signed } from './score-table.ts';

const DIFFERENCE_HEADER = ['difference', 'direction', 'excess', '95 % interval', 'p'];

/**
 * `live` minus each control, for each direction and for the mean over both. No lines before the first
 * difference.
 */
export function differenceTable({ differences, pairDifferences }: ScoreReport): string[] {
  const directed = differences.map((one) => [
    `${one.condition} − ${one.against}`,
    `${directionOf(one)}${distanceNote(one)}`,
    ...differenceCells(one),
  ]);
  const both = pairDifferences.map((one) => [
    `${one.condition} − ${one.against}`,
    pairPlace(one),
    ...differenceCells(one),
  ]);
  const rows = [...directed, ...both];
  return rows.length === 0 ? [] : layOut([DIFFERENCE_HEADER, ...rows]);
}

const differenceCells = (
  one: Pick<DifferenceReport, 'difference' | 'ciLow' | 'ciHigh' | 'pValue'>,
): string[] => [
  signed(one.difference),
  intervalText(one),
  one.pValue < 0.001 ? '< 0.001' : one.pValue.toFixed(3),
];

const DISTANCE_HEADER = ['condition', 'agents', 'turns', 'excess', '95 % interval', 'groups'];

/** The mean excess over the groups of each distance, for groups of more than two agents. No lines otherwise. */
export function distanceTable({ distances }: ScoreReport): string[] {
  const rows = distances.map((one) => [
    one.condition,
    String(one.agents),
    `+${one.distance}`,
    signed(one.excess),
    intervalText(one),
    String(one.figures),
  ]);
  return rows.length === 0 ? [] : layOut([DISTANCE_HEADER, ...rows]);
}
