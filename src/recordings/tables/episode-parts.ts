/** What single episodes add to the R² of their groups, from the secondary analyses in `scores.jsonl`. */
import type { LayerMapReport } from '../../protocol/reports/score-report.ts';
import type { ScoreLine } from '../read-scores.ts';

type Line = ScoreLine & { sourceRole?: number; targetRole?: number; layerMap?: LayerMapReport | null };

export interface EpisodePart {
  episode: string;
  sourceRole: number;
  targetRole: number;
  /**
   * The episode's share of the mean R² over pairs of layers, times the number of episodes: the mean over episodes is
   * the mean of the map.
   */
  r2: number;
}

export function episodeParts(lines: readonly ScoreLine[]): EpisodePart[] {
  const lastOf = (type: string): Map<string | undefined, Line> =>
    new Map(
      (lines as readonly Line[]).filter((line) => line.type === type).map((line) => [line.group, line]),
    );
  const besides = lastOf('beside');
  return [...lastOf('score')].flatMap(([group, { sourceRole, targetRole }]) => {
    const episodes = Object.entries(besides.get(group)?.layerMap?.turns ?? {});
    if (sourceRole === undefined || targetRole === undefined) return [];
    return episodes.map(([episode, turns]) => ({
      episode,
      sourceRole,
      targetRole,
      r2: episodes.length * Object.values(turns).reduce((sum, part) => sum + part, 0),
    }));
  });
}
