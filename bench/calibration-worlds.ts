/** The simulated worlds of the calibration: what is planted in each, and what a score should find. */
import { groupsOfThree } from '../test/fixtures/planted/groups-of-three.ts';
import { plantedWorld, type World, type WorldOptions } from '../test/fixtures/planted/planted-world.ts';
import type { TurnPairs } from '../src/synchrony/types.ts';

/** Turn pairs; with coupling also the latent variables, for the oracle. */
export type Planted = Pick<World, 'pairs'> & Partial<Pick<World, 'latents'>>;

export interface CalibrationWorld {
  name: string;
  plant(seed: number): Planted;
  /**
   * What is planted: nothing; coupling; or a common input of single episodes, which the score cannot tell from
   * coupling.
   */
  truth: 'null' | 'coupled' | 'common input' | 'other lag';
  /** The estimate beyond text instead of the score; it has no p-value. */
  beyond?: 'text' | 'words';
  /** Lag at which the world is scored. */
  lag?: number;
  runs: number;
}

const SIZE = { scenarios: 12, episodes: 4, turns: 6, dims: 24 };
const NULL_RUNS = 2000;
const TEXT_RUNS = 60;
const COUPLED_RUNS = 40;

const planted =
  (options: Partial<WorldOptions> & Pick<WorldOptions, 'kind'>) =>
  (seed: number): Planted =>
    plantedWorld({ ...SIZE, ...options, seed });

type Options = Parameters<typeof planted>[0];

/** The test is exact at any size, so its rate is measured at a size at which a run is fast. */
const LITTLE = { scenarios: 6, episodes: 3, turns: 4, dims: 6 };

const nothing = (name: string, options: Options): CalibrationWorld => ({
  name,
  plant: planted({ ...LITTLE, ...options }),
  truth: 'null',
  runs: NULL_RUNS,
});

const SMALLEST = { scenarios: 6, episodes: 3, turns: 7 };
const SIX_LAYERS = { layers: 6, dims: 8 };

const DYADS = ['1>2', '1>3', '2>1', '2>3', '3>1', '3>2'] as const;

/** Each run takes another dyad of the group. */
const dyadOfThree = (seed: number): Planted => ({
  pairs: groupsOfThree({ ...LITTLE, turns: 12, seed }).get(DYADS[seed % DYADS.length] as string) as TurnPairs,
});

const NULL_WORLDS: readonly CalibrationWorld[] = [
  nothing('no relation', { kind: 'none' }),
  { ...nothing('no relation, 12 scenarios x 4 episodes', { kind: 'none', ...SIZE }), runs: 400 },
  nothing('no relation, 6 layers', { kind: 'none', ...SIX_LAYERS }),
  nothing('no relation, lengths by chance (2 to 4)', { kind: 'none', shortest: 2 }),
  nothing('no relation, lengths by both states (2 to 4)', { kind: 'none', shortest: 2, leaves: true }),
  nothing('shared scenario', { kind: 'scenario' }),
  nothing('shared episode', { kind: 'episode' }),
  nothing('shared drift', { kind: 'drift' }),
  nothing('one script for all episodes of a scenario', { kind: 'script' }),
  nothing('one script, both agents one model', { kind: 'script', sameModel: true }),
  nothing('one script, lengths by both states (2 to 4)', { kind: 'script', shortest: 2, leaves: true }),
  nothing('one script, 6 layers', { kind: 'script', ...SIX_LAYERS }),
  nothing('one script, 6 layers, lengths by both states (2 to 4)', {
    kind: 'script',
    shortest: 2,
    leaves: true,
    ...SIX_LAYERS,
  }),
  { name: 'three agents, no relation', plant: dyadOfThree, truth: 'null', runs: NULL_RUNS },
];

/** Coupling without an effect of text on the states. */
const coupled = (name: string, options: Partial<Options> = {}): CalibrationWorld => ({
  name,
  plant: planted({ kind: 'coupled', textStep: 0, ...options }),
  truth: 'coupled',
  runs: COUPLED_RUNS,
});

const COUPLED_WORLDS: readonly CalibrationWorld[] = [
  coupled('coupled, rho 0.6'),
  coupled('coupled, rho 0.3', { rho: 0.3 }),
  coupled('coupled, rho 0.6, 8 scenarios x 6 episodes', { scenarios: 8, episodes: 6 }),
  coupled('coupled, rho 0.6, 24 scenarios x 3 episodes', { scenarios: 24, episodes: 3 }),
  coupled('coupled, rho 0.6, 6 scenarios x 3 episodes', SMALLEST),
  coupled('coupled, rho 0.6, 6 layers', { layers: 6, scenarios: 8 }),
  { ...coupled('coupled at lag 3, scored at lag 1', { lag: 3 }), truth: 'other lag' },
  { ...coupled('coupled at lag 3, scored at lag 3', { lag: 3, turns: 7 }), lag: 3 },
  {
    name: 'another script for every episode',
    plant: planted({ kind: 'text' }),
    truth: 'common input',
    runs: COUPLED_RUNS,
  },
];

/** All of the text is observed, with four times its variance in the other worlds. */
const richText = (textRank: number, size: Partial<WorldOptions> = {}): CalibrationWorld => {
  const options = { scenarios: 10, episodes: 5, turns: 5, textStep: 1.4, textRank, ...size };
  const rows = options.scenarios * options.episodes * options.turns;
  const name = `shared text of rank ${textRank}, ${rows} rows, beyond text`;
  return {
    name,
    plant: planted({ kind: 'text', ...options }),
    truth: 'null',
    beyond: 'text',
    runs: TEXT_RUNS,
  };
};

const beyondText = (
  name: string,
  options: Options,
  truth: 'null' | 'coupled' = 'null',
): CalibrationWorld => ({
  name: `${name}, beyond text`,
  plant: planted(options),
  truth,
  beyond: 'text',
  runs: truth === 'null' ? TEXT_RUNS : COUPLED_RUNS,
});

const SMALL = { scenarios: 6, episodes: 4 };

const TEXT_WORLDS: readonly CalibrationWorld[] = [
  beyondText('shared text', { kind: 'text' }),
  beyondText('shared text, 4 layers', { kind: 'text', layers: 4, scenarios: 8 }),
  beyondText('shared text, both agents one model', { kind: 'text', sameModel: true }),
  { ...beyondText('shared text, half of it seen', { kind: 'text', textSeen: 3 }), truth: 'common input' },
  ...[6, 24, 60].map((rank) => richText(rank, SMALL)),
  ...[24, 60, 150].map((rank) => richText(rank)),
  beyondText('coupled, rho 0.6, shared text', { kind: 'coupled' }, 'coupled'),
  beyondText('coupled, rho 0.3, shared text', { kind: 'coupled', rho: 0.3 }, 'coupled'),
  beyondText('coupled, rho 0.6, shared text of rank 60', { kind: 'coupled', textRank: 60 }, 'coupled'),
  {
    name: 'by the reply alone, beyond words',
    plant: planted({ kind: 'reply-words' }),
    truth: 'null',
    beyond: 'words',
    runs: TEXT_RUNS,
  },
];

export const WORLDS: readonly CalibrationWorld[] = [...NULL_WORLDS, ...COUPLED_WORLDS, ...TEXT_WORLDS];
