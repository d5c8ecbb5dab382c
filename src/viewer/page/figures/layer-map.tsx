/** R² for every pair of layers beside its mean over all permutations: two maps on one scale, the best cell marked. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { GroupView, LayerMapView, RunView } from '../../view-data.ts';
import { byCondition, directionOf, signed } from '../format.ts';
import { GroupPicker } from './group-picker.tsx';
import { Saves } from './saves.tsx';
import { useIsDark } from '../state/use-media.ts';
import { useWidth } from './use-width.ts';
import type { Cell } from './ladder-table.ts';

interface Place {
  source: number;
  target: number;
}

interface LayerMapProps {
  run: RunView;
  /** Value at which a colour is full, where maps of other runs or conditions stand beside it. */
  full?: number;
}

export function LayerMap({ run, full: largest = fullColour(run) }: LayerMapProps) {
  const groups = run.figures.groups.filter(({ layerMap }) => layerMap).toSorted(byCondition);
  const [key, setKey] = useState<string>();
  const [pointed, setPointed] = useState<Place>();
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const group = groups.find((one) => one.key === key) ?? groups[0];
  if (!group?.layerMap) return null;
  const { layerMap } = group;
  const shown = pointed ?? bestOf(layerMap);
  const [source, target] = directionOf(group, run).split(' → ');
  return (
    <figure class="layer-map">
      <figcaption>
        <h3>Layer by layer</h3>{' '}
        <a class="to-glossary" href="/?glossary#strict-mode">
          strict mode
        </a>
        <p class="question">
          How much each layer of {source} (down) tells of each of {target} (across): R² on held-out scenarios,
          beside its mean over all permutations, which is what chance gives.
        </p>
        <GroupPicker groups={groups} shown={group.key} run={run} pick={setKey} />
      </figcaption>
      <div class="maps" ref={place}>
        {(['map', 'nulls'] as const).map((which) => (
          <div
            key={which}
            data-caption={`${group.condition}, layers of ${source} down, of ${target} across, ${which === 'map' ? 'R²' : 'under the null'}`}
          >
            <p class="soft">{which === 'map' ? 'as they talked' : 'by chance (null)'}</p>
            <Axes source={source ?? ''} target={target ?? ''}>
              <MapCanvas
                cells={layerMap[which]}
                largest={largest}
                size={Math.min(200, (width - GAP) / 2 - AXIS_NAME)}
                marked={which === 'map' ? bestOf(layerMap) : undefined}
                point={setPointed}
                label={`${which === 'map' ? 'R²' : 'R² under the null'}, layers of ${source} down, of ${target} across`}
              />
            </Axes>
          </div>
        ))}
      </div>
      <p class="readout">
        {source} layer {shown.source + 1} → {target} layer {shown.target + 1}:{' '}
        <b>{signed(layerMap.map[shown.source]?.[shown.target] ?? NaN)}</b>, null{' '}
        {signed(layerMap.nulls[shown.source]?.[shown.target] ?? NaN)}
        {pointed ? '' : ' · the largest of them'}
      </p>
      <Scale largest={largest} />
      <Saves name={`${run.run}-layers`} title={`Run ${run.run}`} place={place} table={() => tableOf(group)} />
    </figure>
  );
}

/** Pixels between the maps, and of the name of an axis; as in the style sheet. */
const GAP = 18;
const AXIS_NAME = 20;

interface AxesProps {
  source: string;
  target: string;
  children: preact.ComponentChildren;
}

/** A map with the names of its axes: whose layers tell, and of whose they tell. */
function Axes({ source, target, children }: AxesProps) {
  const [down, across] = [`Source layer of ${source} →`, `Target layer of ${target} →`];
  return (
    <div class="map-axes">
      <span class="across" title={across}>
        {across}
      </span>
      <span class="down" title={down}>
        {down}
      </span>
      {children}
    </div>
  );
}

/** One scale for all groups, so that they compare by eye. */
export function fullColour({ figures }: RunView): number {
  const cells = figures.groups.flatMap(({ layerMap }) =>
    [layerMap?.map ?? [], layerMap?.nulls ?? []].flat(2),
  );
  return Math.max(0.05, ...cells.map(Math.abs));
}

function bestOf({ map }: LayerMapView): Place {
  const cells = map.flatMap((row, source) => row.map((value, target) => ({ source, target, value })));
  return cells.reduce((best, cell) => (cell.value > best.value ? cell : best), {
    source: 0,
    target: 0,
    value: -Infinity,
  });
}

function Scale({ largest }: { largest: number }) {
  return (
    <p class="map-scale soft">
      −{largest.toFixed(2)} <span class="map-ramp" aria-hidden="true" /> +{largest.toFixed(2)}
    </p>
  );
}

interface MapCanvasProps {
  cells: number[][];
  largest: number;
  size: number;
  marked: Place | undefined;
  point(place: Place | undefined): void;
  label: string;
}

/** Sources down, targets across, from layer 1; the arrow keys move the pointer too. */
function MapCanvas({ cells, largest, size, marked, point, label }: MapCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isDark = useIsDark();
  const [rows, cols] = [cells.length, cells[0]?.length ?? 0];
  const [at, setAt] = useState<Place>();
  useEffect(() => {
    if (canvas.current) draw(canvas.current, { cells, largest, size, marked });
  }, [cells, largest, size, marked?.source, marked?.target, isDark]);
  const go = (place: Place | undefined): void => {
    setAt(place);
    point(place);
  };
  const keys: Record<string, [number, number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  return (
    <canvas
      ref={canvas}
      tabIndex={0}
      role="img"
      aria-label={label}
      style={{ width: `${size}px`, height: `${size}px` }}
      onPointerMove={({ offsetX, offsetY }) =>
        go({
          source: Math.min(rows - 1, Math.max(0, Math.floor(((offsetY - EDGE) / (size - EDGE)) * rows))),
          target: Math.min(cols - 1, Math.max(0, Math.floor(((offsetX - EDGE) / (size - EDGE)) * cols))),
        })
      }
      onPointerLeave={() => go(undefined)}
      onBlur={() => go(undefined)}
      onKeyDown={(event) => {
        const step = keys[event.key];
        if (!step) return;
        event.preventDefault();
        const { source, target } = at ?? { source: 0, target: 0 };
        go({
          source: Math.min(rows - 1, Math.max(0, source + step[0])),
          target: Math.min(cols - 1, Math.max(0, target + step[1])),
        });
      }}
    />
  );
}

/** Room for the numbers of the layers, above and on the left. */
const EDGE = 18;
/** A number is written at every layer, or at so many that they have room. */
const NUMBER_PX = 18;

/** The numbers of layers along one side. */
function number(
  context: CanvasRenderingContext2D,
  { count, step, isDown }: { count: number; step: number; isDown: boolean },
): void {
  const every = Math.ceil(NUMBER_PX / step);
  for (let at = 0; at < count; at += every) {
    const middle = EDGE + (at + 0.5) * step;
    context.fillText(String(at + 1), isDown ? EDGE / 2 : middle, isDown ? middle : EDGE / 2);
  }
}

function draw(
  canvas: HTMLCanvasElement,
  { cells, largest, size, marked }: Pick<MapCanvasProps, 'cells' | 'largest' | 'size' | 'marked'>,
): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * ratio);
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  const [rows, cols] = [cells.length, cells[0]?.length ?? 1];
  const [high, wide] = [(size - EDGE) / rows, (size - EDGE) / cols];
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillStyle = colour('--soft');
  number(context, { count: rows, step: high, isDown: true });
  number(context, { count: cols, step: wide, isDown: false });
  context.translate(EDGE, EDGE);
  for (const [source, row] of cells.entries())
    for (const [target, value] of row.entries()) {
      context.globalAlpha = 1;
      context.fillStyle = colour('--cell');
      context.fillRect(target * wide, source * high, wide - 1, high - 1);
      context.globalAlpha = Math.min(1, Math.abs(value) / largest);
      context.fillStyle = colour(value < 0 ? '--warn' : '--strict');
      context.fillRect(target * wide, source * high, wide - 1, high - 1);
    }
  if (!marked) return;
  context.globalAlpha = 1;
  context.strokeStyle = colour('--ink');
  context.lineWidth = 2;
  context.strokeRect(marked.target * wide + 1, marked.source * high + 1, wide - 3, high - 3);
}

function tableOf({ layerMap }: GroupView): Cell[][] {
  const rows = (layerMap?.map ?? []).flatMap((row, source) =>
    row.map((value, target) => [source + 1, target + 1, value, layerMap?.nulls[source]?.[target] ?? null]),
  );
  return [['source_layer', 'target_layer', 'r2', 'null_mean'], ...rows];
}
