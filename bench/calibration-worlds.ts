/** The worlds of the calibration: what is planted in each, and what a score should say of it. */
import { groupsOfThree } from '../test/fixtures/planted/groups-of-three.ts';
import { plantedWorld, type World, type WorldOptions } from '../test/fixtures/planted/planted-world.ts';
import type { TurnPairs } from '../src/synchrony/types.ts';

/** Turn pairs, and where there is coupling the latents that an oracle may see. */
export type Planted = Pick<World, 'pairs'> & Partial<Pick<World, 'latents'>>;

export interface CalibrationWorld {
  name: string;
  plant(seed: number): Planted;
  /** What holds: nothing to find, coupling, or a common cause that the features do not show. */
  truth: 'null' | 'coupled' | 'other lag' | 'hidden cause';
  beyond?: 'words';
  /** Scored at this lag. */
  lag?: number;
  runs: number;
}

const SIZE = { scenarios: 12, episodes: 4, turns: 6, dims: 24 };
const NULL_RUNS = 500;
/** Where 500 gave a rate near the bar: they are good to a point, these to half of one. */
const MANY_RUNS = 2000;
const COUPLED_RUNS = 60;

const planted =
  (options: Omit<WorldOptions, 'seed'>) =>
  (seed: number): Planted =>
    plantedWorld({ ...options, seed });

/** Text all of which is seen, with four times the variance that it has in the other worlds. */
const richText = (textRank: number, size: Partial<WorldOptions> = {}, runs = NULL_RUNS): CalibrationWorld => {
  const options = {
    ...SIZE,
    scenarios: 10,
    episodes: 5,
    turns: 5,
    kind: 'text',
    textRank,
    textStep: 1.4,
    ...size,
  } as const;
  const rows = options.scenarios * options.episodes * options.turns;
  return {
    name: `shared text of rank ${textRank}, ${rows} rows`,
    plant: planted(options),
    truth: 'null',
    runs,
  };
};
const SMALL = { scenarios: 6, episodes: 4 };

const DYADS = ['1>2', '1>3', '2>1', '2>3', '3>1', '3>2'] as const;

/** Another dyad in every run. */
const dyadOfThree = (seed: number): Planted => ({
  pairs: groupsOfThree({ ...SIZE, turns: 18, seed }).get(DYADS[seed % DYADS.length] as string) as TurnPairs,
});

export const WORLDS: readonly CalibrationWorld[] = [
  {
    name: 'no relation',
    plant: planted({ ...SIZE, kind: 'none' }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, seen',
    plant: planted({ ...SIZE, kind: 'text' }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, unequal lengths (3 to 6)',
    plant: planted({ ...SIZE, kind: 'text', shortest: 3 }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared drift',
    plant: planted({ ...SIZE, kind: 'drift' }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, two episodes per scenario',
    plant: planted({ ...SIZE, kind: 'text', episodes: 2 }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, both agents one model',
    plant: planted({ ...SIZE, kind: 'text', sameModel: true }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared scenario',
    plant: planted({ ...SIZE, kind: 'scenario' }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared episode',
    plant: planted({ ...SIZE, kind: 'episode' }),
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, 4 layers',
    plant: planted({ ...SIZE, kind: 'text', layers: 4, scenarios: 8 }),
    truth: 'null',
    runs: MANY_RUNS,
  },
  {
    name: 'three agents, no relation',
    plant: dyadOfThree,
    truth: 'null',
    runs: NULL_RUNS,
  },
  ...[6, 24, 60].map((rank) => richText(rank, SMALL, rank === 24 ? MANY_RUNS : NULL_RUNS)),
  ...[24, 60, 150].map((rank) => richText(rank)),
  {
    name: 'coupled, rho 0.6, shared text of rank 60',
    plant: planted({ ...SIZE, kind: 'coupled', textRank: 60 }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled, rho 0.6, 24 scenarios x 2 episodes',
    plant: planted({ ...SIZE, kind: 'coupled', scenarios: 24, episodes: 2 }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled, rho 0.6, 8 scenarios x 6 episodes',
    plant: planted({ ...SIZE, kind: 'coupled', scenarios: 8, episodes: 6 }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'shared text, half of it seen',
    plant: planted({ ...SIZE, kind: 'text', textSeen: 3 }),
    truth: 'hidden cause',
    runs: 50,
  },
  {
    name: 'coupled, rho 0.6',
    plant: planted({ ...SIZE, kind: 'coupled' }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled, rho 0.3',
    plant: planted({ ...SIZE, kind: 'coupled', rho: 0.3 }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled, rho 0.6, 5 scenarios x 2 episodes',
    plant: planted({ ...SIZE, kind: 'coupled', scenarios: 5, episodes: 2 }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled at lag 3, scored at lag 1',
    plant: planted({ ...SIZE, kind: 'coupled', lag: 3 }),
    truth: 'other lag',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled at lag 3, scored at lag 3',
    plant: planted({ ...SIZE, kind: 'coupled', lag: 3, turns: 7 }),
    truth: 'coupled',
    lag: 3,
    runs: COUPLED_RUNS,
  },
  {
    name: 'by the reply alone, beyond history',
    plant: planted({ ...SIZE, kind: 'reply-words' }),
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'by the reply alone, beyond words',
    plant: planted({ ...SIZE, kind: 'reply-words' }),
    truth: 'null',
    beyond: 'words',
    runs: NULL_RUNS,
  },
];
