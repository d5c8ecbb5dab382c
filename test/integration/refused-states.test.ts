/**
 * An analyzer that refuses an agent's states, because what it found recorded under the run's name has all groups that a
 * run may have: the run is not called whole, and ends with the agent and the reason.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRecording } from '../../src/journal/run-recording.ts';
import { MAX_GROUPS } from '../../src/transport/stream/auth/check-roles.ts';
import { encodeMessage } from '../../src/protocol/stream/codec.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { episodeFrame } from '../fixtures/recordings/recording-fixture.ts';
import { silentLog } from '../fixtures/stream/stream-fixture.ts';

const RUN = 'refused';
const SIZE = { scenarios: 1, episodes: 1, maxTurns: 2, maxTokens: 4, conditions: ['live'] };

let folder: string;
let fleet: Fleet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-refused-'));
  const study = await writeSmallStudy(folder, SIZE);
  const model = 'models/entrain-dialogue-300k';
  const models = { ada: model, ben: model };
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'], models });
  const recording = await openRecording({ folder: join(fleet.runs, RUN), log: silentLog });
  // Two groups each.
  const earlier = Array.from({ length: MAX_GROUPS / 2 }, (_, seq) => {
    const frame = { ...episodeFrame(seq, 0), run: RUN, episode: `old${seq}`, condition: `c${seq}` };
    return { seq, bytes: encodeMessage(frame) };
  });
  await (await recording.stream('eve')).append(1, earlier);
  await recording.close();
});
afterAll(async () => {
  await fleet.close();
  await rm(folder, { recursive: true, force: true });
});

it('ends the run by name, with the agent and the reason of the analyzer', async () => {
  for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
    await fleet.start(program);
  expect(await fleet.ended('coordinator')).toBe(1);
  const said = fleet.said('coordinator');
  expect(said).toContain('(RECORDING_INCOMPLETE)');
  expect(said).toMatch(/frames of agent "(?:ada|ben)" were not acknowledged within 1[0-9] s/);
  expect(said).toContain(`The run has ${MAX_GROUPS} groups already`);
  expect((await readTranscript(fleet.runs, RUN)).length).toBeGreaterThan(0);
}, 120_000);
