/** How long it takes to open a session with taps and without, hashing aside. */
import { dirname } from 'node:path';
import ort from 'onnxruntime-node';
import { readModelFolder } from '../../src/model/model-folder.ts';
import { openSession } from '../../src/model/session.ts';
import { tapGraph } from '../../src/model/tap-graph.ts';
import { compare } from './measure.ts';
import type { Subject } from './subjects.ts';

export interface LoadTime {
  tappedMs: number;
  plainMs: number;
}

export async function measureLoadTime(subject: Subject, rounds: number): Promise<LoadTime> {
  const folder = await readModelFolder(subject.folder);
  const weightsFolder = dirname(folder.graph);
  const ms = await compare(rounds, {
    tapped: async () => {
      const { graph } = await tapGraph(folder);
      const session = await openSession(graph, { provider: 'cpu', threads: 1, weightsFolder });
      await session.release();
    },
    plain: async () => {
      const session = await ort.InferenceSession.create(folder.graph, {
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      });
      await session.release();
    },
  });
  return { tappedMs: ms.tapped, plainMs: ms.plain };
}
