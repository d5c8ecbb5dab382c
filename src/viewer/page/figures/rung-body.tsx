/** What one rung shows: a plot for each kind of figure, or in words why there is none. */
import type { RunView } from '../../view-data.ts';
import { withoutTooFew } from '../../../protocol/verdict.ts';
import { CANNOT_TELL, onlyReads, type Axis, type Line, type Rung } from './rung-figures.ts';
import { RungPlot } from './rung-plot.tsx';
import type { Scale } from './scale.ts';

interface RungBodyProps {
  rung: Rung;
  lines: readonly Line[];
  run: RunView;
  scale: Scale;
}

export function RungBody({ rung, lines, run, scale }: RungBodyProps) {
  const instead = insteadOf(rung, lines, run);
  if (instead !== undefined) return <p class="soft">{instead}</p>;
  const axes = [...new Set(lines.map(({ axis }) => axis))];
  const missing = reasonsOf(lines);
  return (
    <>
      {axes.map((axis: Axis) => (
        <div key={axis.name} data-caption={`${rung.place} ${rung.name}. ${axis.name}`}>
          <p class="axis-name">{axis.name}</p>
          <RungPlot axis={axis} lines={lines.filter((line) => line.axis === axis)} run={run} scale={scale} />
        </div>
      ))}
      {rung.place === 2 && run.figures.provisional && (
        <p class="soft">This p holds at the planned end of the run alone.</p>
      )}
      {remarksOn(rung, lines, run).map((remark) => (
        <p key={remark} class="soft">
          {remark}
        </p>
      ))}
      {missing !== '' && <p class="soft">Not yet: {missing}.</p>}
    </>
  );
}

/** What would be misread without a word. */
function remarksOn({ place }: Rung, lines: readonly Line[], { figures }: RunView): string[] {
  const reads = figures.groups.some((group) => onlyReads(group) && group.adjustment?.verdict === 'counts');
  const isCut = lines.some(({ mark }) => mark?.note === CANNOT_TELL);
  return [
    ...(place === 2 && reads
      ? [
          'One who only reads says nothing, and its state goes together with the speaker’s all the same: they have heard the same. So this rung is no evidence that one acts on the other; rung 3 is.',
        ]
      : []),
    ...(place === 1 && isCut
      ? [
          'Where it cannot tell, R² is below 0: turn pairs are few for the dimensions of the states. The rungs above do not rest on it.',
        ]
      : []),
  ];
}

/** The words that stand in place of a plot. */
function insteadOf(
  rung: Rung,
  lines: readonly Line[],
  { figures, hasBranches }: RunView,
): string | undefined {
  if (lines.some(({ mark }) => mark)) return rung.instead?.(lines, figures);
  const isBegun = rung.place < 3 || figures.groups.some(({ intervention }) => intervention);
  const reasons = reasonsOf(lines);
  if (isBegun && reasons !== '') return `Nothing yet: ${reasons}.`;
  return rung.place === 3 && hasBranches
    ? 'Nothing yet: the first figures come after a few branched turns.'
    : rung.notRun;
}

/** Of the lines without a figure, each reason once. */
function reasonsOf(lines: readonly Line[]): string {
  const said = lines.filter(({ mark }) => !mark).map(({ missing }) => missing);
  const known = said.filter((reason) => reason !== '' && reason !== 'not yet');
  return [...new Set(known.map((reason) => withoutTooFew(reason).replace(/\.$/, '')))].join('; ');
}
