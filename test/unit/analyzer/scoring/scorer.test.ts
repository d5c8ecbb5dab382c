/** The score workers as the main thread starts them. */
import { expect, it } from 'vitest';
import { startScorer } from '../../../../src/analyzer/scoring/scorer.ts';
import { createScoreStore } from '../../../../src/analyzer/state/score-store.ts';
import { awaitsScores } from '../../../../src/analyzer/state/run-end.ts';
import { createScoreLog } from '../../../../src/analyzer/output/score-log.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { silentLog, stepsFrame, temporaryFolder } from '../../../fixtures/stream/stream-fixture.ts';

/** Whether scores are still awaited right after two steps frames were taken. */
async function awaitsSteps(stepMeasures: string): Promise<boolean | undefined> {
  const scorer = startScorer({ stepMeasures });
  const store = createScoreStore({
    clock: systemClock,
    log: silentLog,
    scoreLog: createScoreLog(await temporaryFolder(), silentLog),
    send: (input) => scorer.take(input),
    memory: createRowMemory(Infinity),
    releaseAfterMs: 60_000,
    readBack: () => (async function* () {})(),
    onScore: () => undefined,
  });
  scorer.onAnswer((answer) => store.takeAnswer(answer));
  for (const seq of [0, 1]) {
    const message = { ...stepsFrame(seq), seq };
    store.take({ run: 'r1', origin: { stream: 'ada', epoch: 1, seq }, message, arrivedMs: 0 });
  }
  const state = store.state('r1');
  await scorer.room();
  await scorer.stop();
  return state && awaitsScores(state);
}

it('the scorer sends steps to a worker if measures between them were asked for, and waits for it', async () => {
  expect(await awaitsSteps('cka')).toBe(true);
});

it('the scorer starts no step worker if none were asked for, and waits for nothing', async () => {
  expect(await awaitsSteps(' ')).toBe(false);
});
