/** Plots the excess of a group against the number of turn pairs, with its interval and a line at zero. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { GroupView, RunView } from '../../view-data.ts';
import { saveCsv } from './save-figure.ts';
import { byCondition, directionOf } from '../words.ts';

export function Course({ run }: { run: RunView }) {
  const groups = run.figures.groups.filter(({ curve }) => curve.length > 1).toSorted(byCondition);
  const [key, setKey] = useState<string>();
  const group = groups.find((one) => one.key === key) ?? groups[0];
  if (!group) return null;
  return (
    <figure class="course">
      <figcaption>
        <h3>As data arrived</h3>
        <p class="question">The excess of rung 2 and its 95&nbsp;% interval.</p>
        <select aria-label="Group" value={group.key} onChange={(event) => setKey(event.currentTarget.value)}>
          {groups.map((one) => (
            <option key={one.key} value={one.key}>
              {one.condition}, {directionOf(one, run)}
            </option>
          ))}
        </select>
      </figcaption>
      <Curve group={group} />
      <div class="saves">
        <button type="button" onClick={() => saveCsv(`${run.run}-course.csv`, courseTable(group))}>
          CSV
        </button>
      </div>
    </figure>
  );
}

const HEIGHT = 180;

function Curve({ group }: { group: GroupView }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const css = (name: string): string => getComputedStyle(box).getPropertyValue(name).trim();
    const [ink, line, strict] = [css('--soft'), css('--line'), css('--strict')];
    const axis = {
      stroke: ink,
      grid: { stroke: line, width: 1 },
      ticks: { stroke: line, width: 1 },
      font: '11px system-ui',
    };
    const data: uPlot.AlignedData = [
      group.curve.map(({ samples }) => samples),
      group.curve.map(({ low }) => low),
      group.curve.map(({ high }) => high),
      group.curve.map(({ value }) => value),
    ];
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        scales: {
          x: { time: false },
          y: { range: (_, low, high) => [Math.min(-0.05, low), Math.max(0.1, high)] },
        },
        axes: [
          { ...axis, label: 'turn pairs', labelFont: '11px system-ui', labelSize: 16, size: 30 },
          { ...axis, size: 46 },
        ],
        series: [
          {},
          { stroke: 'transparent', points: { show: false } },
          { stroke: 'transparent', points: { show: false } },
          { stroke: strict, width: 2, points: { show: false } },
        ],
        bands: [{ series: [2, 1], fill: css('--strict-wash') }],
      },
      data,
      box,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT }));
    resize.observe(box);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [group.key, group.curve.length]);
  const last = group.curve.at(-1);
  const label = last
    ? `Excess over ${group.curve.length} looks; at ${last.samples} turn pairs ${last.value.toFixed(3)}`
    : '';
  return <div class="curve" ref={place} role="img" aria-label={label} />;
}

const courseTable = ({ curve }: GroupView): (string | number | null)[][] => [
  ['samples', 'excess', 'ci_low', 'ci_high', 'syncr2', 'at_ms'],
  ...curve.map(({ samples, value, low, high, association, atMs }) => [
    samples,
    value,
    low,
    high,
    association,
    atMs,
  ]),
];
