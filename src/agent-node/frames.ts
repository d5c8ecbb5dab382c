/** Makes the messages of the activation stream from the model's states. */
import type { AgentSpec } from '../protocol/nats-messages.ts';
import type {
  BranchFrame,
  EpisodeFrame,
  StepsFrame,
  TalkMark,
  TurnFrame,
} from '../protocol/stream/frames.ts';
import { createTensorPacker } from '../protocol/stream/tensor.ts';
import type { StepStates, TurnState } from '../model/types.ts';
import type { Frame } from '../transport/stream/sender/sender.ts';
import { textFeatures } from '../protocol/text-features.ts';

/** The part of the activation stream that an episode needs. */
export interface FrameSink {
  epoch: number;
  append(frame: Frame): number;
  lastSeq(): number;
  room(kind: 'turn' | 'token'): Promise<void>;
  sinceEpochNs(): number;
}

type Unsent<T> = Omit<T, 'seq'>;

export function episodeFrame(spec: AgentSpec): Unsent<EpisodeFrame> {
  const { run, episode, pair, condition, seed, order, role, models, grant, limits, study } = spec;
  return {
    type: 'episode',
    run,
    episode,
    scenario: spec.scenario.id,
    pair,
    condition,
    seed,
    order,
    role,
    models,
    grant,
    plan: { ...study, minTurns: limits.minTurns },
  };
}

export interface FramePlace {
  episode: string;
  turn: number;
  /** Time since the stream's epoch began, on the monotonic clock. */
  tNs: number;
}

const packTensor = createTensorPacker();

/** The frame's tensor is valid until the next frame is made. */
export function turnFrame(
  state: TurnState,
  place: FramePlace & { seating: number; talk: TalkMark },
  reader?: TurnState,
): Unsent<TurnFrame> {
  const layers = state.layers.length;
  const shape: TurnFrame['shape'] = [1, layers, state.data.length / layers];
  return {
    type: 'turn',
    ...place,
    layers: state.layers,
    shape,
    ...packTensor(state.data, 'f32'),
    text: bytesOf(textFeatures(state.promptText)),
    words: bytesOf(state.words),
    ...(state.sentence.length > 0 ? { sentence: bytesOf(state.sentence) } : {}),
    ...(reader ? { reader: bytesOf(reader.data) } : {}),
  };
}

/** The frame's tensor is valid until the next frame is made. */
export function stepsFrame(states: StepStates, place: FramePlace): Unsent<StepsFrame> {
  const { role, step0, bytes, layers, data } = states;
  const shape: StepsFrame['shape'] = [
    bytes.length,
    layers.length,
    data.length / (bytes.length * layers.length),
  ];
  return { type: 'steps', ...place, step0, role, bytes, layers, shape, ...packTensor(data, 'f16') };
}

/** One state of a branch. */
export interface BranchState {
  state: string;
  layers: number[];
  /** [layers, dims]. */
  data: Float32Array;
  /** Words of the branch; the frame holds their text features. */
  text?: string;
}

/** What makes a version differ from what was said. */
export type BranchKind = Pick<BranchFrame, 'kind' | 'layer' | 'size' | 'donor'>;

/** The frame's tensor is valid until the next frame is made. */
export function branchFrame(
  { state, layers, data, text }: BranchState,
  place: FramePlace & Pick<BranchFrame, 'run' | 'k' | 'seating'> & BranchKind,
): Unsent<BranchFrame> {
  const shape: BranchFrame['shape'] = [1, layers.length, data.length / layers.length];
  const words = text === undefined ? {} : { text: bytesOf(textFeatures(text)) };
  return {
    type: 'branch',
    ...place,
    state,
    layers,
    shape,
    ...packTensor(data, 'f32'),
    ...words,
  };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
