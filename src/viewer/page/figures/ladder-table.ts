/** The figures of the ladder as rows of a table, one for each group and rung. */
import type { FiguresView, GroupView, PatchView } from '../../view-data.ts';
import { patchName } from './rung-figures.ts';

/** A value of a saved table. */
export type Cell = string | number | null;

const PLACE = ['condition', 'direction', 'source_role', 'target_role', 'source_model', 'target_model'];
const FIGURE = ['rung', 'value', 'ci_low', 'ci_high', 'p', 'q', 'n', 'is_provisional'];

/** @param nameOf the direction of a group in the agents' names */
export const ladderTable = (
  { groups, provisional }: Pick<FiguresView, 'groups' | 'provisional'>,
  nameOf: (group: GroupView) => string,
): Cell[][] => [
  [...PLACE, ...FIGURE],
  ...groups.flatMap((group) => rowsOf(group, nameOf(group)).map((row) => [...row, String(provisional)])),
];

/** `n` counts turn pairs, and in what follows from branches the turns that branch. */
function rowsOf(group: GroupView, direction: string): Cell[][] {
  const { condition, sourceRole, targetRole, sourceModel, targetModel, samples } = group;
  const { association, adjustment, intervention } = group;
  const {
    influence = null,
    matched = null,
    sequentialP = null,
    histories = 0,
    patches = [],
  } = intervention ?? {};
  const place = [condition, direction, sourceRole, targetRole, sourceModel, targetModel];
  const figures: Cell[][] = [
    association ? ['association', association.unclipped, null, null, null, null, samples] : [],
    adjustment
      ? [
          'adjustment',
          adjustment.value,
          adjustment.low,
          adjustment.high,
          adjustment.pValue,
          adjustment.qValue,
          samples,
        ]
      : [],
    intervention
      ? [
          'influence',
          influence?.value ?? null,
          influence?.low ?? null,
          influence?.high ?? null,
          sequentialP,
          null,
          histories,
        ]
      : [],
    matched ? ['matched', matched.value, matched.low, matched.high, matched.pValue, null, histories] : [],
    ...patches.flatMap(patchRows),
  ];
  return figures.filter((row) => row.length > 0).map((row) => [...place, ...row]);
}

/** What the moved state makes, and how much of it the direction predicts. */
function patchRows(patch: PatchView): Cell[][] {
  const name = patchName(patch);
  const { influence, follows, histories } = patch;
  return [
    influence ? [name, influence.value, influence.low, influence.high, null, null, histories] : [],
    follows
      ? [`${name}, follows`, follows.value, follows.low, follows.high, follows.pValue, null, histories]
      : [],
  ];
}
