/**
 * Figures of one kind as a plot: a line for each condition and direction, drawn at the width of its element, so that
 * text is not scaled.
 */
import type { RunView } from '../../view-data.ts';
import { conditionClass, directionOf } from '../format.ts';
import type { Axis, Line } from './rung-figures.ts';
import { fitting, P_PX, type Scale } from './scale.ts';

const ROW_PX = 24;
const HEAD_PX = 20;
const AXIS_PX = 22;

interface PlotProps {
  axis: Axis;
  lines: readonly Line[];
  run: RunView;
  scale: Scale;
}

export function RungPlot({ axis, lines, run, scale }: PlotProps) {
  const heads = lines.map((line, at) => line.condition !== lines[at - 1]?.condition);
  const tops = lines.map((_, at) => at * ROW_PX + heads.slice(0, at + 1).filter(Boolean).length * HEAD_PX);
  const height = lines.length * ROW_PX + heads.filter(Boolean).length * HEAD_PX;
  const isDrawn = lines.some(({ mark }) => mark?.at);
  const whole = height + (isDrawn ? AXIS_PX : 0);
  const label = lines.map((line) => titleOf(line, run)).join('. ');
  return (
    <svg
      viewBox={`0 0 ${scale.width} ${whole}`}
      height={whole}
      role="img"
      aria-label={`${axis.name}. ${label}`}
    >
      {lines.map((line, at) => (
        <Row
          key={line.key}
          line={line}
          isFirst={heads[at] ?? false}
          isDrawn={isDrawn}
          top={tops[at] ?? 0}
          run={run}
          scale={scale}
        />
      ))}
      {isDrawn && <Ticks axis={axis} scale={scale} top={height} />}
    </svg>
  );
}

/** Room for the number at a tick. */
const TICK_PX = 36;

function Ticks({ axis, scale, top }: { axis: Axis; scale: Scale; top: number }) {
  const [first = 0, second = 1] = scale.ticks;
  const every = Math.ceil(TICK_PX / (scale.x(second) - scale.x(first)));
  const write = (tick: number): string =>
    axis.isShare ? `${Math.round(100 * tick)}\u00a0%` : String(Number(tick.toFixed(2)));
  return (
    <g class="axis">
      <line x1={scale.x(scale.low)} x2={scale.x(scale.high)} y1={top} y2={top} />
      {scale.ticks
        .filter((_, at) => at % every === 0)
        .map((tick) => (
          <g key={tick}>
            <line x1={scale.x(tick)} x2={scale.x(tick)} y1={top} y2={top + 4} />
            <text x={scale.x(tick)} y={top + 17} text-anchor="middle">
              {write(tick).replace('-', '−')}
            </text>
          </g>
        ))}
    </g>
  );
}

const titleOf = (line: Line, run: RunView): string =>
  `${line.condition}, ${directionOf(line, run)}: ${line.mark?.title ?? line.missing}`;

interface RowProps {
  line: Line;
  /** Whether it is the first line of its condition, with the condition's name above. */
  isFirst: boolean;
  /** Whether the plot has an axis. */
  isDrawn: boolean;
  top: number;
  run: RunView;
  scale: Scale;
}

function Row({ line, isFirst, isDrawn, top, run, scale }: RowProps) {
  const { mark, condition } = line;
  const y = top + ROW_PX / 2;
  const zero = scale.x(0);
  return (
    <g class={`row ${conditionClass(condition.split(/[ ,]/)[0] ?? '')}${mark?.isPale ? ' pale' : ''}`}>
      <title>{titleOf(line, run)}</title>
      <rect class="hover" x={0} y={top} width={scale.width} height={ROW_PX} />
      {isFirst && (
        <text x={0} y={top - 4} class="label">
          {condition}
        </text>
      )}
      {isDrawn && <line class="zero" x1={zero} x2={zero} y1={top} y2={top + ROW_PX} />}
      <text x={scale.label - 10} y={y + 4} text-anchor="end" class="direction">
        {fitting(directionOf(line, run), scale)}
      </text>
      {mark?.at && (
        <>
          {mark.nulls.map((value, place) => (
            <line key={place} class="null" x1={scale.x(value)} x2={scale.x(value)} y1={y - 7} y2={y + 7} />
          ))}
          <line class="interval" x1={scale.x(mark.at.low)} x2={scale.x(mark.at.high)} y1={y} y2={y} />
          <circle cx={scale.x(mark.at.value)} cy={y} r={4.5} />
        </>
      )}
      <text x={zero + 10} y={y + 4}>
        {mark?.note ?? 'not yet'}
      </text>
      <text x={scale.width - P_PX} y={y + 4} text-anchor="end" class="value">
        {mark?.text}
      </text>
      <text x={scale.width - 2} y={y + 4} text-anchor="end" class={mark?.at ? 'direction' : 'value'}>
        {mark?.p}
      </text>
    </g>
  );
}
