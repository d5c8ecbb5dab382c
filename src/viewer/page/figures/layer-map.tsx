/** R² for every pair of layers beside its mean over all permutations: two maps on one scale, the best cell marked. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { GroupView, LayerMapView, RunView } from '../../view-data.ts';
import { byCondition, directionOf, signed } from '../format.ts';
import { GroupPicker } from './group-picker.tsx';
import { Saves } from './saves.tsx';
import { useWidth } from './use-width.ts';
import type { Cell } from './save-figure.ts';

interface Place {
  source: number;
  target: number;
}

export function LayerMap({ run }: { run: RunView }) {
  const groups = run.figures.groups.filter(({ layerMap }) => layerMap).toSorted(byCondition);
  const [key, setKey] = useState<string>();
  const [pointed, setPointed] = useState<Place>();
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const group = groups.find((one) => one.key === key) ?? groups[0];
  if (!group?.layerMap) return null;
  const { layerMap } = group;
  const largest = scaleOf(groups);
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
          R² on held-out scenarios from each layer of {source} to each of {target}, beside its mean over all
          permutations.
        </p>
        <GroupPicker groups={groups} shown={group.key} run={run} pick={setKey} />
      </figcaption>
      <div class="maps" ref={place}>
        {(['map', 'nulls'] as const).map((which) => (
          <div
            key={which}
            data-caption={`${group.condition}, layers of ${source} down, of ${target} across, ${which === 'map' ? 'R²' : 'under the null'}`}
          >
            <p class="soft">{which === 'map' ? 'as they talked' : 'under the null'}</p>
            <MapCanvas
              cells={layerMap[which]}
              largest={largest}
              size={Math.min(190, (width - 30) / 2)}
              marked={which === 'map' ? bestOf(layerMap) : undefined}
              point={setPointed}
              label={`${which === 'map' ? 'R²' : 'R² under the null'}, layers of ${source} down, of ${target} across`}
            />
          </div>
        ))}
      </div>
      <p class="readout">
        {source} layer {shown.source + 1} → {target} layer {shown.target + 1}:{' '}
        <b>{signed(layerMap.map[shown.source]?.[shown.target] ?? NaN)}</b>, null{' '}
        {signed(layerMap.nulls[shown.source]?.[shown.target] ?? NaN)}
        {pointed ? '' : ' · the best cell'}
      </p>
      <Scale largest={largest} />
      <Saves name={`${run.run}-layers`} place={place} table={() => tableOf(group)} />
    </figure>
  );
}

/** One scale for all groups, so that they compare by eye. */
function scaleOf(groups: readonly GroupView[]): number {
  const cells = groups.flatMap(({ layerMap }) => [layerMap?.map ?? [], layerMap?.nulls ?? []].flat(2));
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
  const [rows, cols] = [cells.length, cells[0]?.length ?? 0];
  const [at, setAt] = useState<Place>();
  useEffect(() => {
    if (canvas.current) draw(canvas.current, { cells, largest, size, marked });
  }, [cells, largest, size, marked?.source, marked?.target]);
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
          source: Math.min(rows - 1, Math.max(0, Math.floor((offsetY / size) * rows))),
          target: Math.min(cols - 1, Math.max(0, Math.floor((offsetX / size) * cols))),
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
  const [high, wide] = [size / cells.length, size / (cells[0]?.length ?? 1)];
  for (const [source, row] of cells.entries())
    for (const [target, value] of row.entries()) {
      context.globalAlpha = 1;
      context.fillStyle = colour('--ground');
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
