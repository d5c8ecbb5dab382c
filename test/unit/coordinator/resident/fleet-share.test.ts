/** Runs spread over analyzers: the one with the least load, at once, and for good. */
import { expect, it } from 'vitest';
import type { FleetAgent, FleetSource } from '../../../../src/coordinator/fleet.ts';
import { shareFleet, type FleetShare } from '../../../../src/coordinator/resident/fleet-share.ts';
import { systemClock as clock } from '../../../../src/process/clock.ts';

const model = { name: 'm', sha256: '0'.repeat(64), layers: 2, dims: 4 };
const AGENTS = ['a', 'b', 'c', 'd', 'e', 'f'];

function share(analyzers: readonly string[]): FleetShare {
  const agents = new Map<string, FleetAgent>(AGENTS.map((id) => [id, { model, instance: id, atOnce: 1 }]));
  const found = analyzers.map((id) => ({ id, streamUrl: `ws://${id}/stream` }));
  const source: FleetSource = {
    agents: () => Promise.resolve({ agents, strangers: new Map() }),
    analyzers: () => Promise.resolve({ analyzers: found, strangers: new Map() }),
  };
  return shareFleet({ source, clock, admits: () => 'any' });
}

const firstOf = async (of: FleetShare, run: string): Promise<string | undefined> =>
  (await of.poolOf(run).analyzers()).analyzers[0]?.id;

function take(of: FleetShare, run: string, agents: string): void {
  for (const agent of agents) of.poolOf(run).take(agent);
}

it('gives each run the analyzer with the least load, also where two begin at once', async () => {
  const fleet = share(['one', 'two']);
  take(fleet, 'x', 'abc');
  take(fleet, 'y', 'de');
  expect(await Promise.all([firstOf(fleet, 'x'), firstOf(fleet, 'y')])).toEqual(['one', 'two']);
  expect(['one', 'two'].map((id) => fleet.loadOf(id))).toEqual([3, 2]);
  take(fleet, 'z', 'f');
  expect(await firstOf(fleet, 'z')).toBe('two');
  // A run keeps its analyzer, whatever the others have by then.
  fleet.giveBack('x');
  expect(await firstOf(fleet, 'z')).toBe('two');
  expect(await firstOf(fleet, 'w')).toBe('one');
});

it('keeps a run where it was said to be, and counts it there', async () => {
  const fleet = share(['one', 'two']);
  take(fleet, 'x', 'ab');
  fleet.poolOf('x').recordedBy('two');
  expect(await firstOf(fleet, 'x')).toBe('two');
  expect(await firstOf(fleet, 'y')).toBe('one');
  expect(fleet.recorderOf('x')).toBe('two');
});
