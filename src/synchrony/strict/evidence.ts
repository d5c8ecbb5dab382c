/**
 * From the evidence per layer, as it is and under every exchange, to p-values: each layer in units of its own spread, the maximum over layers as
 * the statistic. The rows as they are count as one more exchange throughout, so a p-value is never 0.
 */
import type { NullSums } from './null.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';

export interface Evidence {
  pValue: number;
  /** Corrected for the number of layers. */
  perLayer: number[];
}

/** What an exchange moves, wider; what it keeps, as it is. */
export function widened({ moved, kept }: Pick<NullSums, 'moved' | 'kept'>, widening: number[]): Matrix {
  const value = (of: number, at: number): number =>
    of + (widening[Math.floor(at / moved.cols)] as number) * (moved.data[at] as number);
  return { ...kept, data: kept.data.map(value) };
}

/** evidence [layers, exchanges]; the first exchange is none at all. */
export function weighEvidence(evidence: Matrix): Evidence {
  const { rows: layers, cols: exchanges, data } = evidence;
  const own = Array.from({ length: layers }, (_, layer) =>
    standardised(data.subarray(layer * exchanges, (layer + 1) * exchanges)),
  );
  const highest = Array.from({ length: exchanges }, (_, k) =>
    Math.max(...own.map((layer) => layer[k] as number)),
  );
  const shareAtLeast = (value: number): number =>
    highest.filter((other, k) => k === 0 || other >= value).length / exchanges;
  return {
    pValue: shareAtLeast(highest[0] as number),
    perLayer: own.map((layer) => shareAtLeast(layer[0] as number)),
  };
}

/** In units of their spread; to 10 digits, for equal exchanges differ by rounding. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  return values.map((value) => Number(((value - mean) * scale).toFixed(10)));
}
