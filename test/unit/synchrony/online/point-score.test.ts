import { describe, expect, it } from 'vitest';
import { shareTurn, unpackTurn } from '../../../../src/analyzer/ingest/turn-numbers.ts';
import { pairTurns } from '../../../../src/synchrony/syncr2/turn-pairs.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import {
  episodeSums,
  joinRows,
  pointScore,
  projectRows,
} from '../../../../src/synchrony/online/point-episode.ts';
import { strictScoreFrozen, type StrictFrozen } from '../../../../src/synchrony/online/point-score.ts';
import { strictScore } from '../../../../src/synchrony/strict/strict-score.ts';
import type { EpisodeStates, TurnPairs } from '../../../../src/synchrony/types.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const options = { algebra: createPlainAlgebra(), seed: 7, permutations: 19, bootstraps: 50 };
const direction = { direction: 'first_to_second', lag: 1 } as const;

function planted(episodesPerScenario: number): EpisodeStates[] {
  const size = { scenarios: 8, turns: 14, layers: 3, dims: 6, textDims: 8 };
  const world = { run: 'r', episodesPerScenario, ...size, conditions: ['live'], coupling: 0.8, seed: 11 };
  return plantedEpisodes(world).map(({ streams }, episode) => ({
    episode,
    scenario: episode % 8,
    pair: 0,
    turns: streams.flatMap((frames, speaker) =>
      frames.flatMap((frame) =>
        frame.type === 'turn' ? [{ turn: frame.turn, speaker, ...unpackTurn(shareTurn(frame)) }] : [],
      ),
    ),
  }));
}

async function refresh(
  episodes: EpisodeStates[],
): Promise<{ score: number; frozen: StrictFrozen; pairs: TurnPairs }> {
  const pairs = pairTurns(episodes, direction);
  const { score, frozen } = await strictScoreFrozen(pairs, options);
  if ('reason' in score || !frozen) throw new Error('no score');
  return { score: score.score, frozen, pairs };
}

describe('the strict point score', () => {
  it('is the full score at a refresh, and changes nothing in it', async () => {
    const { score, frozen, pairs } = await refresh(planted(4));
    expect(pointScore(frozen.sums.values())).toBeCloseTo(score, 12);
    const plain = await strictScore(pairs, options);
    expect(plain).toMatchObject({ score });
  });

  it('gives an episode of the refresh the sums that it had there', async () => {
    const episodes = planted(4);
    const { frozen } = await refresh(episodes);
    for (const episode of episodes.slice(0, 5)) {
      const rows = projectRows(
        frozen,
        pairTurns([episode], { ...direction, historySpreads: frozen.historySpreads }),
      );
      const again = episodeSums(frozen, rows);
      const before = frozen.sums.get(episode.episode);
      for (const layer of [0, 1, 2]) {
        expect(again?.explained[layer]).toBeCloseTo(before?.explained[layer] ?? NaN, 8);
        expect(again?.total[layer]).toBeCloseTo(before?.total[layer] ?? NaN, 8);
      }
    }
  });

  it('grows turn by turn, and stays near what a refresh would say', async () => {
    const episodes = planted(5);
    const { frozen } = await refresh(episodes.slice(0, 32));
    const sums = new Map(frozen.sums);
    for (const episode of episodes.slice(32)) {
      const pairs = (turns: number[]) =>
        pairTurns([{ ...episode, turns: episode.turns.filter(({ turn }) => turns.includes(turn)) }], {
          ...direction,
          historySpreads: frozen.historySpreads,
        });
      let rows = projectRows(frozen, pairs([0, 1]));
      expect(episodeSums(frozen, rows)).toBeUndefined();
      for (const turn of [2, 4, 6, 8, 10])
        rows = joinRows(rows, projectRows(frozen, pairs([turn, turn + 1])));
      const own = episodeSums(frozen, rows);
      if (own) sums.set(episode.episode, own);
    }
    expect(sums.size).toBe(40);
    const full = await refresh(episodes);
    expect(Math.abs((pointScore(sums.values()) ?? NaN) - full.score)).toBeLessThan(0.03);
  });

  it('says nothing of a scenario that the refresh did not know', async () => {
    const { frozen } = await refresh(planted(4));
    const [episode] = planted(4);
    const rows = projectRows(frozen, pairTurns([{ ...episode!, scenario: 99 }], direction));
    expect(episodeSums(frozen, rows)).toBeUndefined();
    expect(pointScore([])).toBeUndefined();
  });
});
