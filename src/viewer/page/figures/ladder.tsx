/** The ladder: association, adjustment, intervention, on one scale, with the strongest rung at the top. */
import { useRef } from 'preact/hooks';
import type { RunView } from '../../view-data.ts';
import { ladderTable } from './ladder-table.ts';
import { RUNGS, type Line, type Rung } from './rung-figures.ts';
import { RungPlot } from './rung-plot.tsx';
import { Saves } from './saves.tsx';
import { scaleOf } from './scale.ts';
import { useWidth } from './use-width.ts';

export function Ladder({ run }: { run: RunView }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const rungs = RUNGS.map((rung) => ({ rung, lines: rung.lines(run.figures) }));
  const scale = scaleOf(
    rungs.flatMap(({ lines }) => lines),
    width,
  );
  return (
    <div class="ladder" ref={place}>
      <p class="legend">
        <span>
          <span class="legend-dot" /> interval above 0
        </span>{' '}
        <span>
          <span class="legend-dot hollow" /> interval holds 0
        </span>{' '}
        <span>
          <span class="legend-bar" /> 95&nbsp;% interval
        </span>{' '}
        <span>
          <span class="legend-tick" /> under a null
        </span>
      </p>
      {rungs.map(({ rung, lines }) => (
        <RungView key={rung.place} rung={rung} lines={lines} run={run}>
          <RungPlot rung={rung} lines={lines} run={run} scale={scale} />
        </RungView>
      ))}
      {run.figures.groups.length > 0 && (
        <Saves name={`${run.run}-ladder`} place={place} table={() => ladderTable(run.figures.groups)} />
      )}
    </div>
  );
}

interface RungViewProps {
  rung: Rung;
  lines: readonly Line[];
  run: RunView;
  children: preact.ComponentChildren;
}

function RungView({ rung, lines, run, children }: RungViewProps) {
  const hasFigure = lines.some(({ mark }) => mark);
  const why = lines.find(({ missing }) => missing !== 'not yet' && missing !== '')?.missing;
  const isWaiting =
    rung.place < 3 ? run.figures.groups.length > 0 : run.figures.groups.some((of) => of.intervention);
  return (
    <figure class={`rung${hasFigure ? '' : ' bare'}`} data-caption={`${rung.name}: ${rung.question}`}>
      <figcaption>
        <span class="place" aria-hidden="true">
          {rung.place}
        </span>
        <h3>{rung.name}</h3>
        <details class="definition">
          <summary aria-label={`What is ${rung.name.toLowerCase()}?`}>?</summary>
          <p>
            {rung.definition} <a href={`/?glossary#${rung.term}`}>In the glossary</a>
          </p>
        </details>
        <p class="question">{rung.question}</p>
      </figcaption>
      {hasFigure ? (
        children
      ) : (
        <p class="soft">{isWaiting && why !== undefined ? why : notRunText(rung, run)}</p>
      )}
    </figure>
  );
}

/** Why a rung has no figure at all. */
export const notRunText = ({ place, notRun }: Rung, { hasBranches }: RunView): string =>
  place === 3 && hasBranches ? 'Nothing yet: the first figures come after a few branched turns.' : notRun;
