/** `entrain verify` and a turn that branches among four: each of the three listeners owes its states. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../../src/protocol/nats-messages.ts';
import type { BranchFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { textFeatures } from '../../../src/protocol/text-features.ts';
import { checkBranches } from '../../../src/recordings/check-branches.ts';
import { createRecordedBranches } from '../../../src/recordings/recorded-branches.ts';

const ORDER = ['ada', 'ben', 'cid', 'dan'];
const WORDS = ['hello', 'good morning', 'who are you'];
/** With this seed and share one turn of eight branches, the first. */
const started: RunEvent & { seq: number } = {
  type: 'episode-started',
  episode: 'e1',
  scenario: 'x',
  condition: 'live',
  order: ORDER,
  maxTurns: 8,
  seed: 27,
  branches: { share: 0.1, alternatives: 2 },
  atMs: 0,
  seq: 1,
};

const frame = (state: string, k: number): BranchFrame => ({
  type: 'branch',
  seq: 0,
  run: 'r1',
  episode: 'e1',
  turn: 0,
  kind: 'alternative',
  k,
  state,
  layers: [1],
  shape: [1, 1, 2],
  tNs: 0,
  ...packTensor(new Float32Array(2).fill(k), 'f32'),
  ...(state === 'end' ? { text: new Uint8Array(textFeatures(WORDS[k] ?? '').buffer) } : {}),
});

/** Faults of a turn of ada's, where one listener has sent no state behind the last alternative. */
async function faultsWithout(silent: string | undefined): Promise<string[] | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'branches-of-four-'));
  const said = [1, 2].map((k) => ({ episode: 'e1', turn: 0, k, agent: 'ada', text: WORDS[k], seq: 1 + k }));
  const lines = said.map((one) => JSON.stringify({ ...one, finish: 'stop', tokens: 1 }));
  await writeFile(join(folder, 'branches.jsonl'), `${lines.join('\n')}\n`);
  const ledger = createRecordedBranches();
  for (const k of [0, 1, 2]) {
    for (const state of ['end', 'mean', 'bystander']) ledger.take('ada', frame(state, k));
    for (const agent of ORDER.slice(1)) if (k < 2 || agent !== silent) ledger.take(agent, frame('reply', k));
  }
  const spoken = [{ episode: 'e1', turn: 0, agent: 'ada', finish: 'stop' as const, text: WORDS[0], seq: 9 }];
  return (await checkBranches(folder, { events: [started], spoken, ledger }))?.faults;
}

it('verify wants the states of each of three listeners', async () => {
  expect(await faultsWithout(undefined)).toEqual([]);
  for (const agent of ORDER.slice(1))
    expect(await faultsWithout(agent)).toEqual([
      `turn 0 of e1: the reply states of ${agent} to 1 of its 3 versions are not recorded`,
    ]);
});
