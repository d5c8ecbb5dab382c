/** How the excess goes with the number of turns in between, and with the share of the talk that is heard. */
import { useRef } from 'preact/hooks';
import type { GroupView, Interval, RunView } from '../../view-data.ts';
import { conditionClass, directionOf, signed } from '../format.ts';
import { Saves } from './saves.tsx';
import { useWidth } from './use-width.ts';
import type { Cell } from './save-figure.ts';

interface Point extends Interval {
  x: number;
}

interface Series {
  name: string;
  condition: string;
  points: Point[];
}

export function Trends({ run }: { run: RunView }) {
  const lags = run.figures.groups.flatMap((group) => lagSeries(group, run));
  const doses = doseSeries(run);
  return (
    <>
      {lags.length > 0 && (
        <Trend
          run={run}
          name="lag"
          title="Turns later"
          question="Does it last? The excess of the partner’s state 1, 3 and 5 turns on."
          axis="turns"
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

function lagSeries(group: GroupView, run: RunView): Series[] {
  const { adjustment, lags, condition, distance } = group;
  if (!adjustment || lags.length === 0) return [];
  const { value, low, high } = adjustment;
  const points = [
    { x: distance, value, low, high },
    ...lags.map(({ lag, ...rest }) => ({ x: lag, ...rest })),
  ];
  return [{ name: `${condition}, ${directionOf(group, run)}`, condition, points }];
}

/** The share that a condition lets through; undefined for another kind of condition. */
function shareOf(condition: string): number | undefined {
  if (condition === 'monologue') return 0;
  if (condition === 'live') return 1;
  return condition.startsWith('dose:') ? Number(condition.slice(5)) : undefined;
}

function doseSeries(run: RunView): Series[] {
  const { groups } = run.figures;
  if (!groups.some(({ condition }) => condition.startsWith('dose:'))) return [];
  const places = [...new Set(groups.map(({ sourceRole, targetRole }) => `${sourceRole} ${targetRole}`))];
  return places.flatMap((place): Series[] => {
    const own = groups.filter(({ sourceRole, targetRole }) => `${sourceRole} ${targetRole}` === place);
    const points = own.flatMap(({ condition, adjustment }) => {
      const x = shareOf(condition);
      return x === undefined || !adjustment ? [] : [{ x, ...adjustment }];
    });
    const [first] = own;
    if (!first || points.length < 2) return [];
    const sorted = points.toSorted((a, b) => a.x - b.x);
    return [
      { name: directionOf(first, run), condition: place.startsWith('1') ? 'dose' : 'reader', points: sorted },
    ];
  });
}

const HEIGHT = 150;
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
  return (
    <figure class="trend" data-caption={`${title}: ${question}`}>
      <figcaption>
        <h3>{title}</h3>
        <p class="question">{question}</p>
      </figcaption>
      <div class="rung" ref={place}>
        <svg viewBox={`0 0 ${width} ${HEIGHT}`} height={HEIGHT} role="img" aria-label={`${title}. ${label}`}>
          <Axes scales={scales} width={width} axis={axis} />
          {series.map((one, at) => {
            const shift = (at - (series.length - 1) / 2) * 5;
            const path = one.points.map((point) => `${x(point.x) + shift},${y(point.value)}`).join(' ');
            return (
              <g key={one.name} class={`row ${conditionClass(one.condition)}`}>
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
                    <circle cx={x(point.x)} cy={y(point.value)} r={3.5} />
                  </g>
                ))}
              </g>
            );
          })}
        </svg>
      </div>
      <p class="legend">
        {series.map((one) => (
          <span key={one.name} class={`legend-name ${conditionClass(one.condition)}`}>
            <span class="dot" aria-hidden="true" /> {one.name}
          </span>
        ))}
      </p>
      <Saves name={`${run.run}-${name}`} place={place} table={() => tableOf(axis, series)} />
    </figure>
  );
}

interface Scales {
  x(value: number): number;
  y(value: number): number;
  xs: number[];
  high: number;
}

/** Room beside the first and the last point. */
const SPREAD = 14;

function scalesOf(series: readonly Series[], width: number): Scales {
  const all = series.flatMap(({ points }) => points);
  const xs = [...new Set(all.map(({ x }) => x))].toSorted((a, b) => a - b);
  const [first, last] = [xs[0] ?? 0, xs.at(-1) ?? 1];
  const low = Math.min(-0.05, ...all.map((point) => point.low));
  const high = Math.max(0.1, ...all.map((point) => point.high));
  const span = width - LEFT - RIGHT - 2 * SPREAD;
  return {
    xs,
    high,
    x: (value) => LEFT + SPREAD + (span * (value - first)) / Math.max(1e-9, last - first),
    y: (value) => TOP + ((HEIGHT - TOP - BOTTOM) * (high - value)) / (high - low),
  };
}

function Axes({ scales: { x, y, xs, high }, width, axis }: { scales: Scales; width: number; axis: string }) {
  return (
    <>
      <line class="zero" x1={LEFT} x2={width - RIGHT} y1={y(0)} y2={y(0)} />
      <text x={LEFT - 8} y={y(0) + 4} text-anchor="end">
        0
      </text>
      <text x={LEFT - 8} y={y(high) + 10} text-anchor="end">
        {high.toFixed(2)}
      </text>
      {xs.map((value) => (
        <text key={value} x={x(value)} y={HEIGHT - 18} text-anchor="middle">
          {value}
        </text>
      ))}
      <text x={(LEFT + width - RIGHT) / 2} y={HEIGHT - 3} text-anchor="middle">
        {axis}
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
