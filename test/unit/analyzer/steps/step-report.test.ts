/** The step scores of a group, by hand. */
import { describe, expect, it } from 'vitest';
import type { StepsInput } from '../../../../src/analyzer/state/score-store.ts';
import { EntrainError } from '../../../../src/protocol/errors.ts';
import { createStepGate, MOST_BYTES_UNDER_WAY } from '../../../../src/analyzer/steps/step-backpressure.ts';
import { parseStepMeasures } from '../../../../src/analyzer/steps/step-measures.ts';
import type {
  StepFigure,
  StepInput,
  StepScore,
  StepSkip,
} from '../../../../src/analyzer/steps/step-messages.ts';
import {
  bestLag,
  stepReport,
  takeStepScore,
  type GroupSteps,
} from '../../../../src/analyzer/steps/step-report.ts';
import { plantedSteps } from '../../../fixtures/planted/planted-steps.ts';

function scoreOf(episode: string, steps: number, figures: Record<string, StepFigure>): StepScore {
  const rest = { reasons: {}, rows: {}, seed: 1, computedMs: 0, run: 'r1', group: {} as StepScore['group'] };
  return { type: 'steps', episode, steps, figures, ...rest };
}

const figure = (value: number, draws: number[]): StepFigure => ({ value, size: Math.abs(value), draws });

describe('the report of a group', () => {
  it('is the mean over dyads, held against the mean of their draws', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 128, { isc: figure(0.5, [0.1, 0.2, 0.3]) }));
    takeStepScore(dyads, scoreOf('e2', 64, { isc: figure(-0.1, [0.3, 0.2, 0.5]) }));
    const { dyads: count, steps, measures } = stepReport(dyads) ?? {};
    expect([count, steps]).toEqual([2, 192]);
    const [isc] = measures ?? [];
    expect(isc?.value).toBeCloseTo(0.2, 12);
    // Sizes 0.5 and 0.1, mean 0.3; draws 0.2, 0.2, 0.4: one of three is as large.
    expect(isc?.pValue).toBeCloseTo(2 / 4, 12);
    expect(isc?.nullMean).toBeCloseTo(0.8 / 3, 12);
    expect(isc?.excess).toBeCloseTo(0.3 - 0.8 / 3, 12);
  });

  it('holds a value that was made anew against the draws of before', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 128, { cka: figure(0.5, [0.1, 0.3]) }));
    takeStepScore(dyads, scoreOf('e1', 128, { cka: figure(0.2, []) }));
    expect(stepReport(dyads)?.measures).toEqual([
      {
        measure: 'cka',
        value: 0.2,
        excess: 0,
        nullMean: 0.2,
        nullQ95: expect.closeTo(0.29, 9),
        pValue: 2 / 3,
      },
    ]);
  });

  it('keeps what a whole window gave when the window begins anew', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 128, { cka: figure(0.5, [0.1]) }));
    takeStepScore(dyads, scoreOf('e1', 8, {}));
    expect(stepReport(dyads)).toMatchObject({ dyads: 1, steps: 128 });
    expect(stepReport(new Map())).toBeNull();
  });

  it('takes the best lag from the mean of the curves', () => {
    expect(bestLag([{ curve: [0.1, 0, -0.5] }, { curve: [0.6, 0, -0.4] }])).toBe(1);
    expect(bestLag([{}])).toBeUndefined();
  });
});

describe('the setting', () => {
  it('names measures, oscillatory ones with a band', () => {
    const [isc, plv] = parseStepMeasures('isc,plv:0.05-0.25');
    expect([isc?.measure.name, isc?.surrogate, isc?.options]).toEqual(['isc', 'shift', {}]);
    expect([plv?.measure.name, plv?.surrogate, plv?.options]).toEqual([
      'plv',
      'phase',
      { components: 4, band: [0.05, 0.25] },
    ]);
  });

  it.each(['nothing', 'plv:0.3-0.1', 'plv:0.1-0.7', 'plv:x', 'isc:0.1-0.2'])(
    'refuses %s in one sentence',
    (text) => {
      expect(() => parseStepMeasures(text)).toThrow(EntrainError);
      expect(() => parseStepMeasures(text)).toThrow(/^--step-measures .*[^.]\.$/);
    },
  );
});

describe('the gate before the step worker', () => {
  it('leaves frames out above its bound, counts them, and opens again', async () => {
    const gate = createStepGate();
    const sent: (StepInput | StepSkip)[] = [];
    const world = { episode: 'e1', turns: 1, tokens: 4, layers: 1, dims: 2, share: 0, seed: 1 };
    const large = plantedSteps(world).find(
      (input): input is StepsInput => input.frame.type === 'steps',
    ) as StepsInput;
    const data = new Uint8Array(MOST_BYTES_UNDER_WAY);
    const port = { postMessage: (message: StepInput | StepSkip) => void sent.push(message) };
    gate.send({ ...large, frame: { ...large.frame, data } }, port);
    gate.send(large, port);
    expect(sent.map(({ type }) => type)).toEqual(['frame', 'skip']);
    expect(gate.skippedFrames()).toBe(1);
    let open = false;
    const waiting = gate.room().then(() => (open = true));
    await Promise.resolve();
    expect(open).toBe(false);
    gate.taken(data.byteLength);
    await waiting;
    gate.send(large, port);
    expect(sent.map(({ type }) => type)).toEqual(['frame', 'skip', 'frame']);
  });
});
