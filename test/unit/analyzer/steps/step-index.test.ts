/** Which steps of which frames are aligned, whatever happens on the way. */
import { describe, expect, it } from 'vitest';
import { createStepIndex, type AlignedTurn } from '../../../../src/analyzer/steps/step-index.ts';
import type { StepInput } from '../../../../src/analyzer/steps/step-messages.ts';
import { seededRandom, shuffled } from '../../../../src/numeric/random.ts';
import {
  episodeOf,
  inputOf,
  plantedSteps,
  stepsOf,
  type PlantedSteps,
} from '../../../fixtures/planted/planted-steps.ts';

const WORLD: PlantedSteps = { episode: 'e1', turns: 4, tokens: 5, layers: 2, dims: 3, share: 0.5, seed: 1 };

function takeAll(inputs: StepInput[]): { live: AlignedTurn[]; left: AlignedTurn[] } {
  const book = createStepIndex();
  return { live: inputs.flatMap((input) => book.take(input)), left: book.finish() };
}

const named = ({ turn, group, speaker, listener, a }: AlignedTurn): string =>
  `${turn} ${group.sourceRole}>${group.targetRole} ${speaker} / ${listener}: ${[...a.values()][0]?.rows}`;

/** Frames of each stream in their order, with the streams mixed at random. */
function mixed(inputs: StepInput[], seed: number): StepInput[] {
  const queues = ['ada', 'ben'].map((stream) => inputs.filter(({ origin }) => origin.stream === stream));
  const order = shuffled(
    inputs.map(({ origin }) => (origin.stream === 'ada' ? 0 : 1)),
    seededRandom(seed),
  );
  return order.map((queue) => queues[queue]?.shift() as StepInput);
}

describe('the step index', () => {
  it('passes a turn on when both sides have gone on, and the last one when no agent speaks any more', () => {
    const { live, left } = takeAll(plantedSteps(WORLD));
    expect(live.map(named)).toEqual([
      '0 1>2 ada 1 2 / ben 1 1: 5',
      '1 2>1 ben 1 3 / ada 1 3: 5',
      '2 1>2 ada 1 5 / ben 1 4: 5',
    ]);
    expect(left.map(named)).toEqual(['3 2>1 ben 1 6 / ada 1 6: 5']);
  });

  it('gives the same for every order in which frames of the two streams arrive', () => {
    const inputs = plantedSteps({ ...WORLD, turns: 8 });
    const { live, left } = takeAll(inputs);
    for (const seed of [1, 2, 3, 4, 5]) {
      const again = takeAll(mixed(inputs, seed));
      const byTurn = [...again.live, ...again.left].toSorted((a, b) => a.turn - b.turn);
      expect(byTurn).toEqual([...live, ...left]);
    }
  });

  it('ends the last turn of an episode when both streams have begun as many others as are played at once', () => {
    const begin = (at: number): StepInput[] =>
      ['ada', 'ben'].map((stream, role) =>
        inputOf({ stream, epoch: 1, seq: 100 + at }, episodeOf({ ...WORLD, episode: `f${at}` }, role)),
      );
    const others = Array.from({ length: 64 }, (_, at) => begin(at)).flat();
    expect(takeAll([...plantedSteps(WORLD), ...others]).live.map(({ turn }) => turn)).toEqual([0, 1, 2, 3]);
    expect(takeAll([...plantedSteps(WORLD), ...others.slice(2)]).live.map(({ turn }) => turn)).toEqual([
      0, 1, 2,
    ]);
  });

  it('gives the same turns of episodes that are played at once as of episodes one after the other', () => {
    const [one, two] = ['e1', 'e2'].map((episode) => plantedSteps({ ...WORLD, episode }));
    const turnsOf = (inputs: StepInput[]): string[] => {
      const { live, left } = takeAll(inputs);
      return [...live, ...left].map((turn) => `${turn.episode} ${named(turn)}`).toSorted();
    };
    const atOnce = (one ?? []).flatMap((input, at) => [input, (two ?? [])[at] as StepInput]);
    expect(turnsOf(atOnce)).toEqual(turnsOf([...(one ?? []), ...(two ?? [])]));
    expect(takeAll(atOnce).live).toHaveLength(6);
  });

  it('replaces steps that a preview had wrong', () => {
    const zero = new Float32Array(6);
    const listen = (states: Float32Array[], step0: number) =>
      stepsOf(WORLD, { turn: 0, role: 'listen', states, step0 });
    const states = (value: number, count: number) =>
      Array.from({ length: count }, () => zero.map(() => value));
    const [first, second, turn, speak] = plantedSteps({ ...WORLD, turns: 1 }) as [
      StepInput,
      StepInput,
      StepInput,
      StepInput,
    ];
    const { left } = takeAll([
      first,
      second,
      turn,
      speak,
      inputOf({ stream: 'ben', epoch: 1, seq: 1 }, listen(states(1, 4), 0)),
      inputOf({ stream: 'ben', epoch: 1, seq: 2 }, listen(states(2, 3), 2)),
      inputOf({ stream: 'ben', epoch: 1, seq: 3 }, { type: 'turn', episode: 'e1', turn: 1 }),
    ]);
    const [rows] = [...(left[0]?.b.values() ?? [])];
    expect([rows?.rows, ...[0, 1, 2, 3, 4].map((row) => rows?.data[3 * row])]).toEqual([5, 1, 1, 2, 2, 2]);
  });

  it('never passes a turn on twice, also when more of it arrives late', () => {
    const inputs = plantedSteps(WORLD);
    const book = createStepIndex();
    for (const input of inputs) book.take(input);
    expect(book.finish()).toHaveLength(1);
    const late = inputs.findLast(({ frame }) => frame.type === 'steps') as StepInput;
    book.take({ ...late, origin: { ...late.origin, seq: 99 } });
    expect(book.finish()).toEqual([]);
  });

  it('does not measure a turn with a skipped frame', () => {
    const { live } = takeAll(
      plantedSteps(WORLD).map((input) => {
        const skipped =
          input.frame.type === 'steps' && input.frame.turn === 1 && input.origin.stream === 'ada';
        return skipped ? ({ ...input, type: 'skip' } as never) : input;
      }),
    );
    expect(live.map(({ turn }) => turn)).toEqual([0, 2]);
  });

  it('gives nothing if no agent hears', () => {
    const inputs = plantedSteps(WORLD).filter(
      ({ frame }) => frame.type !== 'steps' || frame.role === 'speak',
    );
    const { live, left } = takeAll(inputs);
    expect([...live, ...left]).toEqual([]);
  });

  it('aligns with the reader in the condition `reader`, and not with the agent in whose place it reads', () => {
    const world = { ...WORLD, condition: 'reader', turns: 3 };
    const inputs = plantedSteps(world);
    const reader = inputs
      .filter(
        ({ origin, frame }) => origin.stream === 'ben' && !(frame.type === 'steps' && frame.role === 'speak'),
      )
      .map(({ origin, frame }) => {
        const seated = frame.type === 'turn' ? { ...frame, seating: 1_000_000 } : frame;
        return inputOf({ ...origin, stream: 'cas' }, seated);
      });
    const { live, left } = takeAll([...inputs, ...reader]);
    const all = [...live, ...left].map(named);
    expect(all).toEqual(['0 1>2 ada 1 2 / cas 1 1: 5', '2 1>2 ada 1 5 / cas 1 4: 5']);
  });
});
