/** Frames of simulated dialogues whose coupling is known: B's next state holds a share of A's state, or nothing of it. */
import type { EpisodeFrame, TurnFrame } from '../src/protocol/frames.ts';
import { deriveSeed } from '../src/protocol/seed.ts';
import { packTensor } from '../src/protocol/tensor.ts';

export interface PlantedOptions {
  run: string;
  scenarios: number;
  episodesPerScenario: number;
  turns: number;
  layers: number;
  dims: number;
  textDims: number;
  conditions: string[];
  /** Share of A's latent state in B's next one, in `live`; elsewhere it is 0. */
  coupling: number;
  seed: number;
}

export interface PlantedEpisode {
  episode: string;
  /** Per role, the frames of that agent's stream in order. */
  streams: [first: PlantedFrame[], second: PlantedFrame[]];
}

export type PlantedFrame = EpisodeFrame | TurnFrame;

const AGENTS = ['ada', 'ben'];
const LATENT = 4;
/** Text features say nothing here: a few random entries, so that they cost little. */
const TEXT_ENTRIES = 16;
const TEXT_STRIDE = 37;

export function plantedEpisodes(options: PlantedOptions): PlantedEpisode[] {
  const world = createWorld(options);
  const places = Array.from({ length: options.episodesPerScenario * options.scenarios }, (_, index) => index);
  return places.flatMap((index) =>
    options.conditions.map((condition) => {
      const scenario = `s${index % options.scenarios}`;
      const episode = `${scenario}-${condition}-${Math.floor(index / options.scenarios)}`;
      return plantedEpisode(world, { episode, scenario, condition, turns: options.turns - (index % 2) });
    }),
  );
}

interface World {
  options: PlantedOptions;
  /** Per role and layer: [LATENT, dims]. */
  maps: Float64Array[][];
  normal(): number;
}

function createWorld(options: PlantedOptions): World {
  const normal = normals(options.seed);
  const map = () => Float64Array.from({ length: LATENT * options.dims }, normal);
  const maps = AGENTS.map(() => Array.from({ length: options.layers }, map));
  return { options, maps, normal };
}

interface Place {
  episode: string;
  scenario: string;
  condition: string;
  turns: number;
}

function plantedEpisode(world: World, place: Place): PlantedEpisode {
  const { normal, options } = world;
  const share = place.condition === 'live' ? options.coupling : 0;
  const streams: PlantedEpisode['streams'] = [
    [episodeFrame(world, place, 0)],
    [episodeFrame(world, place, 1)],
  ];
  let latent = Array.from({ length: LATENT }, normal);
  for (let turn = 0; turn < place.turns; turn += 1) {
    latent = latent.map((value) => share * value + Math.sqrt(1 - share ** 2) * normal());
    const stream = streams[(turn % 2) as 0 | 1];
    stream.push(turnFrame(world, { place, turn, latent, seq: stream.length }));
  }
  return { episode: place.episode, streams };
}

function episodeFrame({ options }: World, place: Place, role: number): EpisodeFrame {
  const { layers, dims, run, seed } = options;
  const model = { name: 'planted', sha256: '0'.repeat(64), layers, dims };
  const { episode, scenario, condition } = place;
  const about = { run, episode, scenario, condition, pair: AGENTS.join('-'), order: AGENTS, role };
  return { type: 'episode', seq: 0, seed, models: [model, model], ...about };
}

interface TurnPlace {
  place: Place;
  turn: number;
  latent: number[];
  seq: number;
}

function turnFrame(world: World, { place, turn, latent, seq }: TurnPlace): TurnFrame {
  const { options, normal } = world;
  const { layers, dims, textDims } = options;
  const states = new Float32Array(layers * dims);
  for (const [layer, map] of (world.maps[turn % 2] ?? []).entries())
    for (let dim = 0; dim < dims; dim += 1) {
      const signal = latent.reduce((sum, value, k) => sum + value * (map[k * dims + dim] ?? 0), 0);
      states[layer * dims + dim] = signal + 0.5 * normal();
    }
  const features = (length: number): Uint8Array => {
    const values = new Float32Array(length);
    for (let k = 0; k < Math.min(length, TEXT_ENTRIES); k += 1)
      values[(k * TEXT_STRIDE + turn) % length] = normal() / Math.sqrt(TEXT_ENTRIES);
    return new Uint8Array(values.buffer);
  };
  return {
    type: 'turn',
    seq,
    episode: place.episode,
    turn,
    layers: Array.from({ length: layers }, (_, layer) => layer + 1),
    shape: [1, layers, dims],
    tNs: turn,
    ...packTensor(states, 'f32'),
    text: features(textDims),
    words: features(dims),
  };
}

/** Standard normal numbers from a seed (Box–Muller). */
function normals(seed: number): () => number {
  let count = 0;
  const uniform = (): number => (deriveSeed(seed, count++) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
