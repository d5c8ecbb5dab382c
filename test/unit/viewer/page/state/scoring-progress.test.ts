import { expect, it } from 'vitest';
import { emptyFigures, figuresView, takeScore } from '../../../../../src/viewer/library/figures-state.ts';
import { scoringProgress } from '../../../../../src/viewer/page/state/scoring-progress.ts';
import type { EpisodeView, RunView } from '../../../../../src/viewer/view-data.ts';
import { scoreLine } from '../../../../fixtures/viewer/run-folder.ts';

const talk = (condition: string, turns: number, open = false): EpisodeView => ({
  episode: `e${condition}${turns}`,
  scenario: 'shop',
  condition,
  order: ['ada', 'ben'],
  turns,
  open,
});

function runWith(scores: object[], talks: EpisodeView[], model = 'tiny'): RunView {
  const figures = emptyFigures();
  for (const line of scores) takeScore(figures, line as Record<string, unknown>);
  const agents = ['ada', 'ben'].map((id) => ({ id, model, layers: 2, dims: 8 }));
  return { talks, agents, figures: figuresView(figures) } as unknown as RunView;
}

it('counts the turn pairs of each direction that are said, and those in the last score', () => {
  const talks = [talk('live', 12), talk('live', 11), talk('live', 9, true), talk('monologue', 12)];
  const scores = [
    scoreLine({ condition: 'live', samples: 7 }),
    // Each second turn, but the last one, which nobody answers.
    scoreLine({ condition: 'live', samples: 99, sourceRole: 2 }),
    scoreLine({ condition: 'monologue', samples: 6 }),
  ];
  expect(scoringProgress(runWith(scores, talks))).toEqual({ scored: 7 + 10 + 6, all: 11 + 10 + 6 });
  expect(scoringProgress(runWith([], talks))).toEqual({ scored: 0, all: 0 });
  expect(scoringProgress(runWith(scores, talks, 'other'))).toEqual({ scored: 0, all: 0 });
});
