/**
 * Two agents without models that talk in turns. Each token is streamed by speaker and listener, as in a study with
 * steps; before a turn comes its state, and with branches those of the alternatives. The numbers are noise.
 */
import { branchFrame, stepsFrame, turnFrame } from '../agent-node/frames.ts';
import { createRandom } from '../protocol/random.ts';
import type { Frame, StreamSender } from '../transport/stream/sender/sender.ts';
import type { LoadSettings } from './settings.ts';

type Shape = Pick<LoadSettings, 'run' | 'layers' | 'dims' | 'turnTokens' | 'branches'>;
type Sender = Pick<StreamSender, 'append' | 'hasRoom'>;

export interface SimulatedPair {
  /** Sends what belongs to the next token, unless a spool is full. */
  token(): void;
  /** Frames that were sent, and those left out because a spool was full. */
  figures(): { sent: number; shed: number };
}

const TURNS = 12;
const SCENARIOS = 8;
const VERSIONS = 4;
const WORDS_OF_PROMPT = 'what two agents without models would have said so far ';

export function createPair(shape: Shape, index: number, senders: readonly [Sender, Sender]): SimulatedPair {
  const names = [`load-${index}-a`, `load-${index}-b`];
  const state = createStates(shape, index);
  const figures = { sent: 0, shed: 0 };
  let count = -1;
  const send = (role: number, frame: Frame): void => {
    const sender = senders[role] as Sender;
    if (!sender.hasRoom(frame.type === 'steps' ? 'token' : 'turn')) return void (figures.shed += 1);
    sender.append(frame);
    figures.sent += 1;
  };
  return {
    figures: () => ({ ...figures }),
    token: () => {
      count += 1;
      const step0 = count % shape.turnTokens;
      const number = Math.floor(count / shape.turnTokens);
      const place = { episode: `p${index}-e${Math.floor(number / TURNS)}`, turn: number % TURNS, tNs: count };
      const [speaker, listener] = [place.turn % 2, 1 - (place.turn % 2)];
      if (step0 === 0 && place.turn === 0)
        for (const role of [0, 1])
          send(role, openingOf(shape, { names, role, number, episode: place.episode }));
      if (step0 === 0) {
        send(
          speaker,
          turnFrame(state.turn(), {
            ...place,
            seating: 0,
            talk: { dropped: 0, digest: number + 1, cut: false },
          }),
        );
        if (shape.branches) sendBranches(shape, { place, speaker, listener, data: state.noise, send });
      }
      const said = { step0, bytes: [[step0, step0 + 1]] as [number, number][], ...state.step() };
      send(speaker, stepsFrame({ role: 'speak', ...said }, place));
      send(listener, stepsFrame({ role: 'listen', ...said }, place));
    },
  };
}

/** Noise as the states of a model, in buffers that are used again: what is measured is the sending. */
function createStates({ layers, dims }: Shape, index: number) {
  const random = createRandom(index);
  const numbers = Array.from({ length: layers }, (_, i) => i + 1);
  const noise = Float32Array.from({ length: layers * dims }, () => random() * 4 - 2);
  const words = noise.slice(0, dims);
  return {
    noise,
    step: () => ({ layers: numbers, data: noise }),
    turn: () => ({
      layers: numbers,
      data: noise,
      words,
      promptText: WORDS_OF_PROMPT.repeat(8),
      sentence: new Float32Array(0),
      droppedTurns: 0,
    }),
  };
}

function openingOf(
  { run, layers, dims }: Shape,
  of: { names: string[]; role: number; number: number; episode: string },
): Frame {
  const { names, role, number, episode } = of;
  const model = { name: 'load', sha256: '0'.repeat(64), layers, dims };
  const scenario = `s${Math.floor(number / TURNS) % SCENARIOS}`;
  const plan = { seed: 0, minTurns: TURNS, groups: 2 };
  const about = { run, episode, scenario, pair: names.join('-'), condition: 'live', seed: number };
  return { type: 'episode', ...about, order: names, role, models: [model, model], plan };
}

function sendBranches(
  { run, layers }: Shape,
  of: {
    place: { episode: string; turn: number; tNs: number };
    speaker: number;
    listener: number;
    data: Float32Array;
    send(role: number, frame: Frame): void;
  },
): void {
  const numbers = Array.from({ length: layers }, (_, i) => i + 1);
  for (let k = 0; k < VERSIONS; k += 1) {
    const at = { ...of.place, run, k, kind: 'alternative' };
    of.send(
      of.speaker,
      branchFrame({ state: 'end', layers: numbers, data: of.data, text: WORDS_OF_PROMPT }, at),
    );
    of.send(of.listener, branchFrame({ state: 'reply', layers: numbers, data: of.data }, at));
  }
}
