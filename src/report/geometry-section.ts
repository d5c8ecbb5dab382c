/** What space the agents' states take up, layer by layer: dimensions, and straightness over the turns of an episode. */
import { GEOMETRY_HEAD, geometryRow, SHARES, type Geometry } from '../analysis/state-geometry.ts';
import { hueOf } from '../viewer/page/format.ts';
import type { Markup } from './figures/svg.ts';
import { xyPlot, type Curve } from './figures/xy.ts';
import { legend, paragraph, section, smallFigure, table } from './parts.ts';

/** Curves in a figure that can still be told apart. */
const MOST_CURVES = 4;

export function geometrySection(geometry: readonly Geometry[]): Markup | undefined {
  const known = geometry.filter(({ layers }) => layers.some(({ dimensions }) => dimensions));
  if (known.length === 0) return undefined;
  const drawn = known.slice(0, MOST_CURVES);
  return section(
    'Geometry of the states',
    paragraph(
      'How many dimensions hold 90, 95 and 99 % of the variance of an agent’s states before its turns (singular values), and how straight the states of an episode go: the way from the first to the last, divided by the length of the path. All conditions of an agent have the same number of states, for more states find more dimensions; straightness compares among episodes of equal length. Descriptive, nothing is tested.',
    ),
    figureBy(
      'Dimensions for 95 % of the variance',
      drawn,
      ({ dimensions }) => dimensions?.[SHARES.indexOf(0.95)],
    ),
    figureBy('Straightness', drawn, ({ straightness }) => straightness),
    known.length > drawn.length
      ? paragraph(
          `The figures show ${drawn.length} of ${known.length} agents and conditions; the table has all.`,
        )
      : undefined,
    table(
      GEOMETRY_HEAD,
      known.flatMap((one) => rowsOf(one)),
    ),
  );
}

/** The first layer, the middle one and the last. */
function rowsOf(geometry: Geometry): string[][] {
  const last = geometry.layers.length - 1;
  return [...new Set([0, Math.floor(last / 2), last])].map((at) => geometryRow(geometry, at));
}

function figureBy(
  title: string,
  drawn: readonly Geometry[],
  of: (layer: Geometry['layers'][number]) => number | undefined,
): Markup {
  const curves = drawn.map(({ agent, condition, layers }, at): Curve => ({
    name: `${agent}, ${condition}`,
    color: hueOf(at),
    isJoined: true,
    points: layers.flatMap((layer, depth) => {
      const y = of(layer);
      return y === undefined ? [] : [{ x: depth + 1, y }];
    }),
  }));
  return smallFigure(
    `${title}, by layer.`,
    xyPlot(curves, { title, xLabel: 'layer', yLabel: title.toLowerCase() }),
    legend(curves),
  );
}
