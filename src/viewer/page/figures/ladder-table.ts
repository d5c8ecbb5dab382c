/** The figures of the ladder as rows of a table, one for each group and rung. */
import type { GroupView } from '../../view-data.ts';
import type { Cell } from './save-figure.ts';

const PLACE = ['condition', 'source_role', 'target_role', 'source_model', 'target_model'];
const FIGURE = ['rung', 'value', 'ci_low', 'ci_high', 'p', 'q'];

export const ladderTable = (groups: readonly GroupView[]): Cell[][] => [
  [...PLACE, ...FIGURE],
  ...groups.flatMap(rowsOf),
];

function rowsOf(group: GroupView): Cell[][] {
  const { condition, sourceRole, targetRole, sourceModel, targetModel } = group;
  const { association, adjustment, intervention } = group;
  const { influence, matched } = intervention ?? { influence: null, matched: null };
  const place = [condition, sourceRole, targetRole, sourceModel, targetModel];
  const figures: Cell[][] = [
    association ? ['association', association.score, null, null, null, null] : [],
    adjustment
      ? [
          'adjustment',
          adjustment.value,
          adjustment.low,
          adjustment.high,
          adjustment.pValue,
          adjustment.qValue,
        ]
      : [],
    influence ? ['influence', influence.value, influence.low, influence.high, null, null] : [],
    matched ? ['matched', matched.value, matched.low, matched.high, matched.pValue, null] : [],
  ];
  return figures.filter((row) => row.length > 0).map((row) => [...place, ...row]);
}
