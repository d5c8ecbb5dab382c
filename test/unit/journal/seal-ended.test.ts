import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRecordings } from '../../../src/analyzer/ingest/recordings.ts';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { chooseRemovals, isFinished, listRuns, removalOf } from '../../../src/journal/retention.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import { verifyRun } from '../../../src/recordings/verify-run.ts';
import { turnFrame } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog, temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const frame = (seq: number) => ({ seq, bytes: encodeMessage(turnFrame(seq, seq)) });

function recordingsIn(runsFolder: string) {
  const told = { onRecalled: () => undefined, onEnded: () => undefined };
  return createRecordings({ runsFolder, maxAgentBytes: 1e9, maxRunBytes: 1e9, log: silentLog, ...told });
}

it('seals a run that has ended while its program goes on, and puts a late frame into a new segment', async () => {
  const runs = await temporaryFolder();
  const recordings = recordingsIn(runs);
  const stream = await (await recordings.of('r1')).stream('ada');
  await stream.append(1, [frame(0)]);
  expect((await verifyRun(join(runs, 'r1'))).open).toHaveLength(1);
  await recordings.seal('r1');
  expect(await verifyRun(join(runs, 'r1'))).toMatchObject({ open: [], sound: true, frames: 1 });
  await stream.append(1, [frame(1)]);
  await recordings.seal('r1');
  expect(await verifyRun(join(runs, 'r1'))).toMatchObject({ open: [], sound: true, frames: 2, segments: 2 });
  await recordings.close();
});

it('seals segments that a killed program left open, also while the run is being opened again', async () => {
  const runs = await temporaryFolder();
  const killed = await openRecording({ folder: join(runs, 'r1'), log: silentLog });
  await (await killed.stream('ada')).append(1, [frame(0)]);
  const recordings = recordingsIn(runs);
  const sealed = recordings.seal('r1');
  const stream = await (await recordings.of('r1')).stream('ada');
  await sealed;
  expect(await verifyRun(join(runs, 'r1'))).toMatchObject({ open: [], sound: true });
  await stream.append(1, [frame(1)]);
  await recordings.close();
  expect(await verifyRun(join(runs, 'r1'))).toMatchObject({ open: [], sound: true, frames: 2 });
  expect(await readdir(join(runs, 'r1', 'streams', 'ada'))).toHaveLength(2);
});

it('seals what a killed program left open in a run that nothing opens again', async () => {
  const runs = await temporaryFolder();
  const killed = await openRecording({ folder: join(runs, 'r1'), log: silentLog });
  await (await killed.stream('ada')).append(1, [frame(0)]);
  const recordings = recordingsIn(runs);
  await recordings.seal('r1');
  expect(await verifyRun(join(runs, 'r1'))).toMatchObject({ open: [], sound: true, frames: 1 });
  await recordings.close();
});

it('opens no run before it is sealed', async () => {
  const runs = await temporaryFolder();
  const killed = await openRecording({ folder: join(runs, 'r1'), log: silentLog });
  await (await killed.stream('ada')).append(1, [frame(0)]);
  const recordings = recordingsIn(runs);
  let isSealed = false;
  const sealed = recordings.seal('r1').then(() => (isSealed = true));
  const order = await recordings.of('r1').then(() => isSealed);
  await sealed;
  expect(order).toBe(true);
  await recordings.close();
});

it.each(['', '{"atMs":'])('ignores a state file that a full disk has left as "%s"', async (text) => {
  const runs = await temporaryFolder();
  const recording = await openRecording({ folder: join(runs, 'r1'), log: silentLog });
  await (await recording.stream('ada')).append(1, [frame(0)]);
  await recording.close();
  for (const name of ['finished.json', 'removed.json']) await writeFile(join(runs, 'r1', name), text);
  const found = await listRuns(runs);
  expect(found).toMatchObject([{ run: 'r1', finishedAtMs: undefined, removed: undefined }]);
  expect(chooseRemovals(found, 0)).toEqual([]);
  expect([await isFinished(join(runs, 'r1')), await removalOf(join(runs, 'r1'))]).toEqual([false, undefined]);
});

it('counts the scores of a run against the budget, though retention keeps them', async () => {
  const runs = await temporaryFolder();
  const recording = await openRecording({ folder: join(runs, 'r1'), log: silentLog });
  await (await recording.stream('ada')).append(1, [frame(0)]);
  await recording.close();
  await writeFile(join(runs, 'r1', 'scores.jsonl'), 'x'.repeat(5000));
  expect(await listRuns(runs)).toMatchObject([{ keptBytes: 5000 }]);
});
