/** Frames of a dialogue whose listener's states hold a known share of its speaker's, step by step. */
import type { EpisodeFrame, StepsFrame } from '../src/protocol/frames.ts';
import { packTensor } from '../src/protocol/tensor.ts';
import type { Origin } from '../src/analyzer/episode-book.ts';
import type { StepFrame, StepInput } from '../src/analyzer/steps/step-messages.ts';
import { seededRandom } from '../src/synchrony/random.ts';

export interface PlantedSteps {
  episode: string;
  condition?: string;
  turns: number;
  /** Tokens of each turn, three bytes each. */
  tokens: number;
  layers: number;
  dims: number;
  /** Share of the speaker's state in the listener's at the same word. */
  share: number;
  seed: number;
}

const STREAMS = ['ada', 'ben'];
/** Each step keeps so much of the one before. */
const SLOWNESS = 0.5;

/** In the order in which they might come: a turn's speaker, then its listener. */
export function plantedSteps(world: PlantedSteps): StepInput[] {
  const seqs = new Map<string, number>();
  const inputs: StepInput[] = [];
  const send = (stream: string, frame: StepFrame): void => {
    const seq = seqs.get(stream) ?? 0;
    seqs.set(stream, seq + 1);
    inputs.push(inputOf({ stream, epoch: 1, seq }, frame));
  };
  for (const role of [0, 1]) send(STREAMS[role] as string, episodeOf(world, role));
  const words = plantWords(world);
  for (let turn = 0; turn < world.turns; turn += 1) {
    const [speaker, listener] = [STREAMS[turn % 2], STREAMS[(turn + 1) % 2]] as [string, string];
    const { spoken, heard } = words(turn);
    send(speaker, { type: 'turn', episode: world.episode, turn });
    send(speaker, stepsOf(world, { turn, role: 'speak', states: spoken }));
    send(listener, stepsOf(world, { turn, role: 'listen', states: heard }));
  }
  return inputs;
}

export function inputOf(origin: Origin, frame: StepFrame): StepInput {
  return { type: 'frame', run: 'r1', origin, frame };
}

export function episodeOf(
  { episode, condition = 'live', layers, dims }: PlantedSteps,
  role: number,
): EpisodeFrame {
  const model = { name: 'planted', sha256: '0', layers, dims };
  const about = { run: 'r1', episode, scenario: 's1', pair: 'ada-ben', condition, seed: 1, order: STREAMS };
  return { type: 'episode', seq: 0, ...about, role, models: [model, model] };
}

export interface PlantedTurn {
  turn: number;
  role: StepsFrame['role'];
  /** [steps, layers × dims] */
  states: Float32Array[];
  step0?: number;
}

/** Tokens of three bytes each. */
export function stepsOf(
  { episode, layers, dims }: PlantedSteps,
  { turn, role, states, step0 = 0 }: PlantedTurn,
): StepsFrame {
  const values = Float32Array.from(states.flatMap((state) => [...state]));
  return {
    type: 'steps',
    seq: 0,
    episode,
    turn,
    step0,
    role,
    bytes: states.map((_, step) => [3 * (step0 + step), 3 * (step0 + step) + 3]),
    layers: Array.from({ length: layers }, (_, layer) => layer + 1),
    shape: [states.length, layers, dims],
    tNs: 0,
    ...packTensor(values, 'f32'),
  };
}

function plantWords(
  world: PlantedSteps,
): (turn: number) => { spoken: Float32Array[]; heard: Float32Array[] } {
  const random = seededRandom(world.seed);
  const size = world.layers * world.dims;
  const draw = (): number[] => Array.from({ length: size }, () => random.normal());
  let [own, other] = [draw(), draw()];
  const next = (before: number[]): number[] =>
    draw().map((value, k) => SLOWNESS * (before[k] as number) + Math.sqrt(1 - SLOWNESS ** 2) * value);
  return () => {
    const spoken: Float32Array[] = [];
    const heard: Float32Array[] = [];
    for (let token = 0; token < world.tokens; token += 1) {
      [own, other] = [next(own), next(other)];
      spoken.push(Float32Array.from(own));
      heard.push(
        Float32Array.from(
          other,
          (value, k) => world.share * (own[k] as number) + Math.sqrt(1 - world.share ** 2) * value,
        ),
      );
    }
    return { spoken, heard };
  };
}
