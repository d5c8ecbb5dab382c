/**
 * The score of an interchange from sums: of each scenario s, with the map M that has not seen it,
 *
 *   N_s = Σ ⟨ŷ, y⟩,   Q_s = Σ ‖ŷ‖²,   E_s = Σ ‖y‖²        ŷ = Z M
 *   score = Σ_s (2 c_s N_s − c_s² Q_s) / Σ_s E_s,   c_s = max(0, Σ_{u≠s} N_u / Σ_{u≠s} Q_u)
 *
 * Without a scenario it is left out of the maps, the scales and the sums.
 */
import { crossProduct, innerProduct, productTransposed, rowRange } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { Histories } from './histories.ts';
import type { NaturalMap } from './natural-map.ts';

/** Both sides' movements within histories, in the units and components of the map. */
export interface Moves {
  used: Histories;
  turn: Int32Array;
  /** [rows in use, k] */
  source: Matrix;
  /** Per target layer [rows in use, k]. */
  targets: Matrix[];
  /** Per target layer and row in use: squares, with those that the components do not hold. */
  energy: Float64Array[];
}

export interface ScenarioSquares {
  scenario: number;
  /** Per target layer, with the map without this scenario and another one, or without this one alone. */
  of(other: number | undefined): { along: number; foretold: number }[];
  /** Per target layer. */
  energy: number[];
}

export function squaresOf(map: NaturalMap, { used, source, targets, energy }: Moves): ScenarioSquares[] {
  return used.blocks.map(({ scenario, start, rows }) => {
    const z = rowRange(source, start, start + rows);
    const gram = crossProduct(z, z);
    const cross = targets.map((m) => crossProduct(z, rowRange(m, start, start + rows)));
    return {
      scenario,
      energy: energy.map((own) => own.subarray(start, start + rows).reduce((sum, value) => sum + value, 0)),
      of: (other) =>
        map.without(other === undefined ? [scenario] : [scenario, other]).map((m, layer) => ({
          along: innerProduct(m, cross[layer] as Matrix),
          foretold: innerProduct(gram, productTransposed(m, m)),
        })),
    };
  });
}

/** Per target layer; 0 for one that does not move. */
export function scoreOf(squares: readonly ScenarioSquares[], left: number | undefined): number[] {
  const kept = squares.filter(({ scenario }) => scenario !== left);
  const sums = kept.map((one) => one.of(left));
  const layers = kept[0]?.energy.length ?? 0;
  return Array.from({ length: layers }, (_, layer) => {
    const own = sums.map((sum) => sum[layer] as { along: number; foretold: number });
    const [along, foretold] = [total(own.map((one) => one.along)), total(own.map((one) => one.foretold))];
    const explained = total(
      own.map((one) => {
        const rest = foretold - one.foretold;
        const scale = rest > 0 ? Math.max(0, (along - one.along) / rest) : 0;
        return 2 * scale * one.along - scale ** 2 * one.foretold;
      }),
    );
    const energy = total(kept.map((one) => one.energy[layer] as number));
    return energy > 0 ? explained / energy : 0;
  });
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
