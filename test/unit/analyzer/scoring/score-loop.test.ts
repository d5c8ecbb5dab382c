import { afterEach, describe, expect, it } from 'vitest';
import { createScoreLoop, type ScoreLoop } from '../../../../src/analyzer/scoring/score-loop.ts';
import type {
  BesideScore,
  GroupScore,
  RowsInput,
  ScoreAnswer,
} from '../../../../src/analyzer/scoring/messages.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { createRunState, takeFrame } from '../../../../src/analyzer/state/run-state.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { plantedEpisodes, type PlantedOptions } from '../../../fixtures/planted/planted-frames.ts';

const WORLD: PlantedOptions = {
  run: 'r1',
  scenarios: 8,
  episodesPerScenario: 3,
  turns: 14,
  layers: 2,
  dims: 6,
  textDims: 8,
  conditions: ['live', 'monologue'],
  coupling: 0.9,
  seed: 3,
};

const loops: ScoreLoop[] = [];
/** By how much the loop's clock is ahead. */
let aheadMs = 0;
const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
afterEach(() => {
  aheadMs = 0;
  loops.splice(0).forEach((loop) => loop.stop());
});

function inputsOf(world: PlantedOptions): RowsInput[] {
  return rowsOf(world.run, framesOf(world));
}

function framesOf(world: PlantedOptions) {
  return plantedEpisodes(world).flatMap(({ streams }) =>
    streams.flatMap((frames, role) =>
      frames.map((frame) => ({ origin: { stream: `stream-${role}`, epoch: 1, seq: frame.seq }, frame })),
    ),
  );
}

/** The rows that the main thread makes of the frames. */
function rowsOf(run: string, frames: ReturnType<typeof framesOf>): RowsInput[] {
  const state = createRunState(run);
  const admission = { memory: createRowMemory(Infinity), refuse: () => undefined };
  return frames.flatMap((of) =>
    takeFrame(state, { ...of, arrivedMs: 0, nowMs: 0 }, admission).map((update): RowsInput => ({
      type: 'rows',
      run,
      ...update,
    })),
  );
}

/** Feeds a loop and waits until the newest rows of every group are scored. */
async function finalScores(inputs: RowsInput[], groups: number): Promise<Map<string, GroupScore>> {
  const rowsWanted = new Map<string, number>();
  const scores = new Map<string, GroupScore>();
  return new Promise((resolve, reject) => {
    const publish = (answer: ScoreAnswer): void => {
      if (answer.type === 'fault') return reject(new Error(answer.stack));
      if (answer.type !== 'score') return;
      scores.set(`${answer.group.condition} ${answer.group.direction}`, answer);
      rowsWanted.set(answer.group.key, answer.version);
      const done = [...scores.values()].every(({ version, samples }) => version === samples && samples > 0);
      if (scores.size === groups && done && fed) resolve(scores);
    };
    let fed = false;
    const loop = createScoreLoop({
      clock: systemClock,
      algebra: createPlainAlgebra(),
      loops: 1,
      publish,
    });
    loops.push(loop);
    for (const input of inputs) loop.take(input);
    fed = true;
  });
}

/** Secondary analyses of a group, once they include its newest rows. */
async function besideOf(inputs: RowsInput[], wanted: string): Promise<BesideScore> {
  return new Promise((resolve, reject) => {
    const loop = createScoreLoop({
      clock: systemClock,
      algebra: createPlainAlgebra(),
      loops: 1,
      publish: (answer) => {
        if (answer.type !== 'beside') return;
        if (answer.stack !== undefined) reject(new Error(answer.stack));
        if (answer.group.endsWith(wanted) && answer.version === answer.samples) resolve(answer);
      },
    });
    loops.push(loop);
    for (const input of inputs) loop.take(input);
  });
}

describe('the score loop', () => {
  it('scores the same rows again after it forgot the run', async () => {
    const world = { ...WORLD, scenarios: 6, turns: 6, conditions: ['live'] };
    const inputs = inputsOf(world);
    let whole = 0;
    const loop = createScoreLoop({
      clock,
      algebra: createPlainAlgebra(),
      loops: 1,
      publish: (answer) => {
        const last = inputs.findLast(
          ({ group }) => answer.type === 'score' && group.key === answer.group.key,
        );
        if (answer.type === 'score' && answer.version === last?.version) whole += 1;
      },
    });
    loops.push(loop);
    for (const input of inputs) loop.take(input);
    await expect.poll(() => whole, { timeout: 20_000 }).toBe(2);
    loop.take({ type: 'forget', run: world.run });
    for (const input of inputs) loop.take(input);
    await expect.poll(() => whole, { timeout: 20_000 }).toBe(4);
  });

  it('adds secondary analyses: beyond words, and with later turns', async () => {
    const inputs = inputsOf({ ...WORLD, conditions: ['live'], coupling: 0.75 });
    const headline = (await finalScores(inputs, 2)).get('live first_to_second')?.strict;
    const { beside } = await besideOf(inputs, 'first_to_second|live');
    // The planted text carries no information, so removing more of it changes little; the latent state fades by 0.75
    // a turn.
    expect(beside.words?.excess).toBeGreaterThan(0.7 * (headline?.excess ?? 1));
    expect(beside.words?.excess).not.toBe(headline?.excess);
    expect(beside.lag3?.excess).toBeLessThan(0.6 * (headline?.excess ?? 0));
    expect(beside.lag3?.samples).toBe((headline?.samples ?? 0) - 24);
    // At lag 5, 108 pairs are left of the 120 that a score needs.
    expect(beside.lag5).toBeNull();
  });

  it('tells coupled from uncoupled dialogues, whatever the order of arrival', async () => {
    const inputs = inputsOf(WORLD);
    const scores = await finalScores(inputs, 4);
    const strict = (key: string) => scores.get(key)?.strict;
    for (const direction of ['first_to_second', 'second_to_first']) {
      expect(strict(`live ${direction}`)?.excess).toBeGreaterThan(0.2);
      expect(strict(`live ${direction}`)?.pValue).toBeLessThan(0.05);
      expect(strict(`monologue ${direction}`)?.excess).toBeLessThan(0.1);
    }
    const paper = scores.get('live first_to_second')?.paper;
    expect(paper?.score).toBeGreaterThan(paper?.nullMean ?? 1);
    expect(paper?.unclipped).toBeCloseTo(paper?.score ?? NaN, 12);
    // Where no agent hears another, the unclipped figure is given too.
    const apart = scores.get('monologue first_to_second')?.paper;
    expect(apart?.unclipped).toBeLessThan(apart?.score ?? NaN);
    const backwards = await finalScores(rowsOf(WORLD.run, framesOf(WORLD).toReversed()), 4);
    for (const [key, { paper: one, strict: other }] of scores)
      expect([backwards.get(key)?.paper, backwards.get(key)?.strict]).toEqual([one, other]);
  });

  it('takes the whole core once the stream is quiet', async () => {
    const inputs = inputsOf({ ...WORLD, conditions: ['live'] });
    const all = await finalScores(inputs, 2);
    const wanted = [...all.values()].reduce((sum, one) => sum + one.samples, 0);
    const samples = new Map<string, number>();
    const loop = createScoreLoop({
      clock,
      algebra: createPlainAlgebra(),
      loops: 1,
      publish: (answer) => {
        if (answer.type !== 'score') return;
        samples.set(answer.group.key, answer.samples);
        // By the loop's clock, a score takes five seconds. Between frames, the loop would rest for three times as long.
        aheadMs += 5000;
      },
    });
    loops.push(loop);
    const scored = (): number => [...samples.values()].reduce((sum, one) => sum + one, 0);
    const half = Math.floor(inputs.length / 2);
    inputs.slice(0, half).forEach((input) => loop.take(input));
    await expect.poll(() => samples.size, { timeout: 30_000 }).toBe(2);
    const begunMs = performance.now();
    inputs.slice(half).forEach((input) => loop.take(input));
    await expect.poll(scored, { timeout: 50_000 }).toBe(wanted);
    expect(performance.now() - begunMs).toBeLessThan(20_000);
  });

  it.each([
    ['gives up figures of fewer rows when the stream has become quiet', { beforeMs: 0, thenMs: 1500 }, 'all'],
    ['ends what it began on a quiet stream, whatever comes', { beforeMs: 2000, thenMs: 1500 }, 'fewer'],
    ['ends what it began while frames come', { beforeMs: 0, thenMs: 0 }, 'fewer'],
  ])('%s', async (_, { beforeMs, thenMs }, first) => {
    const inputs = inputsOf({ ...WORLD, conditions: ['live'] });
    const wanted = Math.max(...[...(await finalScores(inputs, 2)).values()].map(({ samples }) => samples));
    const half = Math.floor(0.8 * inputs.length);
    const published: number[] = [];
    const plain = createPlainAlgebra();
    let later = inputs.slice(half);
    // Until the first figures are there, only the test lets time pass: how long the machine computes says nothing.
    const beganMs = systemClock.monotonicMs();
    const nowMs = (): number => (published.length === 0 ? beganMs : systemClock.monotonicMs());
    const loop = createScoreLoop({
      clock: { ...systemClock, monotonicMs: () => nowMs() + aheadMs },
      algebra: {
        ...plain,
        gram: (...args) => {
          // In the middle of the first score the other rows come, and after them nothing for a while.
          for (const input of later.splice(0)) loop.take(input);
          aheadMs += thenMs;
          later = [];
          return plain.gram(...args);
        },
      },
      loops: 1,
      publish: (answer) => answer.type === 'score' && answer.paper && published.push(answer.samples),
    });
    loops.push(loop);
    inputs.slice(0, half).forEach((input) => loop.take(input));
    aheadMs += beforeMs;
    await expect.poll(() => published.includes(wanted), { timeout: 30_000 }).toBe(true);
    expect((published[0] as number) < wanted ? 'fewer' : 'all').toBe(first);
  });

  it('gives a reason and no figure below the minimum', async () => {
    const scores = await finalScores(inputsOf({ ...WORLD, episodesPerScenario: 2 }), 4);
    const score = scores.get('live first_to_second');
    expect([score?.paper, score?.strict]).toEqual([null, null]);
    expect(score?.reason).toBe('Too few for a score: 16 of 18 episodes, 104 of 120 turn pairs.');
  });

  it('stops in the middle of a score when told to', async () => {
    const published: string[] = [];
    let operations = 0;
    const plain = createPlainAlgebra();
    let begun: () => void = () => undefined;
    const working = new Promise<void>((resolve) => (begun = resolve));
    const loop = createScoreLoop({
      clock: systemClock,
      algebra: {
        ...plain,
        gram: (...args) => {
          operations += 1;
          begun();
          return plain.gram(...args);
        },
      },
      loops: 1,
      publish: ({ type }) => published.push(type),
    });
    for (const input of inputsOf(WORLD)) loop.take(input);
    await working;
    loop.stop();
    const [before, said] = [operations, published.length];
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect([operations - before, published.length - said]).toEqual([0, 0]);
  });
});
