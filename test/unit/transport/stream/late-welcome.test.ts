/**
 * A recording that takes long to open: the sender is told that it is being opened, and its frames are
 * acknowledged later.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  recordedLines,
  startAgent,
  startAnalyzer,
  stepsFrame,
  temporaryFolder,
  waitFor,
} from '../../../fixtures/stream/stream-fixture.ts';

const FRAMES = 12;
let folder: string;
beforeAll(async () => void (folder = await temporaryFolder()));
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a restarted sender gets all its frames acknowledged, though the welcome to its first hello comes late', async () => {
  const [kept, spool, recording] = ['kept', 'spool', 'recording'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  // No analyzer listens yet: all frames stay in the spool.
  const offline = await startAgent({
    url: 'ws://127.0.0.1:9/stream',
    folder: kept,
    stream: 'ada',
    greetingMs: 1,
  });
  for (let turn = 0; turn < FRAMES; turn += 1) offline.sender.append(stepsFrame(turn));
  await offline.close();
  await cp(kept, spool, { recursive: true });
  // The first life of the agent sends the frames; their acknowledgements are lost together with its spool.
  const before = await startAnalyzer({ folder: recording });
  const sent = await startAgent({ url: before.url, folder: spool, stream: 'ada' });
  expect(await sent.sender.drained(20_000)).toBe(true);
  await sent.close();
  await before.close();

  let open: () => void = () => undefined;
  const analyzer = await startAnalyzer({
    folder: recording,
    opened: new Promise<void>((done) => (open = done)),
  });
  const agent = await startAgent({ url: analyzer.url, folder: kept, stream: 'ada', greetingMs: 200 });
  expect(await agent.sender.welcomed(10_000), 'it is told that the recording is being opened').toBe(true);
  agent.sender.append(stepsFrame(FRAMES));
  await waitFor(() => analyzer.stream.status().connections === 1);
  open();
  expect(await agent.sender.drained(20_000)).toBe(true);
  await agent.close();
  await analyzer.close();
  expect(await recordedLines(recording)).toHaveLength(FRAMES + 1);
}, 60_000);
