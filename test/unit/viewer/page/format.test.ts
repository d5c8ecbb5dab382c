import { describe, expect, it } from 'vitest';
import { directionOf } from '../../../../src/viewer/page/format.ts';
import type { RunView } from '../../../../src/viewer/view-data.ts';

const SMALL = 'my-300k-chat';
const LARGE = 'my-8m-chat';

/** A run with the given speaking orders, and a group in each direction of every ordered pair of the models. */
function runOf(orders: string[][], models: string[]): RunView {
  const groups = models.flatMap((sourceModel) => models.map((targetModel) => ({ sourceModel, targetModel })));
  return { talks: orders.map((order) => ({ order })), figures: { groups } } as unknown as RunView;
}

const direction = (roles: [number, number], models: [string, string]) => ({
  condition: 'live',
  sourceRole: roles[0],
  targetRole: roles[1],
  sourceModel: models[0],
  targetModel: models[1],
});

describe('a direction', () => {
  it('is named by agents where each place always has the same one', () => {
    const run = runOf([['ada', 'ben'], ['ada', 'ben']], [SMALL, LARGE]); // prettier-ignore
    expect(directionOf(direction([2, 1], [LARGE, SMALL]), run)).toBe('ben → ada');
  });

  it('is named by what tells the models apart where several agents have the places', () => {
    const run = runOf([['ada', 'ben'], ['ben', 'ada']], [SMALL, LARGE]); // prettier-ignore
    expect(directionOf(direction([1, 2], [SMALL, LARGE]), run)).toBe('300k → 8m');
    expect(directionOf(direction([2, 1], [SMALL, LARGE]), run)).toBe('300k (2nd) → 8m');
    expect(directionOf(direction([1, 2], [LARGE, LARGE]), run)).toBe('8m → 8m');
  });

  it('is named by places where all have one model, or the models are not told', () => {
    const orders = [['ada', 'ben'], ['ben', 'ada']]; // prettier-ignore
    expect(directionOf(direction([1, 2], [SMALL, SMALL]), runOf(orders, [SMALL]))).toBe('1st → 2nd');
    const difference = { condition: 'live − monologue', sourceRole: 2, targetRole: 1 };
    expect(directionOf(difference, runOf(orders, [SMALL, LARGE]))).toBe('2nd → 1st');
  });
});
