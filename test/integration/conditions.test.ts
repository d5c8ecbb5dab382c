/**
 * Real processes play every condition. What an agent had heard before a turn is read from the recording: the text
 * features of its prompt must be exactly those of the prompt that the condition allows.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hearsTurn } from '../../src/protocol/scenarios/hears-turn.ts';
import { systemPrompt } from '../../src/protocol/scenarios/system-prompt.ts';
import { textFeatures } from '../../src/protocol/text-features.ts';
import { createEpisodeIndex, placeOf, rowsOf } from '../../src/analyzer/ingest/episode-index.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { couplingOf } from '../../src/coordinator/conditions.ts';
import { planEpisodes, agentsOfEpisode, type PlannedEpisode } from '../../src/coordinator/plan.ts';
import { readRecording } from '../../src/journal/read-recording.ts';
import { membershipsSchema } from '../../src/protocol/memberships.ts';
import type { Utterance } from '../../src/protocol/nats-messages.ts';
import type { StepsFrame, TurnFrame } from '../../src/protocol/stream/frames.ts';
import { studySchema, type Study } from '../../src/protocol/study.ts';
import { names, subjects } from '../../src/protocol/subjects.ts';
import { request } from '../../src/transport/nats/services.ts';
import type { NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import { createFleet, readTranscript } from '../fixtures/programs/fleet.ts';

const AGENTS = ['ada', 'ben', 'cas'];

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-conditions-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

type Scenarios = { people: object[] }[];

async function studyOf(change: (scenarios: Scenarios) => { maxTurns: number }): Promise<Study> {
  const { scenarios } = JSON.parse(await readFile('studies/demo.json', 'utf8')) as { scenarios: Scenarios };
  const changed = change(scenarios.slice(0, 2));
  const size = { episodes: 1, minTurns: changed.maxTurns, maxTokens: 6, steps: { layers: [1] } };
  return studySchema.parse({ name: 'small', ...size, ...changed });
}

interface Heard {
  transcript: Utterance[];
  turns: { stream: string; frame: TurnFrame }[];
  steps: { stream: string; frame: StepsFrame }[];
  dyads: Set<string>;
}

/** Runs the study to its end with processes of its own, and reads what it left behind. */
async function play(run: string, study: Study): Promise<Heard> {
  const file = join(folder, `${run}.json`);
  await writeFile(file, JSON.stringify(study));
  const fleet = await createFleet({ folder: join(folder, run), study: file, run, agents: AGENTS });
  try {
    for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'agent-cas', 'coordinator'] as const)
      await fleet.start(program);
    expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
    const { faults, utterances } = await verifyRun(join(fleet.runs, run));
    const total = planEpisodes(study).length * study.maxTurns;
    expect({ faults, utterances }).toEqual({ faults: [], utterances: { total, incomplete: [] } });
    expect(await whatIsKept(fleet.nats, run)).toEqual({ runs: [], consumers: ['coordinator'] });
    return await readBack(fleet.runs, run);
  } finally {
    await fleet.close();
  }
}

/** What the agents and the run's stream still hold of a run that is over. */
async function whatIsKept(nats: NatsFixture, run: string): Promise<{ runs: string[]; consumers: string[] }> {
  const { connection } = await nats.connect('coordinator');
  const answers = await Promise.all(
    AGENTS.map((agent) => request(connection, subjects.memberships(agent), { body: {}, timeoutMs: 10_000 })),
  );
  const runs = answers.flatMap((answer) => membershipsSchema.parse(JSON.parse(answer)).runs);
  const manager = await connection.jetstreamManager();
  const consumers = await manager.consumers.list(names.stream(run)).next();
  return { runs, consumers: consumers.map(({ name }) => name) };
}

async function readBack(runs: string, run: string): Promise<Heard> {
  const heard: Heard = {
    transcript: await readTranscript(runs, run),
    turns: [],
    steps: [],
    dyads: new Set(),
  };
  const index = createEpisodeIndex<null>();
  for await (const { stream, epoch, message } of readRecording(join(runs, run))) {
    if (message.type === 'episode') index.addEpisode(message);
    if (message.type === 'steps') heard.steps.push({ stream, frame: message });
    if (message.type !== 'turn') continue;
    heard.turns.push({ stream, frame: message });
    const place = placeOf(message, { stream, epoch, seq: message.seq });
    index.addTurn(message.episode, { ...place, payload: null });
  }
  for (const episode of index.episodes()) {
    const streamOf = (turn: number): string => episode.turns.get(turn)?.origin.stream ?? '';
    for (const { sourceTurn, targetTurn, group } of rowsOf(episode))
      heard.dyads.add(`${group.condition} ${streamOf(sourceTurn)}>${streamOf(targetTurn)}`);
  }
  return heard;
}

/** The words that may be in an agent's prompt for a turn. */
function promptOf(
  study: Study,
  at: { episode: PlannedEpisode; index: number; turn: number; said: Utterance[] },
): string {
  const { episode, index, turn, said } = at;
  const { hears, person, scenario } = couplingOf(study, episode, index);
  const speakers = episode.order.length;
  const role = Math.min(index, speakers - 1);
  const words = [systemPrompt({ scenario, person })];
  for (let before = 0; before <= turn; before += 1) {
    const mine = before % speakers === role;
    if (mine && typeof hears === 'object' && 'script' in hears)
      words.push(hears.script[Math.floor(before / speakers)] ?? '');
    if (before < turn && (mine || hearsTurn({ hears, seed: episode.seed }, before)))
      words.push(said.find((utterance) => utterance.turn === before)?.text ?? '');
  }
  return words.filter((text) => text !== '').join('\n');
}

function expectPrompts(study: Study, { transcript, turns }: Heard): void {
  for (const episode of planEpisodes(study)) {
    const said = transcript.filter((utterance) => utterance.episode === episode.id);
    for (const { stream, frame } of turns.filter((turn) => turn.frame.episode === episode.id)) {
      const index = agentsOfEpisode(episode).indexOf(stream);
      const expected = promptOf(study, { episode, index, turn: frame.turn, said });
      const what = `${episode.condition}: what ${stream} knew before turn ${frame.turn} of ${episode.id}`;
      expect(Buffer.from(frame.text).equals(Buffer.from(textFeatures(expected).buffer)), what).toBe(true);
    }
  }
}

describe('a study with every condition', { timeout: 240_000 }, () => {
  it('is played to its end, and each agent has heard exactly what its condition says', async () => {
    const conditions = ['live', 'monologue', 'reader', 'shared-input', 'dose:0.5', 'random'];
    const script = ['The river rose in the night.', 'In the morning the bridge was gone.'];
    const study = await studyOf((scenarios) => ({
      pairs: [['ada', 'ben']],
      reader: 'cas',
      conditions,
      maxTurns: 4,
      scenarios: scenarios.map((scenario) => ({ ...scenario, script })),
    }));
    const heard = await play('conditions', study);
    expectPrompts(study, heard);
    const idsOf = (condition: string): Set<string> =>
      new Set(planEpisodes(study).flatMap((e) => (e.condition === condition ? [e.id] : [])));
    const rolesIn = (condition: string): string[] => {
      const ids = idsOf(condition);
      return [
        ...new Set(heard.steps.flatMap(({ frame }) => (ids.has(frame.episode) ? [frame.role] : []))),
      ].sort();
    };
    expect(conditions.map((condition) => [condition, ...rolesIn(condition)])).toEqual([
      ['live', 'listen', 'speak'],
      ['monologue', 'speak'],
      ['reader', 'listen', 'speak'],
      ['shared-input', 'read', 'speak'],
      ['dose:0.5', 'listen', 'speak'],
      ['random', 'read', 'speak'],
    ]);
    expect(heard.transcript.filter(({ agent }) => agent === 'cas')).toEqual([]);
    expect([...heard.dyads].filter((dyad) => dyad.includes('cas')).sort()).toEqual([
      'reader ada>cas',
      'reader cas>ada',
    ]);
    expect([...heard.dyads].filter((dyad) => dyad.startsWith('reader')).length).toBe(2);
  });
});

describe('three agents', { timeout: 240_000 }, () => {
  it('speak in turn, hear both others, and every ordered pair is a dyad', async () => {
    const study = await studyOf((scenarios) => ({
      pairs: [AGENTS],
      conditions: ['live', 'monologue'],
      maxTurns: 6,
      scenarios: scenarios.map(({ people, ...rest }) => ({
        ...rest,
        people: [...people, { persona: 'I listen a lot.' }],
      })),
    }));
    const heard = await play('three', study);
    expect(heard.transcript.map(({ agent }) => agent)).toEqual(
      planEpisodes(study).flatMap(() => [...AGENTS, ...AGENTS]),
    );
    expectPrompts(study, heard);
    for (const condition of ['live', 'monologue'])
      for (const a of AGENTS)
        for (const b of AGENTS) if (a !== b) expect(heard.dyads).toContain(`${condition} ${a}>${b}`);
  });
});
