/**
 * Planted episodes of three agents, booked as the analyzer books a recording. All states are noise but those of one dyad, if it is coupled:
 * the second agent then follows the first.
 */
import { emptyRunRows, applyChange, selectRows } from '../src/analyzer/group-rows.ts';
import type { TurnNumbers } from '../src/analyzer/turn-numbers.ts';
import type { EpisodeFrame } from '../src/protocol/frames.ts';
import { seededRandom, type Random } from '../src/synchrony/random.ts';
import type { TurnPairs } from '../src/synchrony/types.ts';

export interface ThreeOptions {
  seed: number;
  scenarios: number;
  /** Per scenario. */
  episodes: number;
  turns: number;
  dims: number;
  /** Of the second agent's state, what is the first one's last; left out: nothing. */
  rho?: number;
}

const ORDER = ['ada', 'ben', 'cleo'];
const MODEL = { name: 'planted', sha256: '0'.repeat(64), layers: 1 };

/** Turn pairs of every ordered pair of roles, by `source>target` counted from 1. */
export function groupsOfThree(options: ThreeOptions): Map<string, TurnPairs> {
  const random = seededRandom(options.seed, 83);
  const run = emptyRunRows();
  for (let at = 0; at < options.scenarios * options.episodes; at++) {
    const frame = episodeFrame(at, options);
    const book = (change: ReturnType<typeof run.book.addEpisode>): void => {
      const episode = run.book.episode(frame.episode);
      if (episode) applyChange(run.groups, episode, { ...change, counted: true });
    };
    book(run.book.addEpisode(frame));
    for (const [turn, states] of turnsOf(options, random).entries())
      book(run.book.addTurn(frame.episode, { turn, seating: 0, origin: ORIGIN, payload: numbers(states) }));
  }
  return new Map(
    [...run.groups.values()].map((rows) => [
      `${rows.group.sourceRole}>${rows.group.targetRole}`,
      selectRows(rows, run.book).pairs,
    ]),
  );
}

const ORIGIN = { stream: 'planted', epoch: 0, seq: 0 };

const NONE = new Float32Array(0);

function numbers(states: Float32Array): TurnNumbers {
  return { layers: 1, states, text: NONE, words: NONE, sentence: NONE };
}

function turnsOf({ turns, dims, rho = 0 }: ThreeOptions, random: Random): Float32Array[] {
  const states: Float32Array[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const before = turn % ORDER.length === 1 ? states[turn - 1] : undefined;
    const own = Math.sqrt(1 - rho * rho);
    states.push(
      Float32Array.from({ length: dims }, (_, dim) =>
        before ? rho * (before[dim] as number) + own * random.normal() : random.normal(),
      ),
    );
  }
  return states;
}

function episodeFrame(at: number, { scenarios, dims }: ThreeOptions): EpisodeFrame {
  return {
    type: 'episode',
    seq: 0,
    run: 'planted',
    episode: `e${at}`,
    scenario: `s${at % scenarios}`,
    pair: 'all',
    condition: 'live',
    seed: 1,
    order: ORDER,
    role: 0,
    models: ORDER.map(() => ({ ...MODEL, dims })),
  };
}
