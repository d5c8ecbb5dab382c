/**
 * One rung as a plot: a line for each condition and direction, drawn at the width of its element, so that text is not
 * scaled.
 */
import type { RunView } from '../../view-data.ts';
import { conditionClass, directionOf } from '../format.ts';
import type { Line, Rung } from './rung-figures.ts';
import { LABEL_PX, type Scale } from './scale.ts';

const ROW_PX = 24;
const HEAD_PX = 20;
const AXIS_PX = 22;

interface PlotProps {
  rung: Rung;
  lines: readonly Line[];
  run: RunView;
  scale: Scale;
}

export function RungPlot({ rung, lines, run, scale }: PlotProps) {
  const heads = lines.map((line, at) => line.condition !== lines[at - 1]?.condition);
  const tops = lines.map((_, at) => at * ROW_PX + heads.slice(0, at + 1).filter(Boolean).length * HEAD_PX);
  const height = lines.length * ROW_PX + heads.filter(Boolean).length * HEAD_PX;
  const label = lines.map((line) => titleOf(line, run)).join('. ');
  return (
    <svg
      viewBox={`0 0 ${scale.width} ${height + AXIS_PX}`}
      height={height + AXIS_PX}
      role="img"
      aria-label={`${rung.name}. ${label}`}
    >
      <line class="zero" x1={scale.x(0)} x2={scale.x(0)} y1={0} y2={height} />
      {lines.map((line, at) => (
        <Row
          key={line.key}
          line={line}
          isFirst={heads[at] ?? false}
          top={tops[at] ?? 0}
          run={run}
          scale={scale}
        />
      ))}
      <g class="axis">
        <line x1={scale.x(scale.low)} x2={scale.x(scale.high)} y1={height} y2={height} />
        {scale.ticks.map((tick) => (
          <g key={tick}>
            <line x1={scale.x(tick)} x2={scale.x(tick)} y1={height} y2={height + 4} />
            <text x={scale.x(tick)} y={height + 17} text-anchor="middle">
              {Number(tick.toFixed(2)).toString().replace('-', '−')}
            </text>
          </g>
        ))}
      </g>
    </svg>
  );
}

const titleOf = (line: Line, run: RunView): string =>
  `${line.condition}, ${directionOf(line, run)}: ${line.mark?.title ?? line.missing}`;

interface RowProps {
  line: Line;
  /** Whether it is the first line of its condition, with the condition's name above. */
  isFirst: boolean;
  top: number;
  run: RunView;
  scale: Scale;
}

function Row({ line, isFirst, top, run, scale }: RowProps) {
  const { mark, condition } = line;
  const y = top + ROW_PX / 2;
  return (
    <g class={`row ${conditionClass(condition.split(/[ ,]/)[0] ?? '')}${mark?.isPale ? ' pale' : ''}`}>
      <title>{titleOf(line, run)}</title>
      <rect class="hover" x={0} y={top} width={scale.width} height={ROW_PX} />
      {isFirst && (
        <text x={0} y={top - 4} class="label">
          {condition}
        </text>
      )}
      <text x={LABEL_PX - 10} y={y + 4} text-anchor="end" class="direction">
        {directionOf(line, run)}
      </text>
      {mark?.nulls.map((value, place) => (
        <line key={place} class="null" x1={scale.x(value)} x2={scale.x(value)} y1={y - 7} y2={y + 7} />
      ))}
      {mark?.at && (
        <>
          <line class="interval" x1={scale.x(mark.at.low)} x2={scale.x(mark.at.high)} y1={y} y2={y} />
          <circle cx={scale.x(mark.at.value)} cy={y} r={4.5} />
        </>
      )}
      <text x={scale.width - 2} y={y + 4} text-anchor="end" class={mark?.at ? 'value' : 'direction'}>
        {mark?.text ?? '–'}
      </text>
    </g>
  );
}
