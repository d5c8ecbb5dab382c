/**
 * Real programs that play one, three or sixteen episodes at once say the same words, also when agents are killed in the
 * middle and started again.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/protocol/nats-messages.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { writeSmallStudy } from '../fixtures/programs/demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fixtures/programs/fleet.ts';
import { hearTurns } from '../fixtures/programs/hear-turns.ts';

const SIZE = { scenarios: 4, episodes: 2, maxTurns: 4, maxTokens: 12 };
const EPISODES = 2 * SIZE.scenarios * SIZE.episodes;
const TURNS = EPISODES * SIZE.maxTurns;
/** The smallest model, since what is tested is who plays with whom. */
const MODEL = 'models/entrain-dialogue-300k';

let folder: string;
let study: string;
/** What is said one episode at a time. */
let alone: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-at-once-'));
  study = await writeSmallStudy(folder, SIZE);
  const played = await play(1);
  expect(played.most).toBe(1);
  alone = played.words;
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Played {
  words: string[];
  /** Most episodes that were open at a time. */
  most: number;
}

async function play(atOnce: number, disturb?: (fleet: Fleet, run: string) => Promise<void>): Promise<Played> {
  const run = `at-once-${atOnce}${disturb ? '-killed' : ''}`;
  const agents = ['ada', 'ben'];
  const fleet = await createFleet({
    folder: join(folder, run),
    study,
    run,
    agents,
    models: Object.fromEntries(agents.map((id) => [id, MODEL])),
    agentFlags: ['--at-once', String(atOnce)],
  });
  try {
    for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
      await fleet.start(program);
    await disturb?.(fleet, run);
    expect(await fleet.ended('coordinator'), fleet.said('coordinator')).toBe(0);
    const report = await verifyRun(join(fleet.runs, run));
    expect([report.faults, report.utterances]).toEqual([[], { total: TURNS, incomplete: [] }]);
    const said = await readTranscript(fleet.runs, run);
    const words = said.map(({ episode, turn, text, finish }) => `${episode}/${turn}: ${text} (${finish})`);
    return { words, most: mostOpen(await eventsOf(fleet, run)) };
  } finally {
    await fleet.close();
  }
}

async function eventsOf(fleet: Fleet, run: string): Promise<RunEvent[]> {
  const lines = (await readFile(join(fleet.runs, run, 'events.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as RunEvent);
}

function mostOpen(events: readonly RunEvent[]): number {
  const open = new Set<string>();
  let most = 0;
  for (const event of events) {
    if (event.type === 'episode-started') open.add(event.episode);
    if (event.type === 'episode-finished') open.delete(event.episode);
    most = Math.max(most, open.size);
  }
  return most;
}

describe('episodes that agents play at once', { timeout: 240_000 }, () => {
  it('are played to the end', () => {
    expect(alone).toHaveLength(TURNS);
    expect(new Set(alone.map((line) => line.split('/')[0])).size).toBe(EPISODES);
  });

  it.each([
    [3, 2],
    [16, 4],
  ])('say the same words %i at a time', async (atOnce, atLeast) => {
    const { words, most } = await play(atOnce);
    // Short episodes may end before the last one begins.
    expect(most).toBeGreaterThanOrEqual(atLeast);
    expect(most).toBeLessThanOrEqual(atOnce);
    expect(words).toEqual(alone);
  });

  it('say the same words sixteen at a time when each agent is killed in the middle and started again', async () => {
    const { words } = await play(16, async (fleet, run) => {
      const spoken = await hearTurns(fleet, run);
      for (const agent of ['agent-ada', 'agent-ben'] as const) {
        await spoken(1);
        await fleet.kill(agent);
        await fleet.start(agent);
      }
    });
    expect(words).toEqual(alone);
  });
});
