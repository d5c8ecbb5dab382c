/**
 * A thread that scores: rows of its groups come in, scores go out. It has a lower priority than the threads that
 * record.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../process/clock.ts';
import { collectGarbage } from './collect-garbage.ts';
import { createOrtAlgebra } from '../../numeric/ort/ort-algebra.ts';
import { createBranchLoop, type HistoriesInput } from '../branches/branch-loop.ts';
import { interruptibleAlgebra } from './interruptible-algebra.ts';
import { createScoreLoop, type ScoreLoopOptions } from './score-loop.ts';
import type { RowsInput, RunForgotten, RunRelease, ScoreAnswer } from './messages.ts';
import { yieldToRecording } from './yield-to-recording.ts';

yieldToRecording();
const port = parentPort;
if (port === null) throw new Error('the score worker was not started as a worker');
const algebra = await createOrtAlgebra({ threads: 1 });
const shared = {
  clock: systemClock,
  algebra,
  publish: (answer: ScoreAnswer) => port.postMessage(answer),
};
const loop = createScoreLoop({
  ...shared,
  ...(workerData as Pick<ScoreLoopOptions, 'loops'>),
  // The groups of a long study need scratch memory of several times their rows, for a few seconds at a time.
  onScored: () => {
    algebra.releaseScratch();
    collectGarbage();
  },
});
let stopped = false;
const branches = createBranchLoop({
  ...shared,
  algebra: interruptibleAlgebra(shared.algebra, { clock: systemClock, isStopped: () => stopped }),
});
port.on('message', (input: RowsInput | HistoriesInput | RunRelease | RunForgotten) => {
  if (input.type === 'histories') return branches.take(input);
  if (input.type === 'rows') branches.hear(input.run);
  else branches.drop(input);
  loop.take(input);
});
port.on('close', () => {
  stopped = true;
  loop.stop();
  branches.stop();
});
