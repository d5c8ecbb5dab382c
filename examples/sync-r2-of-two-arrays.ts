/**
 * SyncR² in the paper's mode over two arrays: hidden states of A at 240 turns, and of B at the turns that answer them.
 */
import { createPlainAlgebra, paperScore, zeros, type Matrix, type TurnPairs } from 'entrain/synchrony';

const [turns, dims, turnsPerEpisode] = [240, 8, 12];

/** [turns, dims]: B follows A to one half. Put your own states here. */
const source = filled((turn, dim) => noise(turn, dim, 12.9898));
const target = filled((turn, dim) => noise(turn, dim, 12.9898) + noise(turn, dim, 78.233));

const episode = Int32Array.from({ length: turns }, (_, turn) => Math.floor(turn / turnsPerEpisode));
const pairs: TurnPairs = {
  n: turns,
  source: [source],
  target: [target],
  history: zeros(turns, 0),
  reply: zeros(turns, 0),
  episode,
  scenario: episode,
  pair: new Int32Array(turns),
  turn: Int32Array.from({ length: turns }, (_, turn) => turn % turnsPerEpisode),
};
const score = await paperScore(pairs, { algebra: createPlainAlgebra(), seed: 1 });
console.log('reason' in score ? `no score: ${score.reason}` : `SyncR² ${score.syncR2.toFixed(3)}`);

function noise(turn: number, dim: number, seed: number): number {
  const value = Math.sin((turn * dims + dim) * seed) * 43_758.5453;
  return value - Math.floor(value) - 0.5;
}

function filled(value: (turn: number, dim: number) => number): Matrix {
  const matrix = zeros(turns, dims);
  for (let at = 0; at < turns * dims; at++) matrix.data[at] = value(Math.floor(at / dims), at % dims);
  return matrix;
}
