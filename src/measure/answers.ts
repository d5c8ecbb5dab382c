/** Converts scores to the JSON that `entrain measure` prints, with the names of the reference sets. */
import type { Matrix } from '../numeric/linear-algebra.ts';
import { STRICT_METHOD } from '../synchrony/strict/strict-score.ts';
import type { PaperScore, StrictEstimate, StrictScore, NoScore } from '../synchrony/types.ts';
import type { SurrogateNull } from '../synchrony/stats/surrogates.ts';
import type { MeasureAnswer } from '../synchrony/measures/measure.ts';

export type Json = Record<string, unknown>;

/** Layer numbers of both sides, in the order of their states. */
export interface LayerNames {
  source: number[];
  target: number[];
}

/** By default a layer's number is its index in the file, from 0. */
const nameOf = (names: number[] | undefined, place: number): number => names?.[place] ?? place;

/** The matrix as nested arrays [rows][cols]. */
export function nested(m: Matrix): number[][] {
  return Array.from({ length: m.rows }, (_, r) => [...m.data.subarray(r * m.cols, (r + 1) * m.cols)]);
}

export function paperAnswer(score: PaperScore | NoScore, names?: LayerNames): Json {
  if ('reason' in score) return { sync_r2: null, reason: score.reason };
  return {
    r2_per_split: score.perSplit.map(nested),
    r2_mean: nested(score.map),
    ...(names ? { source_layers: names.source, target_layers: names.target } : {}),
    best_target_layer: score.bestTargetLayer.map((place) => nameOf(names?.target, place)),
    sync_r2: score.syncR2,
    sync_r2_unclipped: score.unclipped,
    degenerate_dims: score.degenerateDims,
  };
}

export function strictAnswer(score: StrictScore | NoScore, names?: LayerNames): Json {
  if ('reason' in score) return { score: null, reason: score.reason };
  const { pValue, z, permutations } = score;
  const layers = score.perLayer.map(({ pValue: p }) => p);
  const estimate = estimateAnswer(score, names);
  const perLayer = (estimate['per_layer'] as Json[]).map((layer, at) => ({ ...layer, p_value: layers[at] }));
  const method = `${STRICT_METHOD.name} ${STRICT_METHOD.version}`;
  return { ...estimate, p_value: pValue, z, permutations, method, per_layer: perLayer };
}

/** JSON of an estimate, which has no p-value. */
export function estimateAnswer(score: StrictEstimate | NoScore, names?: LayerNames): Json {
  if ('reason' in score) return { score: null, reason: score.reason };
  return {
    score: score.score,
    excess: score.excess,
    null_mean: score.nullMean,
    ci: [score.ci.low, score.ci.high],
    n: score.n,
    groups: score.scenarios,
    episodes: score.episodes,
    scenarios: score.scenarios,
    dropped_rows: score.droppedRows,
    degenerate_dims: score.degenerateDims,
    per_layer: score.perLayer.map((layer) => ({
      layer: nameOf(names?.source, layer.layer),
      score: layer.score,
      excess: layer.excess,
      target_layer: nameOf(names?.target, layer.targetLayer),
    })),
  };
}

export function measureAnswer(answer: MeasureAnswer): Json {
  if ('reason' in answer) return { value: null, reason: answer.reason };
  const beside = answer.warnings ? { warnings: answer.warnings } : {};
  if ('matrix' in answer) return { matrix: nested(answer.matrix), ...beside };
  return { value: answer.value, ...answer.more, ...beside };
}

/** @param asked number of surrogates that were asked for */
export function surrogateAnswer(found: SurrogateNull | NoScore, asked: number): Json {
  if ('reason' in found) return { p_value: null, null_reason: found.reason };
  const { pValue, size, nullMean, nullQ95, count } = found;
  const answer = { p_value: pValue, size, null_mean: nullMean, null_q95: nullQ95, surrogates: count };
  if (count >= asked) return answer;
  const least = (1 / (count + 1)).toPrecision(2);
  return { ...answer, null_note: `there are ${count} different surrogates: p is ${least} at the least` };
}
