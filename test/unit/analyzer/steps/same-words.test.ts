/** Step figures beside the same words behind another history: in the report of a group, and from planted frames. */
import { afterEach, describe, expect, it } from 'vitest';
import { createStepLoop, type StepLoop } from '../../../../src/analyzer/steps/step-loop.ts';
import { parseStepMeasures } from '../../../../src/analyzer/steps/step-measures.ts';
import type { StepInput, StepScore } from '../../../../src/analyzer/steps/step-messages.ts';
import { stepReport, takeStepScore, type GroupSteps } from '../../../../src/analyzer/steps/step-report.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { studentP, studentQuantile } from '../../../../src/synchrony/stats/student.ts';
import { plantedSteps, type PlantedSteps } from '../../../fixtures/planted/planted-steps.ts';

interface Dyad {
  scenario: string;
  value: number;
  control: number;
}

function reportOf(dyads: readonly Dyad[]) {
  const group: GroupSteps = new Map();
  for (const [at, { scenario, ...sameWords }] of dyads.entries()) {
    const figures = { cka: { value: 0, size: 0, draws: [], sameWords } };
    const rest = {
      reasons: {},
      rows: {},
      seed: 1,
      computedMs: 0,
      run: 'r1',
      group: {} as StepScore['group'],
    };
    takeStepScore(group, { type: 'steps', episode: `e${at}`, scenario, steps: 128, figures, ...rest });
  }
  return stepReport(group)?.measures[0];
}

/** Two dyads in each scenario; what the first three have in common is their scenario’s. */
function worldOf(scenarios: number, seed: number, excess: number): Dyad[] {
  const random = seededRandom(seed);
  return Array.from({ length: scenarios }, (_, s) => {
    const ofScenario = 0.1 * random.normal();
    return Array.from({ length: 2 }, () => {
      const control = 0.9 + 0.02 * random.normal();
      return { scenario: `s${s}`, control, value: control + excess + ofScenario + 0.02 * random.normal() };
    });
  }).flat();
}

describe('the excess of a step figure over the same words', () => {
  it('is the mean over scenarios, with the interval and p of a t-test over them', () => {
    const dyads = worldOf(7, 1, 0.05);
    const means = Array.from({ length: 7 }, (_, s) => {
      const own = dyads.filter(({ scenario }) => scenario === `s${s}`);
      return own.reduce((sum, { value, control }) => sum + (value - control) / own.length, 0);
    });
    const mean = means.reduce((sum, value) => sum + value / 7, 0);
    const sd = Math.sqrt(means.reduce((sum, value) => sum + (value - mean) ** 2 / 6, 0));
    const error = sd / Math.sqrt(7);
    const found = reportOf(dyads);
    expect(found?.excess).toBeCloseTo(mean, 12);
    expect((found?.value ?? NaN) - (found?.control ?? NaN)).toBeCloseTo(mean, 12);
    expect(found?.ciLow).toBeCloseTo(mean - error * studentQuantile(0.05, 6), 10);
    expect(found?.ciHigh).toBeCloseTo(mean + error * studentQuantile(0.05, 6), 10);
    expect(found?.pValue).toBeCloseTo(studentP(mean / error, 6), 10);
  });

  it('has no interval and no p with fewer than six scenarios', () => {
    const found = reportOf(worldOf(5, 1, 0.05));
    expect(found?.excess).not.toBeNull();
    expect(found).toMatchObject({ ciLow: null, ciHigh: null, pValue: null });
  });

  it('where there is none has p ≤ 0.05 in 5 % of 1,000 worlds, though dyads of a scenario are alike', () => {
    let small = 0;
    for (let seed = 0; seed < 1000; seed++)
      small += Number((reportOf(worldOf(8, seed, 0))?.pValue ?? 1) <= 0.05);
    expect(small / 1000).toBeGreaterThan(0.03);
    expect(small / 1000).toBeLessThan(0.07);
  });
});

const loops: StepLoop[] = [];
afterEach(() => loops.splice(0).forEach((loop) => loop.stop()));

/** Of the first direction, from the frames of eight scenarios. */
async function measured(world: Partial<PlantedSteps>) {
  const size = { turns: 8, tokens: 12, layers: 2, dims: 6, share: 0.7 };
  const inputs: StepInput[] = Array.from({ length: 8 }, (_, at) =>
    plantedSteps({ ...size, episode: `e${at}`, scenario: `s${at}`, seed: at, ...world }),
  ).flat();
  const frames = inputs.filter(({ frame }) => frame.type === 'steps').length;
  const dyads: GroupSteps = new Map();
  const scores: StepScore[] = [];
  await new Promise<void>((resolve, reject) => {
    const loop = createStepLoop({
      clock: systemClock,
      algebra: createPlainAlgebra(),
      measures: parseStepMeasures('cka,isc'),
      publish: (answer) => {
        if (answer.type === 'step-fault') reject(new Error(answer.stack));
        if (answer.type === 'steps' && answer.group.sourceRole === 1) {
          scores.push(answer);
          takeStepScore(dyads, answer);
        }
        if (answer.type === 'step-notice' && answer.settled['r1'] === frames) resolve();
      },
    });
    loops.push(loop);
    for (const input of inputs) loop.take(input);
  });
  return { measures: stepReport(dyads)?.measures ?? [], scores };
}

describe('planted steps with a control', () => {
  it('have an excess where the listener holds more of the speaker than behind another history', async () => {
    const { measures, scores } = await measured({ control: 0.3 });
    expect(measures.map(({ measure }) => measure)).toEqual(['cka', 'isc']);
    for (const { excess, ciLow, pValue } of measures) {
      expect(excess).toBeGreaterThan(0.05);
      expect(ciLow).toBeGreaterThan(0);
      expect(pValue).toBeLessThan(0.001);
    }
    expect(scores.at(-1)?.controlRows?.['2']).toEqual(['ada 1 6', 'ben 1 5', 'ben 1 6', 12]);
  });

  it('have none where the words alone give it, though value and control are far from chance', async () => {
    const { measures } = await measured({ control: 0.7 });
    for (const { excess, ciLow, ciHigh, value, nullQ95 } of measures) {
      expect(Math.abs(excess ?? NaN)).toBeLessThan(0.05);
      expect((ciLow ?? NaN) <= 0 && (ciHigh ?? NaN) >= 0).toBe(true);
      expect(value).toBeGreaterThan(nullQ95 ?? NaN);
    }
  });

  it('have no excess where no control was read', async () => {
    const { measures } = await measured({});
    for (const found of measures) expect(found).toMatchObject({ control: null, excess: null, pValue: null });
  });
});
