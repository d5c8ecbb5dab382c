/** The link between an agent and NATS is cut for 20 s: the talk goes on as soon as the agent is connected again. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { startCutLine, type CutLine } from '../fixtures/programs/cut-line.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';

const RUN = 'cut';
const STUDY = { scenarios: 1, episodes: 2, maxTurns: 10, maxTokens: 40 };
const TURNS = 2 * 2 * 10;
const CUT_MS = 20_000;
/** A redelivery comes within 5 s; a minute, as it was once, is far above. */
const GOES_ON_MS = 20_000;

let folder: string;
let fleet: Fleet;
let line: CutLine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-cut-'));
  const study = await writeSmallStudy(folder, STUDY);
  const coordinatorFlags = ['--grace-seconds', '120'];
  fleet = await createFleet({ folder, study, run: RUN, agents: ['ada', 'ben'], coordinatorFlags });
  line = await startCutLine({ port: Number(new URL(fleet.nats.url).port) });
});
afterAll(async () => {
  await fleet.close();
  await line.close();
  await rm(folder, { recursive: true, force: true });
});

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const spoken = async (): Promise<number> => (await readTranscript(fleet.runs, RUN)).length;

async function lastSpeaker(): Promise<string> {
  const text = await readFile(join(fleet.runs, RUN, 'transcript.jsonl'), 'utf8');
  // The last line may just be written.
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
  return (JSON.parse(lines.at(-1) ?? '{}') as { agent: string }).agent;
}

const reconnections = (): number => fleet.said('agent-ben').split('"status":"reconnect"').length - 1;

it('goes on at the reconnect, and loses nothing', async () => {
  for (const program of ['analyzer', 'agent-ada'] as const) await fleet.start(program);
  await fleet.start('agent-ben', [], { NATS_URL: `nats://127.0.0.1:${line.port}` });
  await fleet.start('coordinator');
  // Cut while ada speaks: what she says is passed to the dead connection, and has to be passed again.
  const isAdasTurn = async (): Promise<boolean> => (await spoken()) >= 3 && (await lastSpeaker()) === 'ben';
  await until('a turn of ada', isAdasTurn, 120_000);
  line.cut();
  await pause(CUT_MS);
  const before = await spoken();
  line.mend();
  await until('the agent to be connected again', () => reconnections() > 0, 30_000);
  // Two turns of each: the agent hears again, and is heard.
  await until('the talk to go on', async () => (await spoken()) >= before + 4, GOES_ON_MS);
  expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
  const { faults, utterances } = await verifyRun(join(fleet.runs, RUN));
  expect({ faults, utterances }).toEqual({ faults: [], utterances: { total: TURNS, incomplete: [] } });
}, 400_000);
