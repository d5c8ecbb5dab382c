/**
 * From the evidence per layer, as it is and under every exchange, to p-values: each layer in units of its own spread, the maximum over layers as
 * the statistic. The rows as they are count as one more exchange throughout, so the p-value is never 0 and never too small by chance.
 */
import type { NullSums } from './strict-null.ts';

export interface Evidence {
  pValue: number;
  /** Corrected for the number of layers. */
  perLayer: number[];
}

export function weighEvidence(sums: { evidence: Float64Array; nulls: NullSums }): Evidence {
  const { rows: layers, cols: exchanges, data } = sums.nulls.evidence;
  const own = Array.from({ length: layers }, (_, layer) => {
    const drawn = [
      sums.evidence[layer] as number,
      ...data.subarray(layer * exchanges, (layer + 1) * exchanges),
    ];
    return standardised(drawn);
  });
  const highest = Array.from({ length: exchanges + 1 }, (_, k) =>
    Math.max(...own.map((layer) => layer[k] as number)),
  );
  const shareAtLeast = (value: number): number =>
    (1 + highest.slice(1).filter((other) => other >= value).length) / (1 + exchanges);
  return {
    pValue: shareAtLeast(highest[0] as number),
    perLayer: own.map((layer) => shareAtLeast(layer[0] as number)),
  };
}

function standardised(values: number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  return values.map((value) => (value - mean) * scale);
}
