/** The step scores of a group, computed by hand. */
import { describe, expect, it } from 'vitest';
import type { StepsInput } from '../../../../src/analyzer/steps/step-messages.ts';
import { EntrainError } from '../../../../src/protocol/errors.ts';
import {
  createStepBackpressure,
  MOST_BYTES_UNDER_WAY,
} from '../../../../src/analyzer/steps/step-backpressure.ts';
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
  return { type: 'steps', episode, scenario: `s-${episode}`, steps, figures, ...rest };
}

const WITHOUT = { control: null, excess: null, ciLow: null, ciHigh: null, pValue: null };

const figure = (value: number, draws: number[]): StepFigure => ({ value, size: Math.abs(value), draws });

describe('the step report of a group', () => {
  it('is the mean over dyads, compared with means of one surrogate of each dyad, itself counted in', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 128, { isc: figure(0.5, [0.1, 0.2, 0.3]) }));
    takeStepScore(dyads, scoreOf('e2', 64, { isc: figure(-0.1, [0.3, 0.2, 0.5]) }));
    const { dyads: count, steps, measures } = stepReport(dyads) ?? {};
    expect([count, steps]).toEqual([2, 192]);
    const [isc] = measures ?? [];
    expect(isc?.value).toBeCloseTo(0.2, 12);
    expect(isc?.nullMean).toBeCloseTo(0.275, 1);
  });

  it('for one dyad uses each of its surrogates once', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 32, { isc: figure(0.9, [0.1, 0.2, 0.3]) }));
    expect(stepReport(dyads)?.measures[0]).toMatchObject({
      nullMean: expect.closeTo(0.2, 12) as number,
    });
  });

  it('has no excess and no p without the same words behind another history, whatever its surrogates say', () => {
    const dyads: GroupSteps = new Map();
    for (let at = 0; at < 8; at++) {
      const far = {
        cka: figure(
          0.99,
          Array.from({ length: 99 }, () => 0.1),
        ),
      };
      takeStepScore(dyads, scoreOf(`e${at}`, 128, far));
    }
    expect(stepReport(dyads)?.measures[0]).toMatchObject({ value: expect.closeTo(0.99, 12), ...WITHOUT });
  });

  it('compares a recomputed value with the earlier surrogates', () => {
    const dyads: GroupSteps = new Map();
    takeStepScore(dyads, scoreOf('e1', 128, { cka: figure(0.5, [0.1, 0.3]) }));
    takeStepScore(dyads, scoreOf('e1', 128, { cka: figure(0.2, []) }));
    expect(stepReport(dyads)?.measures).toEqual([
      {
        measure: 'cka',
        value: 0.2,
        nullMean: 0.2,
        nullQ95: expect.closeTo(0.29, 9),
        ...WITHOUT,
      },
    ]);
  });

  it('keeps the score of a whole window when the window begins again', () => {
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

describe('the setting of step measures', () => {
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

describe('the backpressure before the step worker', () => {
  it('skips and counts frames above its limit, and accepts them again later', async () => {
    const backpressure = createStepBackpressure();
    const sent: (StepInput | StepSkip)[] = [];
    const world = { episode: 'e1', turns: 1, tokens: 4, layers: 1, dims: 2, share: 0, seed: 1 };
    const large = plantedSteps(world).find(
      (input): input is StepsInput => input.frame.type === 'steps',
    ) as StepsInput;
    const data = new Uint8Array(MOST_BYTES_UNDER_WAY);
    const port = { postMessage: (message: StepInput | StepSkip) => void sent.push(message) };
    backpressure.send({ ...large, frame: { ...large.frame, data } }, port);
    backpressure.send(large, port);
    expect(sent.map(({ type }) => type)).toEqual(['frame', 'skip']);
    expect(backpressure.skippedFrames()).toBe(1);
    let open = false;
    const waiting = backpressure.room().then(() => (open = true));
    await Promise.resolve();
    expect(open).toBe(false);
    backpressure.taken(data.byteLength);
    await waiting;
    backpressure.send(large, port);
    expect(sent.map(({ type }) => type)).toEqual(['frame', 'skip', 'frame']);
  });
});
