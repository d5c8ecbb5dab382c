/** Step scores of simulated dialogues: coupling is found where it is and not where it is not. */
import { afterEach, describe, expect, it } from 'vitest';
import { createStepLoop, type StepLoop } from '../../../../src/analyzer/steps/step-loop.ts';
import { parseStepMeasures, STEP_MEASURES } from '../../../../src/analyzer/steps/step-measures.ts';
import type { StepInput, StepScore } from '../../../../src/analyzer/steps/step-messages.ts';
import { stepReport, takeStepScore, type GroupSteps } from '../../../../src/analyzer/steps/step-report.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { MEASURES } from '../../../../src/synchrony/measures/index.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { unpackTensor } from '../../../../src/protocol/stream/tensor.ts';
import { plantedSteps, type PlantedSteps } from '../../../fixtures/planted/planted-steps.ts';

const WORLD: PlantedSteps = { episode: 'e1', turns: 8, tokens: 12, layers: 2, dims: 12, share: 0.7, seed: 2 };
const algebra = createPlainAlgebra();

const loops: StepLoop[] = [];
/** By how much the loop's clock is ahead. */
let aheadMs = 0;
const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
afterEach(() => {
  aheadMs = 0;
  loops.splice(0).forEach((loop) => loop.stop());
});

/** Everything that is published until all frames are in published scores. */
async function scoresOf(
  inputs: StepInput[],
  measures = STEP_MEASURES,
  onScore: () => void = () => undefined,
): Promise<StepScore[]> {
  const frames = inputs.filter(({ frame }) => frame.type === 'steps').length;
  return new Promise((resolve, reject) => {
    const scores: StepScore[] = [];
    const loop = createStepLoop({
      clock,
      algebra,
      measures: parseStepMeasures(measures),
      publish: (answer) => {
        if (answer.type === 'step-fault') reject(new Error(answer.stack));
        if (answer.type === 'steps') scores.push(answer);
        if (answer.type === 'steps') onScore();
        if (answer.type === 'step-notice' && answer.settled['r1'] === frames) resolve(scores);
      },
    });
    loops.push(loop);
    for (const input of inputs) loop.take(input);
  });
}

const lastOf = (scores: StepScore[], sourceRole: number): StepScore =>
  scores.findLast(({ group }) => group.sourceRole === sourceRole) as StepScore;

/** States of one layer for all steps of one speaker's turns, straight from the frames. */
function layerOf(
  inputs: StepInput[],
  of: { role: 'speak' | 'listen'; stream: string; layer: number },
): Matrix {
  const rows = inputs.flatMap(({ frame, origin }) => {
    if (frame.type !== 'steps' || frame.role !== of.role || origin.stream !== of.stream) return [];
    const [steps, layers, dims] = frame.shape;
    const values = unpackTensor(frame.dtype, frame.data);
    const start = (step: number) => (step * layers + of.layer) * dims;
    return Array.from({ length: steps }, (_, step) => [...values.subarray(start(step), start(step) + dims)]);
  });
  return { rows: rows.length, cols: rows[0]?.length ?? 0, data: Float64Array.from(rows.flat()) };
}

describe('the step loop', () => {
  it('gives each measure over the aligned steps, mean over layers: first CKA and then all', async () => {
    const inputs = plantedSteps(WORLD);
    const scores = await scoresOf(inputs);
    const last = lastOf(scores, 1);
    expect([last.steps, Object.keys(last.figures)]).toEqual([48, STEP_MEASURES.split(',')]);
    for (const label of STEP_MEASURES.split(',')) {
      const measure = MEASURES.find(({ name }) => name === label);
      const values: number[] = [];
      for (const layer of [0, 1]) {
        const a = layerOf(inputs, { role: 'speak', stream: 'ada', layer });
        const b = layerOf(inputs, { role: 'listen', stream: 'ben', layer });
        const answer = await measure?.compute(a, b, { algebra });
        if (answer && 'value' in answer) values.push(answer.value);
      }
      expect(last.figures[label]?.value).toBeCloseTo(((values[0] ?? NaN) + (values[1] ?? NaN)) / 2, 9);
    }
    const quick = scores.filter(
      ({ figures, group }) => group.sourceRole === 1 && Object.keys(figures).length === 1,
    );
    expect(quick.at(-1)?.figures['cka']?.value).toBeCloseTo(last.figures['cka']?.value ?? NaN, 9);
    expect(last.rows).toEqual({
      0: ['ada 1 2', 'ben 1 1', 12],
      2: ['ada 1 5', 'ben 1 4', 12],
      4: ['ada 1 8', 'ben 1 7', 12],
      6: ['ada 1 11', 'ben 1 10', 12],
    });
  });

  it('takes the whole core once the stream is quiet', async () => {
    // Each score takes half a minute by the loop's clock. Between frames, the loop would rest for three times as long.
    const [first, second] = ['e1', 'e2'].map((episode) => plantedSteps({ ...WORLD, episode }));
    const begunMs = performance.now();
    await scoresOf([...(first ?? []), ...(second ?? [])], 'cka', () => (aheadMs += 30_000));
    expect(performance.now() - begunMs).toBeLessThan(20_000);
  });

  it('tells coupled steps from uncoupled ones by their surrogates', async () => {
    for (const [share, found] of [
      [0.7, true],
      [0, false],
    ] as const) {
      const dyads: GroupSteps = new Map();
      const inputs = ['e1', 'e2', 'e3'].flatMap((episode, seed) =>
        plantedSteps({ ...WORLD, layers: 1, dims: 10, episode, share, seed: seed + 5 }),
      );
      for (const score of await scoresOf(inputs))
        if (score.group.sourceRole === 1) takeStepScore(dyads, score);
      const report = stepReport(dyads);
      expect([report?.dyads, report?.steps]).toEqual([3, 144]);
      for (const { measure, value, nullMean, nullQ95, bestLag } of report?.measures ?? []) {
        const beyond = Math.abs(value) - (nullQ95 ?? NaN);
        if (found) {
          expect(beyond, measure).toBeGreaterThan(0);
          expect(value - (nullMean ?? NaN), measure).toBeGreaterThan(0.02);
          if (measure === 'xcorr') expect(bestLag).toBe(0);
        } else expect(beyond, measure).toBeLessThan(0.03);
      }
    }
  });

  it('keeps a window of the last 128 steps, and says which turns are in it', async () => {
    const score = lastOf(await scoresOf(plantedSteps({ ...WORLD, turns: 26 }), 'cka'), 1);
    expect(score.steps).toBe(128);
    expect(Object.entries(score.rows).map(([turn, [, , steps]]) => [turn, steps])).toEqual([
      ['4', 8],
      ...[6, 8, 10, 12, 14, 16, 18, 20, 22, 24].map((turn) => [String(turn), 12]),
    ]);
  });

  it('gives no figure with too few steps, and says how many there are', async () => {
    const scores = await scoresOf(plantedSteps({ ...WORLD, turns: 4 }));
    expect(scores.every(({ figures }) => Object.keys(figures).length === 0)).toBe(true);
    const dyads: GroupSteps = new Map();
    for (const score of scores) if (score.group.sourceRole === 1) takeStepScore(dyads, score);
    expect(stepReport(dyads)).toEqual({
      dyads: 0,
      steps: 0,
      measures: [],
      reason: 'Too few steps yet: 24 of 32 in one window.',
    });
  });

  it('computes an oscillatory measure over band-passed leading components if asked to', async () => {
    const { figures } = lastOf(await scoresOf(plantedSteps(WORLD), 'plv:0.05-0.25'), 1);
    const found = figures['plv:0.05-0.25'];
    expect(found?.value).toBeGreaterThan(0);
    expect(found?.draws).toHaveLength(99);
  });
});
