/** A run that is scored to the end releases its rows, and continues when it sends again. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from 'vitest';
import type { RecordedFrame } from '../../../../src/analyzer/ingest/durable-frame.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { createScoreStore, type ScoreStore } from '../../../../src/analyzer/state/score-store.ts';
import { createScoreLoop, type ScoreLoop } from '../../../../src/analyzer/scoring/score-loop.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { createLog } from '../../../../src/process/log.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const RUN = 'r1';
const log = createLog('test').child({}, { level: 'silent' });
const loops: ScoreLoop[] = [];
afterEach(() => loops.splice(0).forEach((loop) => loop.stop()));

/** Wide rows in too few episodes for a score, so that nearly all memory is states. */
function framesOf(episodesPerScenario: number, dims: number, run = RUN): RecordedFrame[] {
  const size = { scenarios: 8, turns: 14, layers: 2, textDims: 8, conditions: ['live'] };
  return plantedEpisodes({ run, episodesPerScenario, dims, coupling: 0.9, seed: 3, ...size }).flatMap(
    ({ streams }) =>
      streams.flatMap((frames, role) =>
        frames.map((message) => ({
          run,
          origin: { stream: `stream-${role}`, epoch: 1, seq: message.seq },
          message,
        })),
      ),
  );
}

/** A score store with a real score loop; the recording consists of the frames that were taken. */
function storeOver(recorded: () => RecordedFrame[], memory = createRowMemory(Infinity)): ScoreStore {
  const loop = createScoreLoop({
    clock: systemClock,
    algebra: createPlainAlgebra(),
    loops: 1,
    publish: (answer) => store.takeAnswer(answer),
  });
  loops.push(loop);
  const store = createScoreStore({
    clock: systemClock,
    log,
    scoreLog: {
      append: () => undefined,
      appendPart: () => undefined,
      written: () => Promise.resolve(),
    } as never,
    send: (input) => {
      if (input.type === 'rows' || input.type === 'release') loop.take(input);
    },
    memory,
    releaseAfterMs: 0,
    readBack: async function* () {
      yield* recorded();
    },
    onScore: () => undefined,
  });
  return store;
}

const take = (store: ScoreStore, frames: RecordedFrame[]): void =>
  frames.forEach((frame) => store.take({ ...frame, arrivedMs: systemClock.monotonicMs() }));

const reportOf = (store: ScoreStore) => {
  const state = store.state(RUN);
  return state && store.report(state, { framesAccepted: 0, framesDurable: 0 });
};

const reasonOf = (store: ScoreStore): string | undefined =>
  reportOf(store)?.groups.find(({ direction }) => direction === 'second_to_first')?.reason;

/** Number of turn pairs once scores hold all of them, and at least as many as given. */
async function scored(store: ScoreStore, least: number): Promise<number> {
  const samples = (): number => reportOf(store)?.groups.reduce((sum, group) => sum + group.samples, 0) ?? 0;
  const settled = (): boolean => reportOf(store)?.pending === false && samples() >= least;
  await expect.poll(settled, { timeout: 60_000 }).toBe(true);
  return samples();
}

it('the score store frees the memory of a released run’s rows', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heldMb = (): number => {
    collect();
    return process.memoryUsage().arrayBuffers / 1e6;
  };
  const store = storeOver(() => []);
  const before = heldMb();
  // 8 episodes × 14 turns × 2 layers × 4,000 dims in float32: 3.6 MB.
  take(store, framesOf(1, 4000));
  await scored(store, 1);
  const full = heldMb() - before;
  store.releaseSilent();
  expect(full).toBeGreaterThan(3);
  // The collector frees buffers on a thread of its own, which may do it later.
  await expect.poll(() => heldMb() - before, { timeout: 20_000 }).toBeLessThan(0.3 * full);
}, 120_000);

it('the score store continues a released run when a late frame arrives', async () => {
  const frames = framesOf(2, 6);
  const whole = storeOver(() => []);
  take(whole, frames);
  const all = await scored(whole, 1);
  const store = storeOver(() => frames);
  take(store, frames.slice(0, -1));
  expect(await scored(store, 1)).toBeLessThan(all);
  store.releaseSilent();
  expect(reasonOf(store)).not.toBe(reasonOf(whole));
  take(store, frames.slice(-1));
  await scored(store, all);
  // Without the earlier rows, the score loop would count one episode with a turn pair or two.
  expect(reasonOf(whole)).toMatch(/^Too few for a score: 16 of 18 episodes/);
  expect(reasonOf(store)).toBe(reasonOf(whole));
}, 120_000);

const reasonsOf = (store: ScoreStore, run: string) =>
  store.report(store.state(run)!, { framesAccepted: 0, framesDurable: 0 }).groups.map(({ reason }) => reason);

it('above the memory limit the score store releases the oldest finished run and then refuses new groups', async () => {
  // Episodes of 14 and of 13 turns, each with states, text and words in float32.
  const bytes = 4 * (14 + 13) * (2 * 100 + 8 + 100) * 4;
  // Space for two runs, and a third that exceeds it a little.
  const memory = createRowMemory(2.5 * bytes);
  const store = storeOver(() => [], memory);
  for (const run of ['old', 'newer']) take(store, framesOf(1, 100, run));
  expect(memory.heldBytes()).toBe(2 * bytes);
  await expect.poll(() => reasonsOf(store, 'newer')[0], { timeout: 20_000 }).toMatch(/^Too few/);
  await expect.poll(() => reasonsOf(store, 'old')[0], { timeout: 20_000 }).toMatch(/^Too few/);
  store.end('old');
  await expect.poll(() => store.state('old')?.phase, { timeout: 20_000 }).toBe('final');
  take(store, framesOf(1, 100, 'third'));
  expect(memory.heldBytes()).toBe(3 * bytes);
  take(store, framesOf(1, 100, 'fourth'));
  // The finished run was released, so the fourth is scored; nothing else may be released.
  expect(memory.heldBytes()).toBe(3 * bytes);
  take(store, framesOf(1, 100, 'fifth'));
  expect(reasonsOf(store, 'fifth')[0]).toMatch(/^Not scored: .*--memory-gb/);
  expect(memory.heldBytes()).toBe(3 * bytes);
  await expect.poll(() => reasonsOf(store, 'fourth')[0], { timeout: 20_000 }).toMatch(/^Too few/);
  expect(store.report(store.state('fifth')!, { framesAccepted: 0, framesDurable: 0 }).pending).toBe(false);
}, 120_000);
