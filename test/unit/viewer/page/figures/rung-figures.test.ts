/** Lines of the ladder and rows of its table: patching, what has no figure yet, and what cannot tell. */
import { expect, it } from 'vitest';
import { emptyFigures, figuresView, takeScore } from '../../../../../src/viewer/library/figures-state.ts';
import { ladderTable } from '../../../../../src/viewer/page/figures/ladder-table.ts';
import { RUNGS, type Line } from '../../../../../src/viewer/page/figures/rung-figures.ts';
import { scoreLine } from '../../../../fixtures/viewer/run-folder.ts';

const follows = { score: 0.2, ci: [0.1, 0.3], p_value: 0.005, permutations: 199, target_layer: 1 };
const PATCHES = [
  {
    kind: 'perturbation',
    layer: 4,
    size: 2,
    histories: 24,
    influence: { value: 0.63, ci: [0.5, 0.7] },
    follows,
  },
  {
    kind: 'interchange',
    layer: 2,
    histories: 9,
    influence: { value: 0.1, ci: [-0.1, 0.2] },
    follows: null,
    reason: 'too few',
  },
  { kind: 'interchange', layer: 3, histories: 2, influence: null, follows: null, reason: 'too few turns' },
];

function figuresWith(patches: object[] | undefined) {
  const figures = emptyFigures();
  takeScore(figures, { ...influenceLine('live', 1), ...(patches ? { patches } : {}) });
  return figuresView(figures);
}

const influenceLine = (condition: string, sourceRole: number): Record<string, unknown> => ({
  ...(scoreLine({ condition, sourceRole }) as Record<string, unknown>),
  type: 'influence',
  histories: 24,
  influence: { value: 0.4, ci: [0.3, 0.5] },
  matched: null,
  sequential: null,
});

const rungThree = (patches?: object[]): Line[] => RUNGS[0]?.lines(figuresWith(patches)) ?? [];

it('shows what a moved state makes of the other with interval and p-value, or why there is nothing', () => {
  const [influence, strong, weak, missing] = rungThree(PATCHES);
  expect(influence).toMatchObject({ condition: 'live', axis: { isShare: true } });
  expect(strong).toMatchObject({
    condition: 'live, patching layer 4 by 2 SD',
    mark: { at: { value: 0.63, low: 0.5, high: 0.7 }, isPale: false },
  });
  expect(strong?.mark?.title).toMatch(/0\.63.*\[.*0\.50.*0\.70.*follows.*0\.20.*p 0\.005; 24 turns$/);
  expect(weak).toMatchObject({
    condition: 'live, patching layer 2 from another episode',
    mark: { isPale: true },
  });
  expect(missing).toMatchObject({ mark: undefined, missing: 'too few turns' });
});

it('has no line of patching where no state was moved', () => {
  expect(rungThree().map(({ condition }) => condition)).toEqual(['live']);
});

it('writes both figures of a moved state to the table', () => {
  const rows = ladderTable(figuresWith(PATCHES), () => 'ada → ben').map((row) => row.slice(6));
  expect(rows).toContainEqual(['patching layer 4 by 2 SD', 0.63, 0.5, 0.7, null, null, 24, 'false']);
  expect(rows).toContainEqual(['patching layer 4 by 2 SD, follows', 0.2, 0.1, 0.3, 0.005, null, 24, 'false']);
});

it('writes p beside each figure, and how much a share still lacks', () => {
  const figures = emptyFigures();
  const score = scoreLine({ condition: 'live' }) as Record<string, unknown>;
  takeScore(figures, score);
  takeScore(figures, {
    ...score,
    type: 'influence',
    histories: 12,
    influence: null,
    matched: null,
    sequential: { p_value: 0.0002 },
    reason: 'too few histories with at least two distinct alternatives: 11 of 20',
  });
  const marks = RUNGS.slice(0, 2).flatMap(({ lines }) => lines(figuresView(figures)).map(({ mark }) => mark));
  expect(marks).toMatchObject([
    { at: undefined, text: '', p: 'p\u00a0< 0.001', note: 'no share yet: 11 of 20 turns', isPale: false },
    { text: '+0.250', p: 'q\u00a00.010', isPale: false },
  ]);
});

it('says in words that rung 1 cannot tell where each R² is below 0, and only there', () => {
  const clipped = (unclipped: number) => ({ score: 0, unclipped, nullMean: 0, pseudoMean: 0, samples: 80 });
  const figures = emptyFigures();
  const rung = RUNGS[2];
  const instead = (): string | undefined => {
    const view = figuresView(figures);
    return rung?.instead?.(rung.lines(view), view);
  };
  expect(instead()).toBeUndefined();
  const line = scoreLine({ condition: 'live' });
  takeScore(figures, { ...line, paper: clipped(-0.9) });
  const other = scoreLine({ condition: 'monologue' });
  takeScore(figures, { ...other, paper: clipped(-8.6) });
  expect(instead()).toMatch(/^This measure cannot tell here: .* in every row \(−8\.600 to −0\.900\)/);
  takeScore(figures, { ...other });
  expect(instead()).toBeUndefined();
  expect(rung?.lines(figuresView(figures))[0]?.mark).toMatchObject({
    at: undefined,
    note: 'below 0: cannot tell',
  });
});

it('says of one who only reads that nothing of it is tried, once something is tried of others', () => {
  const reading = figuresView(figuresOf('reader', 2));
  expect(RUNGS[0]?.lines(reading)[0]?.mark).toBeUndefined();
  const figures = figuresOf('reader', 2);
  takeScore(figures, influenceLine('reader', 1));
  const marks = RUNGS[0]?.lines(figuresView(figures)).map(({ sourceRole, mark }) => [sourceRole, mark?.note]);
  expect(marks).toEqual([
    [1, ''],
    [2, 'only reads'],
  ]);
});

function figuresOf(condition: string, sourceRole: number) {
  const figures = emptyFigures();
  takeScore(figures, scoreLine({ condition, sourceRole }) as Record<string, unknown>);
  return figures;
}

it('keeps the differences from one condition together', () => {
  const figures = emptyFigures();
  for (const [against, sourceRole] of [
    ['reader', 1],
    ['monologue', 1],
    ['reader', 2],
  ] as const)
    takeScore(figures, {
      type: 'difference',
      condition: 'live',
      against,
      sourceRole,
      targetRole: 3 - sourceRole,
      between: 'dyads',
      difference: 0.1,
      ciLow: 0,
      ciHigh: 0.2,
      pValue: 0.5,
    });
  const heads = RUNGS[1]?.lines(figuresView(figures)).map(({ condition }) => condition);
  expect(heads).toEqual(['live − monologue', 'live − reader', 'live − reader']);
});
