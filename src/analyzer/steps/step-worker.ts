/**
 * The thread of step scores: steps frames come in, scores go out. It has a lower priority than the threads that
 * record.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createOrtAlgebra } from '../../numeric/ort/ort-algebra.ts';
import { systemClock } from '../../process/clock.ts';
import { createStepLoop } from './step-loop.ts';
import { parseStepMeasures } from './step-measures.ts';
import type { StepInput, StepSkip } from './step-messages.ts';
import type { RunForgotten } from '../scoring/messages.ts';
import { yieldToRecording } from '../scoring/yield-to-recording.ts';

yieldToRecording();
const port = parentPort;
if (port === null) throw new Error('the step worker was not started as a worker');
const loop = createStepLoop({
  clock: systemClock,
  algebra: await createOrtAlgebra({ threads: 1 }),
  measures: parseStepMeasures((workerData as { measures: string }).measures),
  publish: (answer) => port.postMessage(answer),
});
port.on('message', (input: StepInput | StepSkip | RunForgotten) => {
  if (input.type === 'forget') return loop.forget(input.run);
  loop.take(input);
  if (input.type === 'frame' && input.frame.type === 'steps')
    port.postMessage({ type: 'step-notice', takenBytes: input.frame.data.byteLength, settled: {} });
});
port.on('close', () => loop.stop());
