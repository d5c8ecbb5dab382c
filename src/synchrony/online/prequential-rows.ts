/** Rows of a prequential score, less what their episode looked like before: nothing later goes in. */

/** A turn pair, in the order in which it is learnt. */
export interface PrequentialRow {
  episode: number;
  turn: number;
  /** [layers, dims] of A, and of B's next turn. */
  source: Float32Array;
  sourceLayers: number;
  target: Float32Array;
  targetLayers: number;
  /** Features of A's prompt; each kind counts by its direction alone. */
  text: Float32Array;
  words: Float32Array;
  sentence: Float32Array;
}

/** A row less the means of its episode, ready to be used. */
export interface Centred extends Pick<PrequentialRow, 'turn'> {
  /** Per layer [dims]. */
  source: Float64Array[];
  target: Float64Array[];
  text: Float64Array;
  words: Float64Array;
  sentence: Float64Array;
}

export interface EpisodeMeans {
  rows: number;
  source: Float64Array;
  target: Float64Array;
}

/** The row less the means of the earlier rows of its episode, which take it in; none for the first. */
export function centre(means: Map<number, EpisodeMeans>, row: PrequentialRow): Centred[] {
  const { source, target } = row;
  const before = means.get(row.episode);
  const layers = Math.min(row.sourceLayers, row.targetLayers);
  const cut = (values: Float64Array, all: number): Float64Array[] => {
    const dims = values.length / all;
    return Array.from({ length: layers }, (_, layer) => values.subarray(layer * dims, (layer + 1) * dims));
  };
  const centred = before && {
    turn: row.turn,
    source: cut(
      Float64Array.from(source, (value, k) => value - (before.source[k] as number)),
      row.sourceLayers,
    ),
    target: cut(
      Float64Array.from(target, (value, k) => value - (before.target[k] as number)),
      row.targetLayers,
    ),
    text: unitLength(row.text),
    words: unitLength(row.words),
    sentence: unitLength(row.sentence),
  };
  const rows = (before?.rows ?? 0) + 1;
  const renewed = (mean: Float64Array | undefined, values: Float32Array): Float64Array =>
    Float64Array.from(values, (value, k) => ((mean?.[k] ?? 0) * (rows - 1) + value) / rows);
  means.set(row.episode, {
    rows,
    source: renewed(before?.source, source),
    target: renewed(before?.target, target),
  });
  return centred ? [centred] : [];
}

function unitLength(values: Float32Array): Float64Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return Float64Array.from(values, (value) => (length > 0 ? value / length : 0));
}
