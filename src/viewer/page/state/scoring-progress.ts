/** How much of what was said is in the figures, in turn pairs. */
import type { EpisodeView, GroupView, RunView } from '../../view-data.ts';

export interface ScoringProgress {
  scored: number;
  all: number;
}

/** Of the groups that have a line in the scores; none of them: 0 of 0. */
export function scoringProgress({ talks, agents, figures }: RunView): ScoringProgress {
  const models = new Map(agents.map(({ id, model }) => [id, model]));
  const counts = figures.groups.map((group) => {
    const all = talks
      .filter((talk) => !talk.open && isIn(group, talk, models))
      .reduce((sum, talk) => sum + pairsIn(group, talk), 0);
    return { scored: Math.min(group.samples, all), all };
  });
  return counts.reduce((sum, { scored, all }) => ({ scored: sum.scored + scored, all: sum.all + all }), {
    scored: 0,
    all: 0,
  });
}

function isIn(group: GroupView, talk: EpisodeView, models: ReadonlyMap<string, string>): boolean {
  const { condition, agents, sourceRole, targetRole, sourceModel, targetModel } = group;
  const { order, reader } = talk;
  const modelAt = (role: number): string | undefined =>
    models.get((role === order.length ? reader : undefined) ?? order[role - 1] ?? '');
  return (
    talk.condition === condition &&
    order.length === agents &&
    modelAt(sourceRole) === sourceModel &&
    modelAt(targetRole) === targetModel
  );
}

/** The source's turns after which the target's turn is there. */
const pairsIn = ({ sourceRole, distance }: GroupView, { turns, order }: EpisodeView): number =>
  Math.max(0, Math.ceil((turns - distance - (sourceRole - 1)) / order.length));
