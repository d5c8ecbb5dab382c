/** The ladder: association, adjustment, intervention, on one scale, with the strongest rung at the top. */
import { useRef } from 'preact/hooks';
import type { RunView } from '../../view-data.ts';
import { directionOf } from '../format.ts';
import { ladderTable } from './ladder-table.ts';
import { RUNGS, type Line, type Rung } from './rung-figures.ts';
import { RungBody } from './rung-body.tsx';
import { Saves } from './saves.tsx';
import { scaleOf } from './scale.ts';
import { useWidth } from './use-width.ts';

export function Ladder({ run }: { run: RunView }) {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const rungs = RUNGS.map((rung) => ({ rung, lines: rung.lines(run.figures) }));
  const lines = rungs.flatMap((one) => one.lines);
  const scale = scaleOf(
    lines,
    width,
    lines.map((line) => directionOf(line, run)),
  );
  return (
    <div class="ladder" ref={place}>
      {lines.some(({ mark }) => mark?.at) && <Legend lines={lines} />}
      {rungs.map((one) => (
        <RungView key={one.rung.place} rung={one.rung}>
          <RungBody {...one} run={run} scale={scale} />
        </RungView>
      ))}
      {run.figures.groups.length > 0 && (
        <Saves
          name={`${run.run}-ladder`}
          title={`Run ${run.run}`}
          place={place}
          table={() => ladderTable(run.figures, (group) => directionOf(group, run))}
        />
      )}
    </div>
  );
}

/** Of the marks that are drawn. */
function Legend({ lines }: { lines: readonly Line[] }) {
  const hasNulls = lines.some(({ mark }) => mark?.at && mark.nulls.length > 0);
  return (
    <p class="legend">
      <span>● shown: interval above 0, and q or p ≤ 0.05</span> <span>○ not shown</span>{' '}
      <span>━ 95&nbsp;% interval</span>
      {hasNulls && <span> | by chance, or by the words alone</span>}
    </p>
  );
}

/** A rung with its number. */
export function RungView({ rung, children }: { rung: Rung; children: preact.ComponentChildren }) {
  return (
    <figure class="rung">
      <figcaption>
        <span class="place">{rung.place}</span>
        <h3>{rung.name}</h3>
        <details class="definition">
          <summary aria-label={`What is ${rung.name.toLowerCase()}?`}>?</summary>
          <p>
            {rung.definition} <a href={`/?glossary#${rung.term}`}>In the glossary</a>
          </p>
        </details>
        <p class="question">{rung.question}</p>
      </figcaption>
      {children}
    </figure>
  );
}
