/** The points of the curves of lag and dose: an excess with its interval for each number of turns, or share heard. */
import type { GroupView, Interval, RunView } from '../../view-data.ts';
import { directionOf } from '../format.ts';

interface Point extends Interval {
  x: number;
}

export interface Series {
  name: string;
  condition: string;
  /** Drawn dashed and hollow: the direction that comes second in its condition. */
  isSecond: boolean;
  points: Point[];
}

export const lagSeries = (run: RunView): Series[] =>
  run.figures.groups.flatMap((group) => lagsOf(group, run));

function lagsOf(group: GroupView, run: RunView): Series[] {
  const { adjustment, lags, condition, distance, sourceRole, targetRole } = group;
  if (!adjustment || lags.length === 0) return [];
  const { value, low, high } = adjustment;
  const points = [
    { x: distance, value, low, high },
    ...lags.map(({ lag, ...rest }) => ({ x: lag, ...rest })),
  ];
  const name = `${condition}, ${directionOf(group, run)}`;
  return [{ name, condition, isSecond: sourceRole > targetRole, points }];
}

/** The share that a condition lets through; undefined for another kind of condition. */
function shareOf(condition: string): number | undefined {
  if (condition === 'monologue') return 0;
  if (condition === 'live') return 1;
  return condition.startsWith('dose:') ? Number(condition.slice(5)) : undefined;
}

/** By the places of source and target; nothing where no condition lets a part through. */
export function doseSeries(run: RunView): Series[] {
  const { groups } = run.figures;
  if (!groups.some(({ condition }) => condition.startsWith('dose:'))) return [];
  const places = [...new Set(groups.map(({ sourceRole, targetRole }) => `${sourceRole} ${targetRole}`))];
  return places.flatMap((place): Series[] => {
    const own = groups.filter(({ sourceRole, targetRole }) => `${sourceRole} ${targetRole}` === place);
    const points = own.flatMap(({ condition, adjustment }) => {
      const x = shareOf(condition);
      return x === undefined || !adjustment ? [] : [{ x, ...adjustment }];
    });
    const [first] = own;
    if (!first || points.length < 2) return [];
    const sorted = points.toSorted((a, b) => a.x - b.x);
    return [
      {
        name: directionOf(first, run),
        condition: 'dose',
        isSecond: first.sourceRole > first.targetRole,
        points: sorted,
      },
    ];
  });
}
