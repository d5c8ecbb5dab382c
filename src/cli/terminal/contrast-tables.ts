/**
 * Tables of what is held against one another: conditions by their difference, and groups by how many turns the target
 * follows.
 */
import type { DifferenceReport, ScoreReport } from '../../protocol/report.ts';
import { directionOf, distanceNote, intervalText, layOut, pairPlace, signed } from './score-table.ts';

const DIFFERENCE_HEADER = ['difference', 'direction', 'excess', '95 % interval', 'p'];

/** `live` minus each control, of each direction and of the mean over both; no lines before the first. */
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

/** The mean excess over groups of one distance, where more than two talk; no lines elsewhere. */
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
