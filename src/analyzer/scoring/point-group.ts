/**
 * One group's point score between two full ones: every new row is projected once, the sums of its episode are renewed, and
 * all other episodes stay as they are. Rows come in any order; states that are replaced wait for the next full score.
 */
import { groupBy } from '../../synchrony/group-by.ts';
import { pairTurns } from '../../synchrony/syncr2/turn-pairs.ts';
import {
  episodeSums,
  joinRows,
  pointScore,
  projectRows,
  type ProjectedRows,
} from '../../synchrony/online/point-episode.ts';
import type { EpisodeSums } from '../../synchrony/online/point-score.ts';
import type { EpisodeStates } from '../../synchrony/types.ts';
import { dyadOf, keptEpisodes, rowId, shapeOf, type GroupRows, type RowIds } from '../ingest/group-rows.ts';
import type { FrozenFit, PointScore } from './messages.ts';

export interface PointGroup {
  fit: FrozenFit;
  /** How many rows the fit held. */
  held: number;
  /** Rows that the fit did not hold, by episode. */
  added: RowIds;
  /** Rows that are projected, by episode: those added, and the earlier ones of the same episodes. */
  seen: Map<string, Set<string>>;
  /** Dyad label → its rows under the frozen axes. */
  projected: Map<number, ProjectedRows>;
  /** Dyad label → its sums. */
  sums: Map<number, EpisodeSums>;
}

export function startPointGroup(fit: FrozenFit): PointGroup {
  const held = Object.values(fit.rows).flat().length;
  return { fit, held, added: {}, seen: new Map(), projected: new Map(), sums: new Map(fit.frozen.sums) };
}

/** Takes in every row of these episodes that the point score does not hold and a full one would. False when there was none. */
export function growPoint(
  point: PointGroup,
  episodes: Iterable<string>,
  from: { group: GroupRows; maxRows?: number | undefined },
): boolean {
  let grown = false;
  const kept = keptEpisodes(from.group, from.maxRows);
  for (const episode of episodes) {
    if (!kept.has(episode)) continue;
    const usable = (from.group.episodes.get(episode) ?? []).filter((row) => shapeOf(row) === point.fit.shape);
    const held = new Set([...(point.fit.rows[episode] ?? []), ...(point.added[episode] ?? [])]);
    const fresh = usable.map(rowId).filter((id) => !held.has(id));
    if (fresh.length === 0) continue;
    grown = true;
    point.added[episode] = [...(point.added[episode] ?? []), ...fresh];
    const seen = point.seen.get(episode) ?? new Set();
    point.seen.set(episode, new Set(usable.map(rowId)));
    const unseen = usable.filter((row) => !seen.has(rowId(row)));
    if (unseen.length > 0) renew(point, dyadOf(unseen));
  }
  return grown;
}

function renew(point: PointGroup, dyad: EpisodeStates): void {
  const { frozen } = point.fit;
  const { historySpreads } = frozen;
  const known = point.projected.get(dyad.episode);
  const fresh = projectRows(
    frozen,
    pairTurns([dyad], { direction: 'first_to_second', lag: 1, historySpreads }),
  );
  const projected = known ? joinRows(known, fresh) : fresh;
  point.projected.set(dyad.episode, projected);
  const sums = episodeSums(frozen, projected);
  if (sums) point.sums.set(dyad.episode, sums);
}

/** The point score now, all of its rows in. */
export function pointOf(point: PointGroup, group: GroupRows, computedMs: number): PointScore | undefined {
  const score = pointScore(point.sums.values());
  if (score === undefined || !Number.isFinite(score)) return undefined;
  const { run, group: key, version: base } = point.fit;
  const samples = point.held + Object.values(point.added).flat().length;
  return {
    type: 'point',
    run,
    group: key,
    base,
    version: group.version,
    score,
    samples,
    rows: point.added,
    computedMs,
  };
}

/** The episodes of a group that hold rows which the fit does not. */
export function grownEpisodes(fit: FrozenFit, group: GroupRows): string[] {
  const grown = groupBy(group.episodes, ([episode, rows]) => rows.length > (fit.rows[episode]?.length ?? 0));
  return (grown.get(true) ?? []).map(([episode]) => episode);
}
