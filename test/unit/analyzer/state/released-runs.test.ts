/** A run that is scored to the end gives its rows back, and goes on where it stood when it speaks up again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import type { RecordedFrame } from '../../../../src/analyzer/state/released-runs.ts';
import { createScoreBoard, type ScoreBoard } from '../../../../src/analyzer/state/score-store.ts';
import { createScoreLoop, type ScoreLoop } from '../../../../src/analyzer/scoring/score-loop.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { createLog } from '../../../../src/process/log.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const RUN = 'r1';
const log = createLog('test').child({}, { level: 'silent' });
const loops: ScoreLoop[] = [];
afterEach(() => loops.splice(0).forEach((loop) => loop.stop()));

/** Wide rows in too few episodes for a score: what is held of them is nearly all states. */
function framesOf(episodesPerScenario: number, dims: number): RecordedFrame[] {
  const size = { scenarios: 8, turns: 14, layers: 2, textDims: 8, conditions: ['live'] };
  return plantedEpisodes({ run: RUN, episodesPerScenario, dims, coupling: 0.9, seed: 3, ...size }).flatMap(
    ({ streams }) =>
      streams.flatMap((frames, role) =>
        frames.map((message) => ({
          run: RUN,
          origin: { stream: `stream-${role}`, epoch: 1, seq: message.seq },
          message,
        })),
      ),
  );
}

/** A board with a real score loop behind it; the recording is what was taken. */
function boardOver(recorded: () => RecordedFrame[]): ScoreBoard {
  const loop = createScoreLoop({
    clock: systemClock,
    algebra: createPlainAlgebra(),
    share: { index: 0, of: 1 },
    publish: (answer) => board.takeAnswer(answer),
    onFrozen: () => undefined,
  });
  loops.push(loop);
  const board = createScoreBoard({
    clock: systemClock,
    log,
    scoreLog: {
      append: () => undefined,
      appendPart: () => undefined,
      close: () => Promise.resolve(),
    } as never,
    send: (input) => {
      if (input.type === 'release' || input.frame.type !== 'steps') loop.take(input as never);
    },
    releaseAfterMs: 0,
    readBack: async function* () {
      yield* recorded();
    },
    onScore: () => undefined,
  });
  return board;
}

const take = (board: ScoreBoard, frames: RecordedFrame[]): void =>
  frames.forEach((frame) => board.take({ ...frame, arrivedMs: systemClock.monotonicMs() }));

const reportOf = (board: ScoreBoard) => {
  const state = board.state(RUN);
  return state && board.report(state, { framesAccepted: 0, framesDurable: 0 });
};

const reasonOf = (board: ScoreBoard): string | undefined =>
  reportOf(board)?.groups.find(({ direction }) => direction === 'second_to_first')?.reason;

/** How many turn pairs there are once scores hold all of them, and at least so many. */
async function scored(board: ScoreBoard, least: number): Promise<number> {
  const samples = (): number => reportOf(board)?.groups.reduce((sum, group) => sum + group.samples, 0) ?? 0;
  const settled = (): boolean => reportOf(board)?.pending === false && samples() >= least;
  await expect.poll(settled, { timeout: 60_000 }).toBe(true);
  return samples();
}

it('gives the memory of its rows back', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heldMb = (): number => {
    collect();
    return process.memoryUsage().arrayBuffers / 1e6;
  };
  const board = boardOver(() => []);
  const before = heldMb();
  // 8 episodes × 14 turns × 2 layers × 4,000 dims in float32: 3.6 MB.
  take(board, framesOf(1, 4000));
  await scored(board, 1);
  const full = heldMb() - before;
  board.releaseSilent();
  expect(full).toBeGreaterThan(3);
  // the collector sweeps buffers on a thread of its own, which may come to them later
  await expect.poll(() => heldMb() - before, { timeout: 20_000 }).toBeLessThan(0.3 * full);
}, 120_000);

it('goes on where it stood when a frame comes late', async () => {
  const frames = framesOf(2, 6);
  const whole = boardOver(() => []);
  take(whole, frames);
  const all = await scored(whole, 1);
  const board = boardOver(() => frames);
  take(board, frames.slice(0, -1));
  expect(await scored(board, 1)).toBeLessThan(all);
  board.releaseSilent();
  expect(reasonOf(board)).not.toBe(reasonOf(whole));
  take(board, frames.slice(-1));
  await scored(board, all);
  // The score loop counts what it holds: without the rows of before it would be one episode with a turn pair or two.
  expect(reasonOf(whole)).toMatch(/^Too few for a score: 16 of 18 episodes/);
  expect(reasonOf(board)).toBe(reasonOf(whole));
}, 120_000);
