/** The coordinator may die anywhere: a run whose coordinator is killed again and again says the same as one left in peace. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, writeSmallStudy } from '../demo.ts';
import { createFleet, readTranscript, type Fleet } from '../fleet.ts';

const STUDY = { scenarios: 4, episodes: 1, maxTurns: 8, maxTokens: 8 };
const TURNS = 4 * 2 * 8;
const KILLS = 5;

let folder: string;
let study: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-restart-'));
  study = await writeSmallStudy(folder, STUDY);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withFleet(run: string, play: (fleet: Fleet) => Promise<void>): Promise<string[]> {
  const fleet = await createFleet({ folder: join(folder, run), study, run, agents: ['ada', 'ben'] });
  try {
    for (const program of ['analyzer', 'agent-ada', 'agent-ben', 'coordinator'] as const)
      await fleet.start(program);
    await play(fleet);
    const status = await fleet.ended('coordinator');
    if (status !== 0) throw new Error(fleet.said('coordinator'));
    const transcript = await readTranscript(fleet.runs, run);
    return transcript.map(
      ({ episode, turn, agent, text, finish }) => `${episode}/${turn} ${agent}: ${text} (${finish})`,
    );
  } finally {
    await fleet.close();
  }
}

describe('a coordinator that is killed', { timeout: 300_000 }, () => {
  it('goes on where it was: the same words, no turn twice, none missing', async () => {
    const undisturbed = await withFleet('peace', async () => undefined);
    expect(undisturbed).toHaveLength(TURNS);
    let kills = 0;
    const disturbed = await withFleet('chaos', async (fleet) => {
      for (; kills < KILLS; kills += 1) {
        const wanted = Math.floor((TURNS * (kills + 1)) / (KILLS + 2));
        await until(
          `${wanted} turns`,
          async () => (await readTranscript(fleet.runs, 'chaos')).length >= wanted,
        );
        await fleet.kill('coordinator');
        await fleet.start('coordinator');
      }
    });
    expect(kills).toBe(KILLS);
    expect(disturbed).toEqual(undisturbed);
  });
});
