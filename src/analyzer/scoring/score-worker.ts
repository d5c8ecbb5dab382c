/**
 * A thread that scores: rows of its groups come in, scores go out. It yields to the threads that record, for recording
 * may not lag.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../process/clock.ts';
import { collectGarbage } from '../../process/collect-garbage.ts';
import { createOrtAlgebra } from '../../numeric/ort/ort-algebra.ts';
import { createScoreLoop, type ScoreLoopOptions } from './score-loop.ts';
import type { RowsInput, RunRelease } from './messages.ts';
import { yieldToRecording } from './yield-to-recording.ts';

yieldToRecording();
const port = parentPort;
if (port === null) throw new Error('the score worker was not started as a worker');
const loop = createScoreLoop({
  clock: systemClock,
  algebra: await createOrtAlgebra({ threads: 1 }),
  ...(workerData as Pick<ScoreLoopOptions, 'loops'>),
  publish: (answer) => port.postMessage(answer),
  onScored: collectGarbage,
});
port.on('message', (input: RowsInput | RunRelease) => loop.take(input));
port.on('close', () => loop.stop());
