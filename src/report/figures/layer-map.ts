/** R² for every pair of layers beside its mean over all permutations: two maps on one scale, the best cell marked. */
import { el, type Markup } from './svg.ts';

export interface LayerMapFigure {
  map: readonly (readonly number[])[];
  nulls: readonly (readonly number[])[];
  /** Whose layers go down, and whose across. */
  source: string;
  target: string;
}

const SIZE = 200;
const LEFT = 46;
const TOP = 22;
const GAP = 56;
const BOTTOM = 38;

/** @param largest absolute value that has the full color; one for all maps that are compared */
export function layerMapPlot({ map, nulls, source, target }: LayerMapFigure, largest: number): Markup {
  const best = bestOf(map);
  const said = `best: layer ${best.source + 1} to ${best.target + 1}, ${signed(best.value)}, null ${signed(nulls[best.source]?.[best.target] ?? Number.NaN)}`;
  return el(
    'svg',
    {
      viewBox: `0 0 ${LEFT + 2 * SIZE + GAP} ${TOP + SIZE + BOTTOM}`,
      role: 'img',
      'aria-label': `R² from layers of ${source} to layers of ${target}; ${said}`,
    },
    panel(map, { at: LEFT, title: 'as they talked', largest, target, best }),
    panel(nulls, { at: LEFT + SIZE + GAP, title: 'mean under the null', largest, target }),
    el(
      'text',
      { transform: `translate(12 ${TOP + SIZE / 2}) rotate(-90)`, 'text-anchor': 'middle' },
      `layers of ${source}`,
    ),
  );
}

interface Panel {
  at: number;
  title: string;
  largest: number;
  target: string;
  best?: { source: number; target: number };
}

function panel(cells: readonly (readonly number[])[], { at, title, largest, target, best }: Panel): Markup {
  const [high, wide] = [SIZE / cells.length, SIZE / (cells[0]?.length ?? 1)];
  return el(
    'g',
    { transform: `translate(${at} ${TOP})` },
    el('text', { class: 'name', x: 0, y: -8 }, title),
    cells.map((row, source) => [
      row.map((value, to) =>
        el(
          'rect',
          {
            class: value < 0 ? 'below' : 'above',
            x: to * wide,
            y: source * high,
            width: wide - 1,
            height: high - 1,
            'fill-opacity': Math.min(1, Math.abs(value) / largest).toFixed(3),
          },
          el('title', {}, `layer ${source + 1} → ${to + 1}: ${signed(value)}`),
        ),
      ),
      el('text', { x: -6, y: (source + 0.5) * high + 4, 'text-anchor': 'end' }, source + 1),
    ]),
    (cells[0] ?? []).map((_, to) =>
      el('text', { x: (to + 0.5) * wide, y: SIZE + 15, 'text-anchor': 'middle' }, to + 1),
    ),
    el('text', { x: SIZE / 2, y: SIZE + 31, 'text-anchor': 'middle' }, `layers of ${target}`),
    best &&
      el('rect', {
        class: 'best',
        x: best.target * wide + 1,
        y: best.source * high + 1,
        width: wide - 3,
        height: high - 3,
      }),
  );
}

function bestOf(map: readonly (readonly number[])[]): { source: number; target: number; value: number } {
  const cells = map.flatMap((row, source) => row.map((value, target) => ({ source, target, value })));
  return cells.reduce((best, cell) => (cell.value > best.value ? cell : best), {
    source: 0,
    target: 0,
    value: -Infinity,
  });
}

export const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
