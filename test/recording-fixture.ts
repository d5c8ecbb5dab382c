/** A small recorded run, made by the journal itself. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openRecording } from '../src/journal/recording.ts';
import { encodeMessage } from '../src/protocol/codec.ts';
import type { DataMessage, EpisodeFrame, TurnFrame } from '../src/protocol/frames.ts';
import { TEXT_FEATURE_DIMS } from '../src/protocol/frames.ts';
import { packTensor } from '../src/protocol/tensor.ts';
import { silentLog, temporaryFolder } from './stream-fixture.ts';

export const DIMS = 4;

export function episodeFrame(seq: number, role: number): EpisodeFrame {
  const model = { name: 'tiny', sha256: 'ab', layers: 2, dims: DIMS };
  return {
    type: 'episode',
    seq,
    run: 'run-1',
    episode: 'e1',
    scenario: 's1',
    pair: 'ada-ben',
    condition: 'live',
    seed: 7,
    order: ['ada', 'ben'],
    role,
    models: [model, model],
  };
}

export function turnFrame(seq: number, turn: number): TurnFrame {
  const values = Float32Array.from({ length: 2 * DIMS }, (_, i) => turn + i / 8);
  return {
    type: 'turn',
    seq,
    episode: 'e1',
    turn,
    layers: [1, 2],
    shape: [1, 2, DIMS],
    ...packTensor(values, 'f16'),
    tNs: turn,
    text: new Uint8Array(TEXT_FEATURE_DIMS * 4),
    words: packTensor(values.subarray(0, DIMS), 'f32').data,
  };
}

/** Two streams of an episode frame and `turns` turn frames each, with the transcript that names them. */
export async function recordedRun(turns = 4, segmentBytes = 40_000): Promise<string> {
  const folder = await temporaryFolder();
  const recording = await openRecording({ folder, log: silentLog, segmentBytes });
  const utterances: object[] = [];
  for (const [role, agent] of ['ada', 'ben'].entries()) {
    const stream = await recording.stream(agent);
    await record(stream, episodeFrame(0, role));
    for (let i = 0; i < turns; i++) {
      const turn = 2 * i + role;
      await record(stream, turnFrame(i + 1, turn));
      const finish = { text: 'hello', finish: 'stop', tokens: 1 };
      utterances.push({ episode: 'e1', turn, agent, ...finish, stream: agent, epoch: 1, lastSeq: i + 1 });
    }
  }
  await recording.close();
  const lines = utterances.map((utterance) => JSON.stringify(utterance)).join('\n');
  await writeFile(join(folder, 'transcript.jsonl'), `${lines}\n`);
  return folder;
}

async function record(
  stream: { append(epoch: number, batch: { seq: number; bytes: Uint8Array }[]): Promise<void> },
  message: DataMessage,
): Promise<void> {
  await stream.append(1, [{ seq: message.seq, bytes: encodeMessage(message) }]);
}
