/** Plots the excess of a group against the number of turn pairs, with its interval and that of `monologue`. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { CurveView, GroupView, RunView } from '../../view-data.ts';
import { GroupPicker } from './group-picker.tsx';
import { Saves } from './saves.tsx';
import { useIsDark } from '../state/use-media.ts';
import { byCondition, directionOf, signed } from '../format.ts';

/** Fewer looks say no more than the ladder does, and a line between two of them would look like a trend. */
const LOOKS = 3;

export function Course({ run }: { run: RunView }) {
  const groups = run.figures.groups.filter(({ curve }) => curve.length >= LOOKS).toSorted(byCondition);
  const [key, setKey] = useState<string>();
  const [pointed, setPointed] = useState<number>();
  const place = useRef<HTMLDivElement>(null);
  const group = groups.find((one) => one.key === key) ?? groups[0];
  if (!group) return null;
  const control = controlOf(group, groups);
  const name = `${group.condition}, ${directionOf(group, run)}`;
  return (
    <figure class="course" data-caption={`As data arrived: excess (R²) over turn pairs, ${name}`}>
      <figcaption>
        <h3>As data arrived</h3>
        <p class="question">
          The excess of rung 2 (R²) and its 95&nbsp;% interval, at each look.
          {control && ' Grey: the interval of monologue, where nobody hears.'}
        </p>
        <GroupPicker groups={groups} shown={group.key} run={run} pick={setKey} />
      </figcaption>
      <div ref={place}>
        <Curve group={group} control={control} point={setPointed} />
      </div>
      <p class="readout">{readoutOf(group, pointed)}</p>
      <Saves
        name={`${run.run}-course`}
        title={`Run ${run.run}`}
        place={place}
        table={() => courseTable(group)}
      />
    </figure>
  );
}

/** The look nearest to a number of turn pairs; the last one where nothing is pointed at. */
function readoutOf({ curve }: GroupView, pointed: number | undefined): string {
  const distance = ({ samples }: CurveView): number => Math.abs(samples - (pointed ?? Infinity));
  const at = pointed === undefined ? curve.at(-1) : curve.toSorted((a, b) => distance(a) - distance(b))[0];
  return at
    ? `At ${at.samples} turn pairs: excess ${signed(at.value)} [${signed(at.low)}, ${signed(at.high)}]`
    : '';
}

/** The same places in `monologue`: what a figure looks like where nobody hears. */
const controlOf = (group: GroupView, groups: readonly GroupView[]): GroupView | undefined =>
  group.condition === 'monologue'
    ? undefined
    : groups.find(
        ({ condition, sourceRole, targetRole }) =>
          condition === 'monologue' && sourceRole === group.sourceRole && targetRole === group.targetRole,
      );

const HEIGHT = 190;

interface CurveProps {
  group: GroupView;
  control: GroupView | undefined;
  /** Told the number of turn pairs under the pointer. */
  point(samples: number | undefined): void;
}

function Curve({ group, control, point }: CurveProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(undefined);
  const isDark = useIsDark();
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const plot = new uPlot(optionsOf(box, point), dataOf(group, control), box);
    drawn.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: HEIGHT }));
    resize.observe(box);
    return () => {
      resize.disconnect();
      plot.destroy();
      drawn.current = undefined;
    };
  }, [group.key, isDark]);
  useEffect(() => drawn.current?.setData(dataOf(group, control)), [group.curve, control?.curve]);
  const last = group.curve.at(-1);
  const label = last
    ? `Excess over ${group.curve.length} looks; at ${last.samples} turn pairs ${last.value.toFixed(3)}`
    : '';
  return <div class="curve" ref={place} role="img" aria-label={label} />;
}

/** x, then low, high and value of the group, then low and high of the control. */
function dataOf(group: GroupView, control: GroupView | undefined): uPlot.AlignedData {
  const own: uPlot.AlignedData = [
    group.curve.map(({ samples }) => samples),
    group.curve.map(({ low }) => low),
    group.curve.map(({ high }) => high),
    group.curve.map(({ value }) => value),
  ];
  const beside: uPlot.AlignedData = [
    (control?.curve ?? []).map(({ samples }) => samples),
    (control?.curve ?? []).map(({ low }) => low),
    (control?.curve ?? []).map(({ high }) => high),
  ];
  return uPlot.join([own, beside]);
}

function optionsOf(box: HTMLElement, point: CurveProps['point']): uPlot.Options {
  const css = (name: string): string => getComputedStyle(box).getPropertyValue(name).trim();
  const [ink, line, strict] = [css('--soft'), css('--line'), css('--strict')];
  const font = '11px system-ui';
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font };
  const edge = { stroke: 'transparent', points: { show: false }, spanGaps: true };
  const dots = { show: true, size: 6, fill: strict, stroke: strict };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { show: false } },
    hooks: {
      setCursor: [
        ({ cursor, posToVal }) =>
          point((cursor.left ?? -1) < 0 ? undefined : posToVal(cursor.left ?? 0, 'x')),
      ],
    },
    scales: {
      x: { time: false },
      y: { range: (_, low, high) => [Math.min(-0.05, low), Math.max(0.1, high)] },
    },
    axes: [
      { ...axis, label: 'turn pairs', labelFont: font, labelSize: 16, size: 30 },
      { ...axis, label: 'excess, R²', labelFont: font, labelSize: 16, size: 46 },
    ],
    series: [{}, edge, edge, { stroke: strict, width: 2, points: dots, spanGaps: true }, edge, edge],
    bands: [
      { series: [5, 4], fill: css('--null-wash') },
      { series: [2, 1], fill: css('--strict-wash') },
    ],
  };
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
