/**
 * The window of one dyad in one direction: the last aligned steps of its speaker and its listener, layer by layer,
 * with the measures over them and their surrogates. A figure is the mean over layers; one surrogate shifts all layers
 * by the same number of steps. Beside it stand windows of the steps that have a control: the listener and the same
 * agent behind another history, each with the speaker.
 */
import { deriveSeed } from '../../protocol/seed.ts';
import { createStepWindow, type StepWindow } from '../../synchrony/steps/step-window.ts';
import { sizeOf, surrogateSizes } from '../../synchrony/stats/surrogates.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { AlignedTurn, ControlledSteps } from './step-index.ts';
import type { StepMeasure } from './step-measures.ts';
import type { ControlRows, SameWords, StepFigure, StepRows, StepScore } from './step-messages.ts';

/** Number of aligned steps in the window. */
export const STEP_WINDOW = 128;
/** With fewer steps there is no figure, since any two short streams look alike. */
export const FEWEST_STEPS = 32;
/** Number of surrogates of each measure; fewer if there are fewer shifts. */
export const DRAWS = 99;
const FLOAT64_BYTES = 8;

export interface DyadSteps {
  group: Group;
  episode: string;
  scenario: string;
  rows: StepRows;
  controlRows: ControlRows;
  /** Layer → its window. */
  windows: Map<number, StepWindow>;
  /** Layer → windows of the steps that have a control; empty where none has. */
  controlled: Map<number, { own: StepWindow; control: StepWindow }>;
  /** Layers and dims of both sides. */
  shape: string;
  bytes: number;
}

export function createDyadSteps(of: Pick<AlignedTurn, 'group' | 'episode' | 'scenario'>): DyadSteps {
  const { group, episode, scenario } = of;
  const empty = { rows: {}, controlRows: {}, windows: new Map(), controlled: new Map() };
  return { group, episode, scenario, ...empty, shape: '', bytes: 0 };
}

/** Adds a turn. Steps of another shape start a new window; a turn before the last one in the window is ignored. */
export async function addTurn(dyad: DyadSteps, turn: AlignedTurn, algebra: LinearAlgebra): Promise<void> {
  const layers = [...turn.a.keys()].filter((layer) => turn.b.has(layer));
  const [a, b] = [turn.a.get(layers[0] ?? -1), turn.b.get(layers[0] ?? -1)];
  const isEmpty = a?.rows === 0 && !turn.control;
  if (!a || !b || isEmpty || Object.keys(dyad.rows).some((known) => Number(known) >= turn.turn)) return;
  const shape = `${layers.join()} ${a.cols} ${b.cols}`;
  if (shape !== dyad.shape) {
    dyad.windows = new Map(layers.map((layer) => [layer, createStepWindow(STEP_WINDOW, algebra)]));
    dyad.bytes = layers.length * windowBytes(a.cols, b.cols);
    Object.assign(dyad, { shape, rows: {}, controlRows: {}, controlled: new Map() });
  }
  for (const [layer, window] of dyad.windows) {
    const [x, y] = [turn.a.get(layer), turn.b.get(layer)];
    if (x && y) await window.add(x, y);
  }
  if (a.rows > 0) dyad.rows[String(turn.turn)] = [turn.speaker, turn.listener, a.rows];
  dyad.rows = lastRows(dyad.rows);
  if (turn.control) await addControlled(dyad, { ...turn, control: turn.control }, algebra);
}

const windowBytes = (colsA: number, colsB: number): number =>
  STEP_WINDOW * (colsA + colsB + 2 * STEP_WINDOW) * FLOAT64_BYTES;

async function addControlled(
  dyad: DyadSteps,
  { turn, speaker, listener, control }: AlignedTurn & { control: ControlledSteps },
  algebra: LinearAlgebra,
): Promise<void> {
  let steps = 0;
  for (const layer of dyad.windows.keys()) {
    const [a, b, c] = [control.a.get(layer), control.b.get(layer), control.c.get(layer)];
    if (!a || !b || c?.cols !== b.cols) return;
    const known = dyad.controlled.get(layer);
    const windows = known ?? {
      own: createStepWindow(STEP_WINDOW, algebra),
      control: createStepWindow(STEP_WINDOW, algebra),
    };
    if (!known) dyad.bytes += 2 * windowBytes(a.cols, b.cols);
    dyad.controlled.set(layer, windows);
    await windows.own.add(a, b);
    await windows.control.add(a, c);
    steps = a.rows;
  }
  dyad.controlRows[String(turn)] = [speaker, listener, control.last, steps];
  dyad.controlRows = lastRows(dyad.controlRows);
}

/** The turns in the window, the oldest with only the steps that are still in it, whose number comes last. */
function lastRows<R extends StepRows | ControlRows>(rows: R): R {
  let room = STEP_WINDOW;
  const kept: Record<string, (string | number)[]> = {};
  for (const [turn, row] of Object.entries<(string | number)[]>(rows).toReversed()) {
    if (room === 0) break;
    const steps = Math.min(room, Number(row.at(-1)));
    kept[turn] = [...row.slice(0, -1), steps];
    room -= steps;
  }
  return kept as R;
}

export const stepsOf = ({ windows }: DyadSteps): number => [...windows.values()][0]?.steps ?? 0;

export interface ScoreTools {
  run: string;
  measures: readonly StepMeasure[];
  algebra: LinearAlgebra;
  /** Handles waiting messages between two layers. */
  handleMessages(): Promise<void>;
  /** Monotonic. */
  nowMs(): number;
}

/** A score without figures. */
export function emptyStepScore(dyad: DyadSteps, { run }: Pick<ScoreTools, 'run'>): StepScore {
  const { group, episode, scenario, rows, controlRows } = dyad;
  return {
    type: 'steps',
    run,
    group,
    episode,
    scenario,
    steps: stepsOf(dyad),
    seed: deriveSeed('steps', episode, group.key),
    figures: {},
    reasons: {},
    rows,
    ...(Object.keys(controlRows).length > 0 ? { controlRows } : {}),
    computedMs: 0,
  };
}

/** Only CKA, without surrogates, which costs almost nothing. */
export function quickStepScore(dyad: DyadSteps, tools: ScoreTools): StepScore {
  const startedMs = tools.nowMs();
  const score = emptyStepScore(dyad, tools);
  if (score.steps < FEWEST_STEPS) return score;
  const values = [...dyad.windows.values()].map((window) => window.cka());
  const value = meanOf(values);
  const sameWords = meansOf(
    controlledOf(dyad).map(({ own, control }) => ({ value: own.cka(), control: control.cka() })),
  );
  if (value !== undefined)
    score.figures['cka'] = { value, size: value, draws: [], ...(sameWords ? { sameWords } : {}) };
  return { ...score, computedMs: tools.nowMs() - startedMs };
}

/** All measures with surrogates. */
export async function fullStepScore(dyad: DyadSteps, tools: ScoreTools): Promise<StepScore> {
  const startedMs = tools.nowMs();
  const score = emptyStepScore(dyad, tools);
  if (score.steps < FEWEST_STEPS) return score;
  for (const measure of tools.measures) {
    const found = await figureOf(dyad, measure, { ...tools, seed: score.seed });
    if ('reason' in found) score.reasons[measure.label] = found.reason;
    else {
      const sameWords = await sameWordsOf(dyad, measure, tools);
      score.figures[measure.label] = { ...found, ...(sameWords ? { sameWords } : {}) };
    }
  }
  return { ...score, computedMs: tools.nowMs() - startedMs };
}

/** The windows of the steps that have a control, layer by layer; none with too few of them. */
function controlledOf({ controlled }: DyadSteps): { own: StepWindow; control: StepWindow }[] {
  const all = [...controlled.values()];
  return all.every(({ own }) => own.steps >= FEWEST_STEPS) ? all : [];
}

async function sameWordsOf(
  dyad: DyadSteps,
  { measure, options }: StepMeasure,
  { algebra, handleMessages }: ScoreTools,
): Promise<SameWords | undefined> {
  const valueOf = async (window: StepWindow): Promise<number | undefined> => {
    await handleMessages();
    const { a, b } = window.rows();
    const answer = await measure.compute(a, b, { ...options, algebra });
    if ('reason' in answer) return undefined;
    return 'value' in answer ? answer.value : sizeOf(answer);
  };
  const layers: { value: number | undefined; control: number | undefined }[] = [];
  for (const { own, control } of controlledOf(dyad))
    layers.push({ value: await valueOf(own), control: await valueOf(control) });
  return meansOf(layers);
}

/** Means over the layers that have both; undefined if there is none. */
function meansOf(
  layers: readonly { value: number | undefined; control: number | undefined }[],
): SameWords | undefined {
  const both = layers.filter((layer) => layer.value !== undefined && layer.control !== undefined);
  const value = meanOf(both.map((layer) => layer.value));
  const control = meanOf(both.map((layer) => layer.control));
  return value === undefined || control === undefined ? undefined : { value, control };
}

async function figureOf(
  dyad: DyadSteps,
  { measure, options, surrogate }: StepMeasure,
  tools: ScoreTools & { seed: number },
): Promise<StepFigure | NoScore> {
  const layers: { value: number; size: number; sizes: (number | undefined)[]; curve: number[] }[] = [];
  let reason = 'no layer has a score';
  for (const window of dyad.windows.values()) {
    await tools.handleMessages();
    const input = { ...window.rows(), measure, options: { ...options, algebra: tools.algebra } };
    const found = await surrogateSizes(input, { kind: surrogate, count: DRAWS, seed: tools.seed });
    if ('reason' in found) reason = found.reason;
    else {
      const { answer, size, sizes } = found;
      const curve = 'value' in answer ? answer.more?.['curve'] : undefined;
      const value = 'value' in answer ? answer.value : size;
      layers.push({ value, size, sizes, curve: Array.isArray(curve) ? curve : [] });
    }
  }
  if (layers.length === 0) return { reason };
  const places = (of: (layer: (typeof layers)[number]) => unknown[]): number[] => [
    ...(layers[0] ? of(layers[0]).keys() : []),
  ];
  const curve = places((layer) => layer.curve).map(
    (lag) => meanOf(layers.map((layer) => layer.curve[lag])) ?? 0,
  );
  const draws = places((layer) => layer.sizes).map((draw) =>
    meanOf(layers.map((layer) => layer.sizes[draw])),
  );
  return {
    value: meanOf(layers.map((layer) => layer.value)) as number,
    size: meanOf(layers.map((layer) => layer.size)) as number,
    draws: draws.filter((draw) => draw !== undefined),
    ...(curve.length > 0 ? { curve } : {}),
  };
}

/** Mean of the known values; undefined if there is none. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
}
