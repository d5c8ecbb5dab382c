/** How the excess goes with the number of turns in between, and with the share of the talk that is heard. */
import { useRef } from 'preact/hooks';
import type { RunView } from '../../view-data.ts';
import { conditionClass, signed } from '../format.ts';
import { Saves } from './saves.tsx';
import { useWidth } from './use-width.ts';
import type { Cell } from './ladder-table.ts';
import { doseSeries, lagSeries, type Series } from './trend-series.ts';

export function Trends({ run }: { run: RunView }) {
  const lags = lagSeries(run);
  const doses = doseSeries(run);
  return (
    <>
      {lags.length > 0 && (
        <Trend
          run={run}
          name="lag"
          title="Turns later"
          question="Does it last? The excess of the partner’s state 1, 3 and 5 turns on."
          axis="turns later"
          series={lags}
        />
      )}
      {doses.length > 0 && (
        <Trend
          run={run}
          name="dose"
          title="Dose"
          question="Does more hearing go with more? The excess by the share of the talk that is heard."
          axis="share heard"
          series={doses}
        />
      )}
    </>
  );
}

const PLOT_PX = 160;
const NAME_PX = 18;
const LEFT = 44;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 34;

interface TrendProps {
  run: RunView;
  name: string;
  title: string;
  question: string;
  axis: string;
  series: readonly Series[];
}

function Trend({ run, name, title, question, axis, series }: TrendProps) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const label = series.map((one) => titleOf(one)).join('. ');
  const scales = scalesOf(series, width);
  const { x, y } = scales;
  const height = PLOT_PX + series.length * NAME_PX + 6;
  return (
    <figure class="trend" data-caption={`${title}: ${question}`}>
      <figcaption>
        <h3>{title}</h3>
        <p class="question">{question}</p>
      </figcaption>
      <div class="rung" ref={place}>
        <svg viewBox={`0 0 ${width} ${height}`} height={height} role="img" aria-label={`${title}. ${label}`}>
          <Axes scales={scales} width={width} axis={axis} />
          {series.map((one, at) => {
            const shift = (at - (series.length - 1) / 2) * 5;
            const path = one.points.map((point) => `${x(point.x) + shift},${y(point.value)}`).join(' ');
            return (
              <g
                key={one.name}
                class={`row ${conditionClass(one.condition)}${one.isSecond ? ' second' : ''}`}
              >
                <title>{titleOf(one)}</title>
                <polyline class="trend-line" points={path} />
                {one.points.map((point) => (
                  <g key={point.x} transform={`translate(${shift} 0)`}>
                    <line
                      class="interval"
                      x1={x(point.x)}
                      x2={x(point.x)}
                      y1={y(point.low)}
                      y2={y(point.high)}
                    />
                    <Point x={x(point.x)} y={y(point.value)} isSecond={one.isSecond} />
                  </g>
                ))}
                <Name series={one} top={PLOT_PX + 6 + at * NAME_PX} />
              </g>
            );
          })}
        </svg>
      </div>
      <Saves
        name={`${run.run}-${name}`}
        title={`Run ${run.run}`}
        place={place}
        table={() => tableOf(axis, series)}
      />
    </figure>
  );
}

/** A line of the legend, with the line as it is drawn. */
function Name({ series: { name, isSecond }, top }: { series: Series; top: number }) {
  return (
    <>
      <polyline class="trend-line" points={`${LEFT},${top + 6} ${LEFT + 34},${top + 6}`} />
      <Point x={LEFT + 17} y={top + 6} isSecond={isSecond} />
      <text class="direction" x={LEFT + 44} y={top + 10}>
        {name}
      </text>
    </>
  );
}

/** The second direction has squares: an empty circle says "not shown" in the ladder. */
function Point({ x, y, isSecond }: { x: number; y: number; isSecond: boolean }) {
  return isSecond ? <rect x={x - 3.5} y={y - 3.5} width={7} height={7} /> : <circle cx={x} cy={y} r={3.5} />;
}

interface Scales {
  x(value: number): number;
  y(value: number): number;
  xs: number[];
  ys: number[];
}

/** Room beside the first and the last point. */
const SPREAD = 14;

function scalesOf(series: readonly Series[], width: number): Scales {
  const all = series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(({ x }) => x))].toSorted((a, b) => a - b);
  const [first, last] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const low = Math.min(-0.05, ...all.map((point) => point.low));
  const most = Math.max(0.1, ...all.map((point) => point.high));
  const step = most > 0.45 ? 0.2 : most > 0.25 ? 0.1 : 0.05;
  const high = Math.ceil(most / step) * step;
  const span = width - LEFT - RIGHT - 2 * SPREAD;
  return {
    xs,
    ys: Array.from({ length: Math.round(high / step) + 1 }, (_, at) => at * step),
    x: (value) => LEFT + SPREAD + (span * (value - first)) / Math.max(1e-9, last - first),
    y: (value) => TOP + ((PLOT_PX - TOP - BOTTOM) * (high - value)) / (high - low),
  };
}

function Axes({ scales: { x, y, xs, ys }, width, axis }: { scales: Scales; width: number; axis: string }) {
  return (
    <>
      <line class="zero" x1={LEFT} x2={width - RIGHT} y1={y(0)} y2={y(0)} />
      {ys.map((value) => (
        <text key={value} x={LEFT - 8} y={y(value) + 4} text-anchor="end">
          {Number(value.toFixed(2))}
        </text>
      ))}
      {xs.map((value) => (
        <text key={value} x={x(value)} y={PLOT_PX - 18} text-anchor="middle">
          {value}
        </text>
      ))}
      <text x={(LEFT + width - RIGHT) / 2} y={PLOT_PX - 3} text-anchor="middle">
        {axis}
      </text>
      <text
        transform={`translate(10 ${(TOP + PLOT_PX - BOTTOM) / 2}) rotate(-90)`}
        text-anchor="middle"
        class="axis-title"
      >
        excess, R²
      </text>
    </>
  );
}

const titleOf = ({ name, points }: Series): string =>
  `${name}: ${points.map(({ x, value, low, high }) => `${x}: ${signed(value)} [${signed(low)}, ${signed(high)}]`).join(', ')}`;

const tableOf = (axis: string, series: readonly Series[]): Cell[][] => [
  ['series', axis.replaceAll(' ', '_'), 'excess', 'ci_low', 'ci_high'],
  ...series.flatMap(({ name, points }) =>
    points.map(({ x, value, low, high }) => [name, x, value, low, high]),
  ),
];
