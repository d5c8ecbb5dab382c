import { expect, it } from 'vitest';
import { emptyFigures, figuresView, takeScore } from '../../../../../src/viewer/library/figures-state.ts';
import { doseSeries, lagSeries } from '../../../../../src/viewer/page/figures/trend-series.ts';
import type { RunView } from '../../../../../src/viewer/view-data.ts';
import { besideLine, scoreLine } from '../../../../fixtures/viewer/run-folder.ts';

function runOf(...lines: object[]): RunView {
  const figures = emptyFigures();
  for (const line of lines) takeScore(figures, line as Record<string, unknown>);
  return { talks: [], figures: figuresView(figures) } as unknown as RunView;
}

it('draws the dose from what nobody hears to all of it, in the order of the share and for each direction', () => {
  const excess = { live: 0.3, 'dose:0.75': 0.2, monologue: 0, 'dose:0.25': 0.05, 'lag:2': 0.9 };
  const lines = Object.entries(excess).map(([condition, value]) => scoreLine({ condition, excess: value }));
  const back = scoreLine({ condition: 'live', excess: 0.1, sourceRole: 2 });
  const found = doseSeries(runOf(...lines, back));
  expect(found.map(({ points }) => points.map(({ x, value }) => [x, value]))).toEqual([
    [
      [0, 0],
      [0.25, 0.05],
      [0.75, 0.2],
      [1, 0.3],
    ],
  ]);
  expect(found[0]?.points[1]).toMatchObject({ low: 0, high: expect.closeTo(0.1, 9) as number });
});

it('draws no dose where all or nothing is heard', () => {
  expect(doseSeries(runOf(scoreLine({ condition: 'live' }), scoreLine({ condition: 'monologue' })))).toEqual(
    [],
  );
});

it('draws the lags from the next turn on, where they were measured', () => {
  const measured = besideLine({ condition: 'live', map: [[0.1]], turns: {} });
  const found = lagSeries(
    runOf(scoreLine({ condition: 'live' }), scoreLine({ condition: 'monologue' }), measured),
  );
  expect(found.map(({ condition, points }) => [condition, points.map(({ x, value }) => [x, value])])).toEqual(
    [
      [
        'live',
        [
          [1, 0.25],
          [3, 0.12],
        ],
      ],
    ],
  );
});
