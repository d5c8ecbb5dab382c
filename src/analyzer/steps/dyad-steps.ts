/**
 * The window of one dyad in one direction: the last aligned steps of its speaker and its listener, layer by layer,
 * with the measures over them and their surrogates. A figure is the mean over layers; one surrogate shifts all layers
 * by the same number of steps.
 */
import { deriveSeed } from '../../protocol/seed.ts';
import { createStepWindow, type StepWindow } from '../../synchrony/steps/step-window.ts';
import { surrogateSizes } from '../../synchrony/stats/surrogates.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { AlignedTurn } from './step-index.ts';
import type { StepMeasure } from './step-measures.ts';
import type { StepFigure, StepRows, StepScore } from './step-messages.ts';

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
  rows: StepRows;
  /** Layer → its window. */
  windows: Map<number, StepWindow>;
  /** Layers and dims of both sides. */
  shape: string;
  bytes: number;
}

export function createDyadSteps({ group, episode }: Pick<AlignedTurn, 'group' | 'episode'>): DyadSteps {
  return { group, episode, rows: {}, windows: new Map(), shape: '', bytes: 0 };
}

/** Adds a turn. Steps of another shape start a new window; a turn before the last one in the window is ignored. */
export async function addTurn(dyad: DyadSteps, turn: AlignedTurn, algebra: LinearAlgebra): Promise<void> {
  const layers = [...turn.a.keys()].filter((layer) => turn.b.has(layer));
  const [a, b] = [turn.a.get(layers[0] ?? -1), turn.b.get(layers[0] ?? -1)];
  if (!a || !b || a.rows === 0 || Object.keys(dyad.rows).some((known) => Number(known) >= turn.turn)) return;
  const shape = `${layers.join()} ${a.cols} ${b.cols}`;
  if (shape !== dyad.shape) {
    dyad.windows = new Map(layers.map((layer) => [layer, createStepWindow(STEP_WINDOW, algebra)]));
    dyad.bytes = layers.length * STEP_WINDOW * (a.cols + b.cols + 2 * STEP_WINDOW) * FLOAT64_BYTES;
    Object.assign(dyad, { shape, rows: {} });
  }
  for (const [layer, window] of dyad.windows) {
    const [x, y] = [turn.a.get(layer), turn.b.get(layer)];
    if (x && y) await window.add(x, y);
  }
  dyad.rows[String(turn.turn)] = [turn.speaker, turn.listener, a.rows];
  dyad.rows = lastRows(dyad.rows);
}

/** The turns in the window, the oldest with only the steps that are still in it. */
function lastRows(rows: StepRows): StepRows {
  let room = STEP_WINDOW;
  const kept: StepRows = {};
  for (const [turn, [speaker, listener, steps]] of Object.entries(rows).toReversed()) {
    if (room === 0) break;
    kept[turn] = [speaker, listener, Math.min(room, steps)];
    room -= Math.min(room, steps);
  }
  return kept;
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
  const { group, episode, rows } = dyad;
  return {
    type: 'steps',
    run,
    group,
    episode,
    steps: stepsOf(dyad),
    seed: deriveSeed('steps', episode, group.key),
    figures: {},
    reasons: {},
    rows,
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
  if (value !== undefined) score.figures['cka'] = { value, size: value, draws: [] };
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
    else score.figures[measure.label] = found;
  }
  return { ...score, computedMs: tools.nowMs() - startedMs };
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
