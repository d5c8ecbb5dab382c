/**
 * Makes aligned turn pairs from the turns of recorded episodes: A at turn t beside B at turn t + lag, with the
 * text that both had read.
 */
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { EpisodeStates, EpisodeTurn, TurnPairs } from '../types.ts';

export interface PairingOptions {
  /**
   * Speaker whose states predict: the one who opened the episode, the one who answered, or any two places in
   * the speaking order.
   */
  direction: 'first_to_second' | 'second_to_first' | { source: number; target: number };
  /** Lag in turns; 1 is the answer. Two speakers who alternate have only odd lags. */
  lag: number;
  /** Indices of the layers to keep; by default all. */
  layers?: number[];
}

interface PairedTurns {
  episode: EpisodeStates;
  source: EpisodeTurn;
  target: EpisodeTurn;
}

export function pairTurns(episodes: readonly EpisodeStates[], options: PairingOptions): TurnPairs {
  const rows = episodes.flatMap((episode) => pairsOf(episode, options));
  const label = (of: (row: PairedTurns) => number): Int32Array => Int32Array.from(rows, of);
  const sources = rows.map((row) => row.source);
  const targets = rows.map((row) => row.target);
  let history: Matrix | undefined;
  let reply: Matrix | undefined;
  return {
    n: rows.length,
    source: layersOf(sources, options.layers),
    target: layersOf(targets, options.layers),
    // Text features are wider than the states of a small model, and not every score uses them.
    get history() {
      return (history ??= textOf(sources));
    },
    get reply() {
      return (reply ??= textOf(targets));
    },
    episode: label((row) => row.episode.episode),
    scenario: label((row) => row.episode.scenario),
    pair: label((row) => row.episode.pair),
    turn: label((row) => row.source.turn),
  };
}

function pairsOf(episode: EpisodeStates, options: PairingOptions): PairedTurns[] {
  const places = { first_to_second: { source: 0, target: 1 }, second_to_first: { source: 1, target: 0 } };
  const { source, target } =
    typeof options.direction === 'string' ? places[options.direction] : options.direction;
  const byTurn = new Map(episode.turns.map((turn) => [turn.turn, turn]));
  const from = episode.turns.filter((turn) => turn.speaker === source).sort((a, b) => a.turn - b.turn);
  return from.flatMap((turn) => {
    const answer = byTurn.get(turn.turn + options.lag);
    return answer?.speaker === target ? [{ episode, source: turn, target: answer }] : [];
  });
}

/** One matrix [n, dims] per layer. */
function layersOf(turns: EpisodeTurn[], wanted: number[] | undefined): Matrix[] {
  const first = turns[0];
  if (first === undefined) return [];
  const dims = first.states.length / first.layers;
  const layers = wanted ?? Array.from({ length: first.layers }, (_, layer) => layer);
  return layers.map((layer) => {
    const out = zeros(turns.length, dims);
    for (const [row, turn] of turns.entries()) {
      out.data.set(turn.states.subarray(layer * dims, (layer + 1) * dims), row * dims);
    }
    return out;
  });
}

const NO_SENTENCE = new Float32Array(0);
const sentenceOf = ({ sentence = NO_SENTENCE }: EpisodeTurn): Float32Array => sentence;

/**
 * All kinds of text features side by side, each scaled to the same mean square, so that none outweighs the others.
 * Columns that are 0 in all rows are left out: most hashed n-grams occur in no prompt of a group.
 */
function textOf(turns: EpisodeTurn[]): Matrix {
  const kinds = [
    usedFeatures(turns, (turn) => turn.text),
    usedFeatures(turns, (turn) => turn.words),
    usedFeatures(turns, sentenceOf),
  ];
  const out = zeros(
    turns.length,
    kinds.reduce((sum, { columns }) => sum + columns.length, 0),
  );
  let at = 0;
  for (let row = 0; row < turns.length; row++)
    for (const { rows, columns, spread } of kinds) {
      const values = rows[row] as Float32Array;
      for (const column of columns) out.data[at++] = (values[column] as number) / spread;
    }
  return out;
}

interface UsedFeatures {
  rows: Float32Array[];
  /** Indices of the columns that are not 0 in all rows. */
  columns: Uint32Array;
  /** Square root of the summed column variances; 1 if there is none. */
  spread: number;
}

function usedFeatures(turns: EpisodeTurn[], of: (turn: EpisodeTurn) => Float32Array): UsedFeatures {
  const rows = turns.map(of);
  const isUsed = new Uint8Array(rows[0]?.length ?? 0);
  for (const row of rows) for (let c = 0; c < isUsed.length; c++) if (row[c] !== 0) isUsed[c] = 1;
  const columns = Uint32Array.from([...isUsed.keys()].filter((column) => isUsed[column] === 1));
  return { rows, columns, spread: columnSpread(rows) || 1 };
}

/** Square root of the summed column variances of these rows; NaN without rows. */
function columnSpread(rows: readonly Float32Array[]): number {
  const sums = new Float64Array(rows[0]?.length ?? 0);
  let squares = 0;
  for (const row of rows)
    for (let c = 0; c < sums.length; c++) {
      const value = row[c] as number;
      sums[c] = (sums[c] as number) + value;
      squares += value * value;
    }
  const means = sums.reduce((total, sum) => total + (sum / rows.length) ** 2, 0);
  return Math.sqrt(Math.max(0, squares / rows.length - means));
}
