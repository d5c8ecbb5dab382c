/**
 * Planted truth: simulated turn pairs whose coupling is known. A's state and B's next state mix latents for scenario, episode, drift over
 * turns, text, and one of their own; a world says which of them the two share.
 */
import { zeros } from '../src/synchrony/matrix.ts';
import { seededRandom, type Random } from '../src/synchrony/random.ts';
import type { Matrix, TurnPairs } from '../src/synchrony/types.ts';

export type WorldKind = 'none' | 'scenario' | 'episode' | 'drift' | 'text' | 'reply-words' | 'coupled';

export interface WorldOptions {
  kind: WorldKind;
  seed: number;
  scenarios: number;
  /** Episodes per scenario. */
  episodes: number;
  /** Turn pairs per episode. */
  turns: number;
  dims: number;
  layers?: number;
  rho?: number;
  /** Turns (of A) from the state that drives to the state that is driven: 1 is the next answer, 3 the one after. */
  lag?: number;
  /** Shortest episode; left out: all have `turns` pairs. */
  shortest?: number;
  /** How many latents the text has; left out: 6. */
  textRank?: number;
  /** Size of the text's step from turn to turn; left out: 0.7. */
  textStep?: number;
  /** Of the text's latents, how many the features show. */
  textSeen?: number;
  /** Both agents mix their latents alike. */
  sameModel?: boolean;
}

/** Turn pairs, and the latents that an oracle may see. */
export interface World {
  pairs: TurnPairs;
  /** A's own latents, which drive B's where there is coupling [n, 6]. */
  latents: Matrix;
}

const LATENTS = 6;
const NOISE = 0.7;
const TEXT_STEP = 0.7;

export function plantedWorld(options: WorldOptions): World {
  const random = seededRandom(options.seed, 77);
  const layers = options.layers ?? 1;
  const textRank = options.textRank ?? LATENTS;
  const mixers = (): Float64Array[] =>
    Array.from({ length: layers }, () =>
      normals(random, (4 * LATENTS + textRank) * options.dims, 1 / Math.sqrt(LATENTS)),
    );
  const mixA = mixers();
  const mixB = options.sameModel === true ? mixA : mixers();
  const drift = walk(random, {
    turns: options.turns + 4,
    step: 1,
    latents: LATENTS,
  });
  const rows: Row[] = [];
  for (let scenario = 0; scenario < options.scenarios; scenario++) {
    const shared = normals(random, LATENTS, 1);
    for (let e = 0; e < options.episodes; e++) {
      rows.push(
        ...episodeRows(options, random, {
          scenario,
          episode: scenario * options.episodes + e,
          shared,
          drift,
        }),
      );
    }
  }
  const states = (mixes: Float64Array[], of: (row: Row) => Float64Array[]): Matrix[] =>
    mixes.map((mix) =>
      mixRows(
        rows.map((row) => concat(of(row))),
        { mix, dims: options.dims, random },
      ),
    );
  const label = (of: (row: Row) => number): Int32Array => Int32Array.from(rows, of);
  return {
    latents: fromRows(rows.map((row) => row.own)),
    pairs: {
      n: rows.length,
      source: states(mixA, (row) => row.a),
      target: states(mixB, (row) => row.b),
      history: fromRows(rows.map((row) => row.text.slice(0, options.textSeen ?? textRank))),
      reply: fromRows(rows.map((row) => row.reply)),
      episode: label((row) => row.episode),
      scenario: label((row) => row.scenario),
      pair: label(() => 0),
      turn: label((row) => row.turn),
    },
  };
}

interface Row {
  /** Five latents of A and of B: scenario, episode, drift, text, own. */
  a: Float64Array[];
  b: Float64Array[];
  text: Float64Array;
  reply: Float64Array;
  own: Float64Array;
  episode: number;
  scenario: number;
  turn: number;
}

interface Setting {
  scenario: number;
  episode: number;
  shared: Float64Array;
  drift: Float64Array[];
}

function episodeRows(options: WorldOptions, random: Random, setting: Setting): Row[] {
  const { kind } = options;
  const rho = options.rho ?? 0.6;
  // A speaks every second turn: lag 1 is the answer, lag 3 the one after.
  const back = ((options.lag ?? 1) - 1) / 2;
  const fresh = (): Float64Array => normals(random, LATENTS, 1);
  const rich = kind === 'text' || kind === 'coupled' || kind === 'reply-words';
  const own = Array.from({ length: options.turns + back }, fresh);
  const episode = fresh();
  const { textRank = LATENTS, textStep = TEXT_STEP } = options;
  // The more latents, the smaller each: the text weighs the same in the states.
  const step = textStep * Math.sqrt(LATENTS / textRank);
  const text = walk(random, { turns: options.turns, step, latents: textRank });
  const turns =
    options.shortest === undefined
      ? options.turns
      : options.shortest + random.below(options.turns - options.shortest + 1);
  return Array.from({ length: turns }, (_, t) => {
    // A's own state now, and the one that drives B's answer: the same, or the one of as many answers before as the lag says.
    const mine = own[t + back] as Float64Array;
    const driver = own[t] as Float64Array;
    const words = kind === 'reply-words' ? blend(driver, fresh(), rho) : fresh();
    const answer = answerTo({ kind, driver, words, fresh, rho });
    const shared = (which: boolean, latent: Float64Array): Float64Array => (which ? latent : fresh());
    const common = (turn: number): Float64Array[] => [
      shared(kind !== 'none', setting.shared),
      shared(kind === 'episode' || rich, episode),
      shared(kind === 'drift' || rich, setting.drift[turn] as Float64Array),
    ];
    return {
      a: [...common(t), rich ? (text[t] as Float64Array) : fresh(), mine],
      b: [...common(t + 1), rich ? (text[t] as Float64Array) : fresh(), answer],
      text: text[t] as Float64Array,
      reply: words,
      own: mine,
      episode: setting.episode,
      scenario: setting.scenario,
      turn: 2 * t,
    };
  });
}

interface AnswerTo {
  kind: WorldKind;
  driver: Float64Array;
  words: Float64Array;
  fresh: () => Float64Array;
  rho: number;
}

/** B's own latent: driven by A's state, by the words of A's reply alone, or by nothing of A's. */
function answerTo({ kind, driver, words, fresh, rho }: AnswerTo): Float64Array {
  if (kind === 'coupled') return blend(driver, fresh(), rho);
  return kind === 'reply-words' ? blend(words, fresh(), 0.95) : fresh();
}

function blend(driver: Float64Array, noise: Float64Array, rho: number): Float64Array {
  const rest = Math.sqrt(1 - rho * rho);
  return driver.map((value, k) => rho * value + rest * (noise[k] as number));
}

function normals(random: Random, count: number, scale: number): Float64Array {
  return Float64Array.from({ length: count }, () => scale * random.normal());
}

/** A random walk of latents, one per turn. */
function walk(
  random: Random,
  { turns, step, latents }: { turns: number; step: number; latents: number },
): Float64Array[] {
  const at = new Float64Array(latents);
  return Array.from({ length: turns }, () => {
    for (let k = 0; k < latents; k++) at[k] = (at[k] as number) + step * random.normal();
    return at.slice();
  });
}

function concat(parts: Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

function mixRows(latents: Float64Array[], how: { mix: Float64Array; dims: number; random: Random }): Matrix {
  const { mix, dims, random } = how;
  const out = zeros(latents.length, dims);
  for (const [r, latent] of latents.entries()) {
    for (let d = 0; d < dims; d++) {
      let sum = NOISE * random.normal();
      for (const [k, value] of latent.entries()) sum += value * (mix[k * dims + d] as number);
      out.data[r * dims + d] = sum;
    }
  }
  return out;
}

function fromRows(rows: Float64Array[]): Matrix {
  const out = zeros(rows.length, rows[0]?.length ?? 0);
  for (const [r, row] of rows.entries()) out.data.set(row, r * out.cols);
  return out;
}
