/**
 * An agent that dies for good: a free agent with the same model continues in its role and says what the lost one
 * would have said. Without such an agent the run fails, and continues when it is started again.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRecording } from '../../src/journal/read-recording.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import type { RunEvent } from '../../src/protocol/nats-messages.ts';
import { until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { writeScriptedModel } from '../fixtures/onnx/scripted-model.ts';
import { TEMPLATES } from '../fixtures/onnx/tokenizers.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';

const TURNS = 2 * 2 * 8;

let folder: string;
let study: string;
/** What is said if no agent dies. */
let undisturbed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-takeover-'));
  study = await writeSmallStudy(folder, { scenarios: 2, episodes: 1, maxTurns: 8, maxTokens: 24 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Agents that play, or these with another study and models than the usual. */
type Playing =
  string[] | { agents: string[]; study: string; models: Record<string, string>; agentFlags?: string[] };

async function withFleet<T>(run: string, playing: Playing, play: (fleet: Fleet) => Promise<T>): Promise<T> {
  const more = Array.isArray(playing) ? { agents: playing } : playing;
  const { agents } = more;
  const coordinatorFlags = ['--grace-seconds', '4', '--wait-seconds', '60'];
  // One episode at a time: so there is a moment in the middle of an episode at which the agent owes nothing.
  const agentFlags = ['--at-once', '1'];
  const fleet = await createFleet({
    folder: join(folder, run),
    study,
    run,
    coordinatorFlags,
    agentFlags,
    ...more,
  });
  try {
    for (const program of ['analyzer', ...agents.map((id) => `agent-${id}` as const)] as const)
      await fleet.start(program);
    await fleet.start('coordinator');
    return await play(fleet);
  } finally {
    await fleet.close();
  }
}

/** Kills ben in the middle of an episode, at a point where nothing of him waits in his spool. */
async function killForGood(
  fleet: Fleet,
  run: string,
  { afterTurns = 3, episodeTurns = 8 } = {},
): Promise<void> {
  const said = async (): Promise<number> => (await readTranscript(fleet.runs, run)).length;
  await until(`${afterTurns} turns`, async () => (await said()) >= afterTurns);
  await until('an agent that owes nothing', async () => {
    fleet.signal('agent-ben', 'SIGSTOP');
    const { utterances } = await verifyRun(join(fleet.runs, run)).catch(() => ({ utterances: undefined }));
    if (utterances?.incomplete.length === 0 && utterances.total % episodeTurns !== 0) return true;
    fleet.signal('agent-ben', 'SIGCONT');
    return undefined;
  });
  await fleet.kill('agent-ben');
}

const words = async (fleet: Fleet, run: string): Promise<string[]> =>
  (await readTranscript(fleet.runs, run)).map(
    ({ episode, turn, text, finish }) => `${episode}/${turn}: ${text} (${finish})`,
  );

/** Episode and turn → its states as they were sent, of the latest agent in the role. */
async function statesOf(fleet: Fleet, run: string): Promise<Map<string, string>> {
  const found = new Map<string, { seating: number; states: string }>();
  for await (const { message } of readRecording(join(fleet.runs, run))) {
    if (message.type !== 'turn') continue;
    const { episode, turn, seating = 0, data } = message;
    const known = found.get(`${episode}/${turn}`);
    if (known === undefined || known.seating <= seating)
      found.set(`${episode}/${turn}`, { seating, states: Buffer.from(data).toString('hex') });
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, { states }]) => [key, states]));
}

/** Episode and turn → the states with which an agent read the turn behind the history of another episode. */
async function controlsOf(fleet: Fleet, run: string, agent: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { stream, message } of readRecording(join(fleet.runs, run))) {
    if (stream !== agent || message.type !== 'steps' || message.role !== 'control') continue;
    const place = `${message.episode}/${message.turn}`;
    found.set(place, (found.get(place) ?? '') + Buffer.from(message.data).toString('hex'));
  }
  return found;
}

/** Everything that the coordinator writes into the run folder, byte for byte. */
const written = (runs: string, run: string): Promise<string[]> =>
  Promise.all(
    ['run.json', 'events.jsonl', 'transcript.jsonl'].map((name) => readFile(join(runs, run, name), 'utf8')),
  );

describe('an agent that stays away', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    undisturbed = await withFleet('peace', ['ada', 'ben'], async (fleet) => {
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      return words(fleet, 'peace');
    });
    expect(undisturbed).toHaveLength(TURNS);
  }, 240_000);

  it('is replaced by a free one with the same model: the same words, marked, and recorded whole', async () => {
    await withFleet('taken-over', ['ada', 'ben', 'cas'], async (fleet) => {
      const place = join(fleet.runs, 'taken-over');
      await killForGood(fleet, 'taken-over');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      expect(await words(fleet, 'taken-over')).toEqual(undisturbed);
      const transcript = await readTranscript(fleet.runs, 'taken-over');
      const events = (await readFile(join(place, 'events.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as RunEvent)
        .filter((event) => event.type === 'episode-taken-over');
      expect(events.length).toBeGreaterThan(0);
      for (const { episode, turn, lost, agent } of events) {
        expect([lost, agent]).toEqual(['ben', 'cas']);
        const late = transcript.filter((said) => said.episode === episode && said.turn >= turn);
        expect(late.length).toBeGreaterThan(0);
        // The turns of ada are the even ones; ben may have been lost at the last turn.
        for (const said of late) expect(said.agent).toBe(said.turn % 2 === 0 ? 'ada' : 'cas');
      }
      expect(transcript.some(({ agent }) => agent === 'ben')).toBe(true);
      const report = await verifyRun(place);
      expect([report.faults, report.utterances]).toEqual([[], { total: TURNS, incomplete: [] }]);
    });
  });

  it('leaves the same states to the one who continues, also where its own words spell control tokens', async () => {
    // Each turn begins with a control token, character by character; what follows is drawn.
    const spells = {
      after: '<|assistant|>',
      says: '<',
      pairs: [
        ['<', 's'],
        ['s', '>'],
      ] as [string, string][],
    };
    const words180 = { template: TEMPLATES.own, merges: 180, context: 4096 };
    const spelling = await writeScriptedModel({ ...spells, ...words180 });
    const models = { ada: spelling, ben: spelling, cas: spelling };
    // The second episode is read behind the history of the first as well.
    const steps = { layers: [1], every: 1, control: true };
    // Long enough for more than one try to find ben owing nothing, however fast the turns are.
    const episodeTurns = 20;
    const size = {
      scenarios: 1,
      episodes: 2,
      conditions: ['live'],
      maxTurns: episodeTurns,
      maxTokens: 48,
      steps,
    };
    await mkdir(join(folder, 'spelling'));
    const of = { study: await writeSmallStudy(join(folder, 'spelling'), size), models };
    const whole = await withFleet('spelt', { ...of, agents: ['ada', 'ben'] }, async (fleet) => {
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      const controls = await controlsOf(fleet, 'spelt', 'ben');
      return { words: await words(fleet, 'spelt'), states: await statesOf(fleet, 'spelt'), controls };
    });
    expect(whole.states.size).toBe(2 * size.maxTurns);
    await withFleet('respelt', { ...of, agents: ['ada', 'ben', 'cas'] }, async (fleet) => {
      await killForGood(fleet, 'respelt', { afterTurns: episodeTurns + 3, episodeTurns });
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      const transcript = await readTranscript(fleet.runs, 'respelt');
      const taken = transcript.find(({ agent }) => agent === 'cas')?.episode;
      const before = transcript.filter(({ agent, episode }) => agent === 'ben' && episode === taken);
      expect(before.map(({ text }) => text).join('\n'), 'a control token in its own words').toMatch(/<s>/);
      expect(await words(fleet, 'respelt')).toEqual(whole.words);
      expect(await statesOf(fleet, 'respelt')).toEqual(whole.states);
      const controls = await controlsOf(fleet, 'respelt', 'cas');
      expect(controls.size).toBeGreaterThan(0);
      for (const [place, states] of controls) expect(states, place).toBe(whole.controls.get(place));
    });
  });

  it('is not waited for by a restarted coordinator once its role was taken over', async () => {
    await withFleet('restarted', ['ada', 'ben', 'cas'], async (fleet) => {
      const events = join(fleet.runs, 'restarted', 'events.jsonl');
      await killForGood(fleet, 'restarted');
      await until('a takeover', async () =>
        (await readFile(events, 'utf8')).includes('episode-taken-over') ? true : undefined,
      );
      await fleet.kill('coordinator');
      await fleet.start('coordinator');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      expect(await words(fleet, 'restarted')).toEqual(undisturbed);
      const report = await verifyRun(join(fleet.runs, 'restarted'));
      expect([report.faults, report.utterances]).toEqual([[], { total: TURNS, incomplete: [] }]);
    });
  });

  it('does not keep the others from playing what they have with one another, where nobody has its model', async () => {
    const matrix = join(folder, 'matrix.json');
    const { pairs: _, ...rest } = JSON.parse(await readFile(study, 'utf8')) as Record<string, unknown>;
    // Not the first by name, whose partners would all have to wait for it.
    const pairs = [
      ['ada', 'cas'],
      ['ada', 'ben'],
      ['cas', 'ben'],
    ];
    await writeFile(matrix, JSON.stringify({ ...rest, pairs, conditions: ['live'] }));
    const models = { ben: 'models/entrain-dialogue-300k' };
    const agents = ['ada', 'ben', 'cas'];
    // The episode in which one waits for the lost agent takes one of its two places.
    const agentFlags = ['--at-once', '2'];
    await withFleet('matrix', { agents, study: matrix, models, agentFlags }, async (fleet) => {
      await until('a turn', async () => (await readTranscript(fleet.runs, 'matrix')).length > 0);
      await fleet.kill('agent-ben');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(1);
      expect(fleet.said('coordinator')).toMatch(
        /Agent "ben" stopped answering.*all else that can be played is played/,
      );
      const finished = (await readFile(join(fleet.runs, 'matrix', 'events.jsonl'), 'utf8'))
        .split('\n')
        .filter((line) => line.includes('"episode-finished"'));
      // Both scenarios of ada and cas.
      expect(finished.length).toBeGreaterThanOrEqual(2);
      await fleet.start('agent-ben');
      await fleet.start('coordinator');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      expect(await readTranscript(fleet.runs, 'matrix')).toHaveLength(2 * 3 * 8);
    });
  });

  it('ends the run with one sentence if no agent has its model; the run continues when started again, under its own name', async () => {
    await withFleet('nobody', ['ada', 'ben'], async (fleet) => {
      await until('three turns', async () => (await readTranscript(fleet.runs, 'nobody')).length >= 3);
      await fleet.kill('agent-ben');
      expect(await fleet.ended('coordinator')).toBe(1);
      expect(fleet.said('coordinator')).toMatch(
        /Agent "ben" stopped answering.* no other agent with its model/,
      );
      await fleet.start('agent-ben');
      await fleet.start('coordinator');
      expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
      expect(await words(fleet, 'nobody')).toEqual(undisturbed);
      const before = await written(fleet.runs, 'nobody');
      expect(before[1]).toMatch(/"run-failed".*\n(.*\n)*.*"run-resumed"/);
      await fleet.start('coordinator', ['--seed', '7']);
      expect(await fleet.ended('coordinator')).toBe(1);
      expect(fleet.said('coordinator')).toMatch(
        /Run nobody was begun with another study \(other seed\).*--run/,
      );
      expect(await written(fleet.runs, 'nobody')).toEqual(before);
    });
    await withFleet('nobody', ['ada', 'ben'], async (fleet) => {
      const before = await written(fleet.runs, 'nobody');
      expect(await fleet.ended('coordinator')).toBe(1);
      expect(fleet.said('coordinator')).toMatch(
        /Run nobody has 32 spoken turns, of which this NATS server holds/,
      );
      expect(await written(fleet.runs, 'nobody')).toEqual(before);
    });
  });
});
