/** Figures with their intervals one below the other, as in a forest plot: each rung of the ladder on one scale. */
import type { Line } from '../../viewer/page/figures/rung-figures.ts';
import { fitting, type Scale } from '../../viewer/page/figures/scale.ts';
import { conditionClass } from '../../viewer/page/format.ts';
import { el, type Markup } from './svg.ts';

const ROW_PX = 24;
const HEAD_PX = 20;
const AXIS_PX = 22;

/** @param directionOf such as "ada → ben" */
export function forestPlot(
  lines: readonly Line[],
  { scale, name, directionOf }: { scale: Scale; name: string; directionOf: (line: Line) => string },
): Markup {
  let top = 0;
  const rows = lines.map((line, at) => {
    const isFirst = line.condition !== lines[at - 1]?.condition;
    if (isFirst) top += HEAD_PX;
    const row = rowOf(line, {
      top,
      isFirst,
      scale,
      direction: directionOf(line),
    });
    top += ROW_PX;
    return row;
  });
  const said = lines.map(
    (line) => `${line.condition}, ${directionOf(line)}: ${line.mark?.title ?? line.missing}`,
  );
  return el(
    'svg',
    {
      viewBox: `0 0 ${scale.width} ${top + AXIS_PX}`,
      role: 'img',
      'aria-label': `${name}. ${said.join('. ')}`,
    },
    el('line', {
      class: 'zero',
      x1: scale.x(0),
      x2: scale.x(0),
      y1: 0,
      y2: top,
    }),
    rows,
    axis(scale, top),
  );
}

function rowOf(
  { mark, condition, missing }: Line,
  { top, isFirst, scale, direction }: { top: number; isFirst: boolean; scale: Scale; direction: string },
): Markup {
  const y = top + ROW_PX / 2;
  const color = conditionClass(condition.split(/[ ,]/)[0] ?? '');
  return el(
    'g',
    { class: `row ${color}${mark?.isPale ? ' pale' : ''}` },
    el('title', {}, `${condition}, ${direction}: ${mark?.title ?? missing}`),
    isFirst ? el('text', { class: 'label', x: 0, y: top - 4 }, condition) : undefined,
    el(
      'text',
      { class: 'direction', x: scale.label - 10, y: y + 4, 'text-anchor': 'end' },
      fitting(direction, scale),
    ),
    mark?.nulls.map((value) =>
      el('line', {
        class: 'null',
        x1: scale.x(value),
        x2: scale.x(value),
        y1: y - 7,
        y2: y + 7,
      }),
    ),
    mark?.at
      ? [
          el('line', {
            class: 'interval',
            x1: scale.x(mark.at.low),
            x2: scale.x(mark.at.high),
            y1: y,
            y2: y,
          }),
          el('circle', { cx: scale.x(mark.at.value), cy: y, r: 4.5 }),
        ]
      : undefined,
    el('text', { class: 'value', x: scale.width - 2, y: y + 4, 'text-anchor': 'end' }, mark?.text ?? '–'),
  );
}

const axis = (scale: Scale, y: number): Markup =>
  el(
    'g',
    { class: 'axis' },
    el('line', {
      x1: scale.x(scale.low),
      x2: scale.x(scale.high),
      y1: y,
      y2: y,
    }),
    scale.ticks.map((tick) => [
      el('line', { x1: scale.x(tick), x2: scale.x(tick), y1: y, y2: y + 4 }),
      el('text', { x: scale.x(tick), y: y + 17, 'text-anchor': 'middle' }, tickText(tick)),
    ]),
  );

const tickText = (tick: number): string => Number(tick.toFixed(2)).toString().replace('-', '−');
