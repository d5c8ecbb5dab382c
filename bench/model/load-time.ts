/** Time to open a session with taps, whose graph is in the cache, and one without. */
import { dirname } from 'node:path';
import ort from '../../src/onnx/runtime.ts';
import { readModelFolder } from '../../src/model/folder/model-folder.ts';
import { prepareGraph } from '../../src/model/graph/prepare-graph.ts';
import { openSession } from '../../src/model/runtime/session.ts';
import { temporaryFolder } from '../../test/fixtures/onnx/write-folder.ts';
import { compare, median, medianRatio, timeMs } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface LoadTime {
  tappedMs: number;
  plainMs: number;
  /** Time with taps divided by time without. */
  ratio: number;
}

export async function measureLoadTime(subject: Subject, rounds: number): Promise<LoadTime> {
  const folder = await readModelFolder(subject.folder);
  const weightsFolder = dirname(folder.graph);
  const cacheFolder = await temporaryFolder();
  const ms = await compare(rounds, {
    tapped: () =>
      timeMs(async () => {
        const { bytes } = await prepareGraph(folder, cacheFolder);
        const session = await openSession(bytes, { provider: 'cpu', threads: 1, weightsFolder });
        await session.release();
      }),
    plain: () =>
      timeMs(async () => {
        const session = await ort.InferenceSession.create(folder.graph, {
          intraOpNumThreads: 1,
          interOpNumThreads: 1,
          logSeverityLevel: 3,
        });
        await session.release();
      }),
  });
  const { tapped, plain } = ms;
  return { tappedMs: median(tapped), plainMs: median(plain), ratio: medianRatio(tapped, plain) };
}
