/**
 * How many dimensions the states of each agent take up and how straight they go, layer by layer, in each condition.
 * All conditions of an agent are given as many states, evenly out of their episodes, for more states find more
 * dimensions.
 */
import type { RunTalk } from '../process/run-folder/read-talk.ts';
import { readTurnStates, type RoleStates } from '../recordings/turn-states.ts';
import type { Matrix } from '../numeric/linear-algebra.ts';
import { groupBy } from '../synchrony/group-by.ts';
import { tableLines } from './analysis-text.ts';
import { dimensionsFor, straightness } from '../synchrony/stats/state-geometry.ts';

/** Of the variance. */
export const SHARES = [0.9, 0.95, 0.99] as const;

export interface Geometry {
  agent: string;
  model: string;
  condition: string;
  episodes: number;
  /** States that the dimensions are of, the same number in all conditions of the agent. */
  states: number;
  /** Layer 1 first. */
  layers: LayerGeometry[];
}

interface LayerGeometry {
  /** For each of the shares; absent where there is no number. */
  dimensions?: number[];
  /** Mean over episodes. */
  straightness?: number;
}

const MOST_STATES = 400;
/** Of the states that are looked at. */
const MOST_BYTES = 1 << 29;

/** @returns nothing without a recording */
export async function readGeometry({ folder, facts, episodes }: RunTalk): Promise<Geometry[]> {
  const known = new Map(episodes.map((episode) => [episode.id, episode]));
  const groups = groupBy(await readTurnStates(folder), ({ episode: id, role }) => {
    const { condition = '', order = [] } = known.get(id) ?? {};
    return JSON.stringify([order[role], condition]);
  });
  const named = [...groups].flatMap(([key, own]) => {
    const [agent, condition] = JSON.parse(key) as [string | null, string];
    return agent === null ? [] : [{ agent, condition, own }];
  });
  return [...groupBy(named, ({ agent }) => agent)].flatMap(([agent, conditions]) => {
    const most = Math.min(MOST_STATES, roomFor(conditions.flatMap(({ own }) => own)));
    const states = Math.min(most, ...conditions.map(({ own }) => countStates(own)));
    const model = facts.agents[agent]?.name ?? agent;
    return conditions.map(({ condition, own }) => ({
      agent,
      model,
      condition,
      episodes: own.length,
      states,
      layers: layersOf(own, states),
    }));
  });
}

const countStates = (own: readonly RoleStates[]): number =>
  own.reduce((sum, { turns }) => sum + turns.length, 0);

function roomFor([first]: readonly RoleStates[]): number {
  const { layers = 1, dims = 1 } = first ?? {};
  return Math.max(1, Math.floor(MOST_BYTES / (layers * dims * Float64Array.BYTES_PER_ELEMENT)));
}

function layersOf(own: readonly RoleStates[], states: number): LayerGeometry[] {
  const { layers = 0, dims = 0 } = own[0] ?? {};
  const all = own.flatMap(({ turns }) => turns);
  const even = Array.from({ length: states }, (_, at) => all[Math.floor((at * all.length) / states)]);
  return Array.from({ length: layers }, (_, layer) => {
    const place = { layer, dims };
    const dimensions = dimensionsFor(matrixOf(even as Float32Array[], place), SHARES);
    const paths = own.flatMap(({ turns }) => {
      const straight = straightness(matrixOf(turns, place));
      return typeof straight === 'number' ? [straight] : [];
    });
    return {
      ...('reason' in dimensions ? {} : { dimensions }),
      ...(paths.length === 0
        ? {}
        : { straightness: paths.reduce((sum, value) => sum + value, 0) / paths.length }),
    };
  });
}

/** [turns, dims] of one layer; layer 0 here is the first that is recorded. */
function matrixOf(turns: readonly Float32Array[], { layer, dims }: { layer: number; dims: number }): Matrix {
  const data = new Float64Array(turns.length * dims);
  for (const [row, states] of turns.entries())
    data.set(states.subarray(layer * dims, (layer + 1) * dims), row * dims);
  return { rows: turns.length, cols: dims, data };
}

export const GEOMETRY_HEAD = [
  'agent',
  'model',
  'condition',
  'layer',
  'states',
  ...SHARES.map((share) => `${100 * share} %`),
  'straightness',
];
const LEFT_COLUMNS = 3;

/** What stands under GEOMETRY_HEAD of one layer, counted from 0. */
export function geometryRow({ agent, model, condition, states, layers }: Geometry, at: number): string[] {
  const { dimensions, straightness: straight } = layers[at] ?? {};
  return [
    agent,
    model,
    condition,
    String(at + 1),
    String(states),
    ...SHARES.map((_, place) => String(dimensions?.[place] ?? '–')),
    straight?.toFixed(3) ?? '–',
  ];
}

export function geometryText(geometry: readonly Geometry[]): string {
  const rows = geometry.flatMap((one) => one.layers.map((_, at) => geometryRow(one, at)));
  return [
    'dimensions of the states before each turn that hold 90, 95 and 99 % of their variance, and how straight they go through an episode',
    ...(rows.length === 0
      ? ['no states: nothing is recorded, or the recording was removed']
      : tableLines([GEOMETRY_HEAD, ...rows], LEFT_COLUMNS)),
    '',
  ].join('\n');
}
