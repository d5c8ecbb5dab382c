import { describe, expect, it } from 'vitest';
import { lagPairs, pseudoPairs, shuffledPairs } from '../../../../src/synchrony/syncr2/nulls.ts';
import { pairTurns } from '../../../../src/synchrony/syncr2/turn-pairs.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { EpisodeStates } from '../../../../src/synchrony/types.ts';

/** Every state tells its episode, turn and layer: [episode, 10 × turn + layer]. */
function recorded(episode: number, turns: number): EpisodeStates {
  return {
    episode,
    scenario: Math.floor(episode / 3),
    pair: 7,
    turns: Array.from({ length: turns }, (_, turn) => ({
      turn,
      speaker: turn % 2,
      layers: 2,
      states: Float32Array.from([episode, 10 * turn, episode, 10 * turn + 1]),
      text: Float32Array.from([turn, 0, episode]),
      words: Float32Array.from([turn]),
    })),
  };
}

const episodes = [recorded(0, 6), recorded(1, 5), recorded(2, 6), recorded(3, 4), recorded(4, 6)];
const rows = (m: Matrix | undefined): number[][] =>
  m === undefined
    ? []
    : Array.from({ length: m.rows }, (_, r) => [...m.data.subarray(r * m.cols, (r + 1) * m.cols)]);

describe('pairTurns', () => {
  it('puts sentence embeddings beside the other text features, scaled to the same mean square', () => {
    const spoken = (sentences: boolean): EpisodeStates[] =>
      episodes.map((episode) => ({
        ...episode,
        turns: episode.turns.map((turn) => ({
          ...turn,
          ...(sentences ? { sentence: Float32Array.from([100 * turn.turn, 0, 300 * episode.episode]) } : {}),
        })),
      }));
    const direction = { direction: 'first_to_second', lag: 1 } as const;
    const without = pairTurns(spoken(false), direction);
    const found = pairTurns(spoken(true), direction);
    expect([without.history.cols, found.history.cols, found.reply.cols]).toEqual([3, 5, 5]);
    // [turn, 0, 3 × episode] in other units: divided by their own spread, they are the same share of it.
    const [text, sentence] = [0, 3].map((c) => rows(found.history).map((row) => row[c] as number));
    const factor = (sentence?.at(-1) as number) / (text?.at(-1) as number);
    for (const [r, value] of (sentence as number[]).entries())
      expect(value).toBeCloseTo(factor * (text?.[r] as number), 6);
    const columns = [3, 4].map((c) => rows(found.history).map((row) => row[c] as number));
    const variances = columns.map((values) => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    });
    expect(variances.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
  });

  it('puts A at turn t beside B at the next turn, layer by layer', () => {
    const pairs = pairTurns([recorded(1, 6)], { direction: 'first_to_second', lag: 1 });
    expect([...pairs.turn]).toEqual([0, 2, 4]);
    expect(rows(pairs.source[1])).toEqual([
      [1, 1],
      [1, 21],
      [1, 41],
    ]);
    expect(rows(pairs.target[0])).toEqual([
      [1, 10],
      [1, 30],
      [1, 50],
    ]);
  });

  it('pairs in the other direction too, and stops where the episode ends', () => {
    const pairs = pairTurns([recorded(1, 6)], { direction: 'second_to_first', lag: 1 });
    expect([...pairs.turn]).toEqual([1, 3]);
    expect(rows(pairs.target[0])[1]).toEqual([1, 40]);
  });

  it('sorts the turns, and keeps only the layers asked for', () => {
    const mixed = recorded(1, 6);
    mixed.turns.reverse();
    const pairs = pairTurns([mixed], { direction: 'first_to_second', lag: 3, layers: [1] });
    expect([...pairs.turn]).toEqual([0, 2]);
    expect(pairs.source).toHaveLength(1);
    expect(rows(pairs.target[0])).toEqual([
      [1, 31],
      [1, 51],
    ]);
  });

  it('gives no pairs for an even lag between two agents who alternate', () => {
    expect(pairTurns(episodes, { direction: 'first_to_second', lag: 2 }).n).toBe(0);
  });

  it('scales both kinds of text features to one size', () => {
    const { history } = pairTurns(episodes, { direction: 'first_to_second', lag: 1 });
    const variance = (columns: number[]): number =>
      columns.reduce((total, c) => {
        const values = rows(history).map((row) => row[c] as number);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return total + values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      }, 0);
    // The second column of the text is 0 in all rows, and left out.
    expect(history.cols).toBe(3);
    expect(variance([0, 1])).toBeCloseTo(1, 9);
    expect(variance([2])).toBeCloseTo(1, 9);
  });
});

describe('nulls from turn pairs', () => {
  const pairs = pairTurns(episodes, { direction: 'first_to_second', lag: 1 });

  it('shuffled permutes only B, within the episode', () => {
    const exchanged = shuffledPairs(pairs, 3);
    expect(exchanged.n).toBe(pairs.n);
    expect(rows(exchanged.source[0])).toEqual(rows(pairs.source[0]));
    expect(rows(exchanged.target[0]).map(([episode]) => episode)).toEqual([...pairs.episode]);
    expect(rows(exchanged.target[0])).not.toEqual(rows(pairs.target[0]));
  });

  it('pseudo takes B from another episode of the scenario, at the same turn, over the shorter length', () => {
    const exchanged = pseudoPairs(pairs, 3);
    expect(exchanged.n).toBeGreaterThan(0);
    for (const [r, [episode, state]] of rows(exchanged.target[0]).entries()) {
      expect(episode).not.toBe(exchanged.episode[r]);
      expect(Math.floor((episode as number) / 3)).toBe(exchanged.scenario[r]);
      expect(state).toBe(10 * ((exchanged.turn[r] as number) + 1));
    }
  });

  it('lag gives the pairs that pairing at that lag gives', () => {
    const direct = pairTurns(episodes, { direction: 'first_to_second', lag: 3 });
    const made = lagPairs(pairs, 3);
    expect([...made.turn]).toEqual([...direct.turn]);
    expect(rows(made.target[1])).toEqual(rows(direct.target[1]));
    expect(rows(made.source[1])).toEqual(rows(direct.source[1]));
  });
});
