/** The thread of point scores: frames and frozen fits come in, point scores go out. */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../process/clock.ts';
import { createPointLoop } from './point-loop.ts';
import type { FrozenFit, RunRelease, ScoreInput } from './messages.ts';

const port = parentPort;
if (port === null) throw new Error('the point worker was not started as a worker');
const loop = createPointLoop({ clock: systemClock, publish: (score) => port.postMessage(score) });
port.on('message', (input: ScoreInput | FrozenFit | RunRelease) => loop.take(input));
