/** Where in the models and when in the dialogue synchrony stands: maps of layers, and R² turn by turn. */
import { directionOf, hueOf } from '../viewer/page/format.ts';
import { layerMapPlot, signed } from './figures/layer-map.ts';
import { el, type Markup } from './figures/svg.ts';
import { xyPlot, type Curve } from './figures/xy.ts';
import { legend, paragraph, section, smallFigure } from './parts.ts';
import type { RunReport } from './read-report.ts';
import type { MappedGroup, TurnCurve } from './turn-curves.ts';

/** Most maps that are shown: those of the first condition, and of one to compare them with. */
const MAPS = 4;

export function layersSection(report: RunReport): Markup | undefined {
  const { maps, overTurns, view } = report;
  if (maps.length === 0) return undefined;
  const shown = maps.slice(0, MAPS);
  const largest = Math.max(
    0.05,
    ...shown.flatMap(({ layerMap: { map, nulls } }) => [...map.flat(), ...nulls.flat()].map(Math.abs)),
  );
  const figures = shown.map((group) => {
    const [source, target] = sidesOf(group, view);
    const direction = `${source} → ${target}`;
    const { map, nulls } = group.layerMap;
    return smallFigure(
      `${group.condition}, ${direction}. The frame marks the largest cell; full color is ±${largest.toFixed(2)}.`,
      layerMapPlot({ map, nulls, source, target }, largest),
    );
  });
  return section(
    'Layers and turns',
    paragraph(
      'R² on held-out scenarios from every layer of one to every layer of the other, beside its mean over all permutations. Nothing is chosen and nothing is tested here: the map says where, the figures above say whether.',
    ),
    figures,
    maps.length > MAPS
      ? el('p', { class: 'soft' }, `${maps.length - MAPS} further groups stand in results.json.`)
      : undefined,
    overTurns.length > 0 ? turnsFigure(overTurns, report) : undefined,
  );
}

function turnsFigure(curves: readonly TurnCurve[], { view }: RunReport): Markup {
  const first = curves[0]?.condition;
  const drawn = curves
    .filter(({ condition }) => condition === first || condition === 'monologue')
    .slice(0, MAPS);
  const plotted = drawn.map((curve, at): Curve => ({
    name: `${curve.condition}, ${sidesOf(curve, view).join(' → ')}`,
    color: hueOf(at),
    points: curve.points.map(({ turn, value, low, high }) => ({
      x: turn + 0.12 * at,
      y: value,
      ...(low === undefined ? {} : { low }),
      ...(high === undefined ? {} : { high }),
    })),
    isJoined: true,
  }));
  const nulls = drawn.map(({ nullMean }) => nullMean);
  return smallFigure(
    `R² by the turn whose state predicts, mean over pairs of layers, with 95 % intervals over scenarios. The shaded band holds the means under the null, ${signed(Math.min(...nulls))} to ${signed(Math.max(...nulls))}.`,
    xyPlot(plotted, {
      title: 'R² over turns',
      xLabel: 'turn',
      yLabel: 'R²',
      band: { low: Math.min(...nulls), high: Math.max(...nulls) },
    }),
    legend(plotted),
  );
}

/** Names of the two sides: those of the agents, or where a run has several models, those. */
function sidesOf(of: TurnCurve | MappedGroup, view: RunReport['view']): [string, string] {
  const several = new Set(view.agents.map(({ model }) => model)).size > 1;
  const [source = '', target = ''] = several ? of.models : directionOf(of, view).split(' → ');
  return [source, target];
}
