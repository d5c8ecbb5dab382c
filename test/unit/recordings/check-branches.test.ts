/**
 * `entrain verify` and the branches of a run: `branches.jsonl` and branch frames against the plan and against each
 * other.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRecording } from '../../../src/journal/run-recording.ts';
import type { Alternative, RunEvent } from '../../../src/protocol/nats-messages.ts';
import { encodeMessage } from '../../../src/protocol/stream/codec.ts';
import type { BranchFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { textFeatures } from '../../../src/protocol/text-features.ts';
import { verifyText } from '../../../src/recordings/verify-text.ts';
import { verifyRun, type VerifyReport } from '../../../src/recordings/verify-run.ts';
import { DIMS, recordedRun } from '../../fixtures/recordings/recording-fixture.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

/** With this seed and share one turn of eight branches, the first. */
const SEED = 27;
const branches = { share: 0.1, alternatives: 2 };
const WORDS = ['hello', 'good morning', 'who are you', 'hello there', 'good bye'];
const patch = { kind: 'perturbation', layers: [1], sizes: [0.5] };
const exchange = { kind: 'interchange', layers: [1], donors: ['d1', 'd2'] };

interface Made {
  /** In place of the alternatives that were said. */
  lines?: (said: Alternative[]) => object[];
  /** Of the frames those that are recorded. */
  frames?: (frame: BranchFrame, stream: string) => boolean | BranchFrame;
  plan?: RunEvent | object;
  /** Turn 0 also has two versions with a moved state. */
  isPatched?: boolean;
  /** These are exchanged for those of other episodes. */
  isExchanged?: boolean;
}

const frame = (state: string, k: number, moved: object): BranchFrame => ({
  type: 'branch',
  seq: 0,
  run: 'run-1',
  episode: 'e1',
  turn: 0,
  k,
  state,
  ...(k > 2
    ? { kind: 'perturbation', ...moved }
    : { kind: state === 'before' ? 'interchange' : 'alternative' }),
  seating: 0,
  layers: [1, 2],
  shape: [1, 2, DIMS],
  ...packTensor(new Float32Array(2 * DIMS).fill(k), 'f32'),
  tNs: 1,
  ...(state === 'end' || state === 'coefficients' || (state === 'delta' && 'donor' in moved)
    ? { text: new Uint8Array(textFeatures(WORDS[k] ?? '').buffer) }
    : {}),
});

/** A whole run in which turn 0 branches in two alternatives. */
async function verified(made: Made = {}) {
  const { lines = (said) => said, frames = () => true, plan = {}, isExchanged = false } = made;
  const isPatched = isExchanged || made.isPatched === true;
  const by = isExchanged ? { kind: 'interchange', layer: 1, donor: 'd1' } : { layer: 1, size: 0.5 };
  const planned = isPatched ? { ...branches, patch: isExchanged ? exchange : patch } : branches;
  const folder = await recordedRun();
  const recording = await openRecording({ folder, log: silentLog });
  for (const stream of ['ada', 'ben']) {
    const statesOf = (k: number): string[] => {
      if (stream === 'ben') return ['reply'];
      if (k > 2) return isExchanged ? ['delta'] : ['coefficients', 'delta'];
      return ['end', 'mean', 'bystander', ...(isExchanged && k === 0 ? ['before'] : [])];
    };
    const versions = isPatched ? [0, 1, 2, 3, 4] : [0, 1, 2];
    const wanted = versions.flatMap((k) => statesOf(k).map((state) => [state, k] as const));
    const kept = wanted.flatMap(([state, k]) => {
      const sent = frame(state, k, by);
      const keep = frames(sent, stream);
      return keep === false ? [] : [keep === true ? sent : keep];
    });
    const appended = kept.map((sent, i) => ({ seq: 5 + i, bytes: encodeMessage({ ...sent, seq: 5 + i }) }));
    await (await recording.stream(stream)).append(1, appended);
  }
  await recording.close();
  await rewrite(folder, 'events.jsonl', (line, at) => ({
    ...line,
    ...(line['type'] === 'episode-started' ? { seed: SEED, branches: planned, maxTurns: 8, ...plan } : {}),
    seq: at < 2 ? at + 1 : 100 + at,
  }));
  await rewrite(folder, 'transcript.jsonl', (line) => ({ ...line, seq: 10 + Number(line['turn']) }));
  const place = { episode: 'e1', turn: 0, agent: 'ada', finish: 'stop' as const, tokens: 1 };
  const said = (isPatched ? [1, 2, 3, 4] : [1, 2]).map((k): Alternative & { seq: number } => ({
    ...place,
    k,
    text: WORDS[k] ?? '',
    seq: 2 + k,
  }));
  await writeFile(
    join(folder, 'branches.jsonl'),
    lines(said)
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  );
  return verifyRun(folder);
}

async function rewrite(
  folder: string,
  name: string,
  change: (line: Record<string, unknown>, at: number) => object,
): Promise<void> {
  const text = await readFile(join(folder, name), 'utf8');
  const lines = text.split('\n').filter(Boolean);
  const changed = lines.map((line, at) =>
    JSON.stringify(change(JSON.parse(line) as Record<string, unknown>, at)),
  );
  await writeFile(join(folder, name), `${changed.join('\n')}\n`);
}

const lackingOf = async (made: Made): Promise<string[]> => {
  const report: VerifyReport = await verified(made);
  expect(report.complete).toBe(report.lacking.length === 0);
  return report.lacking;
};

describe('verifyRun, of a run with branches', () => {
  it('finds one complete that has every alternative and every state', async () => {
    const report = await verified();
    expect(report.lacking).toEqual([]);
    expect(report).toMatchObject({ complete: true, branches: { turns: 1, alternatives: 2, skipped: 0 } });
    expect(verifyText(report)).toContain('branches: 1 turn, 2 alternatives\n');
    const plain = await verifyRun(await recordedRun());
    expect(plain.branches).toBeUndefined();
    expect(verifyText(plain)).not.toContain('branches');
  });

  it('wants of a turn with exchanged states each donor’s version, or a line that there are no more, and the state before', async () => {
    expect(await lackingOf({ isExchanged: true })).toEqual([]);
    const skipped = { text: '', finish: 'skipped', tokens: 0 };
    const ends = (said: Alternative[], k: number) => [
      ...said.filter((one) => one.k < k),
      { ...said[0], ...skipped, k, seq: 2 + k },
    ];
    const upTo = (k: number) => (one: BranchFrame) => one.k < k;
    expect(await lackingOf({ isExchanged: true, lines: (said) => ends(said, 4), frames: upTo(4) })).toEqual(
      [],
    );
    expect(await lackingOf({ isExchanged: true, lines: (said) => ends(said, 2), frames: upTo(2) })).toEqual([
      'turn 0 of e1: 1 of its 4 alternatives are in branches.jsonl',
    ]);
    expect(await lackingOf({ isExchanged: true, frames: ({ state }) => state !== 'before' })).toEqual([
      'turn 0 of e1: the state before of version 0 is not recorded',
    ]);
    expect(
      await lackingOf({ isExchanged: true, frames: ({ state, k }) => state !== 'delta' || k !== 4 }),
    ).toEqual(['turn 0 of e1: the state delta of version 4 is not recorded']);
  });

  it('names a turn whose alternatives are not all there', async () => {
    expect(await lackingOf({ lines: ([first]) => (first ? [first] : []) })).toContain(
      'turn 0 of e1: 1 of its 2 alternatives are in branches.jsonl',
    );
    expect(await lackingOf({ lines: () => [] })).toContain(
      'turn 0 of e1: 0 of its 2 alternatives are in branches.jsonl',
    );
    expect(await lackingOf({ lines: (said) => [...said, { no: 'alternative' }] })).toEqual([
      'branches.jsonl: line 3 is no alternative',
    ]);
  });

  it.each<[string, Partial<Alternative & { seq: number }>, RegExp]>([
    [
      'of an agent that did not have the turn',
      { agent: 'ben' },
      /alternative 2 of turn 0 of e1: agent "ben" did not/,
    ],
    [
      'with a number that the study does not have',
      { k: 3 },
      /alternative 3 of turn 0 of e1: .*no alternative 3/,
    ],
    ['that stands there twice', { k: 1 }, /alternative 1 of turn 0 of e1: alternative 1 was said before/],
    ['that came behind its utterance', { seq: 11 }, /alternative 2 of turn 0 of e1: turn 0 is not at hand/],
    ['of a turn that does not branch', { turn: 1, seq: 10.5 }, /alternative 2 of turn 1 of e1: /],
  ])('names an alternative %s', async (_, change, sentence) => {
    const lines = ([first, second]: Alternative[]): object[] => [{ ...first }, { ...second, ...change }];
    const seq = change.seq === 10.5 ? { seq: 10 } : {};
    const lacking = await lackingOf({
      lines: (said) => lines(said).map((line, at) => (at ? { ...line, ...seq } : line)),
    });
    expect(lacking.join('\n')).toMatch(sentence);
  });

  it('holds words against the states that are said to be theirs', async () => {
    const lines = ([first, second]: Alternative[]): object[] => [
      { ...first, text: 'something else' },
      { ...second },
    ];
    expect(await lackingOf({ lines })).toEqual(['turn 0 of e1: the states of version 1 are of other words']);
  });

  it('names each state of the speaker and of a listener that is not recorded', async () => {
    expect(await lackingOf({ frames: ({ state, k }) => !(state === 'mean' && k === 2) })).toEqual([
      'turn 0 of e1: the state mean of version 2 is not recorded',
    ]);
    expect(await lackingOf({ frames: ({ state, k }) => !(state === 'reply' && k > 0) })).toEqual([
      'turn 0 of e1: the reply states of ben to 2 of its 3 versions are not recorded',
    ]);
  });

  it('takes the word of who could not branch, the speaker’s as that of a listener', async () => {
    const skipped = {
      episode: 'e1',
      turn: 0,
      agent: 'ada',
      k: 1,
      text: '',
      finish: 'skipped',
      tokens: 0,
      seq: 3,
    };
    const report = await verified({ lines: () => [skipped], frames: () => false });
    expect(report).toMatchObject({ complete: true, branches: { turns: 0, skipped: 1 } });
    expect(verifyText(report)).toContain('branches: 0 turns, 0 alternatives, 1 turn skipped near the end');
    const listener = await verified({
      frames: (made, stream) => (stream === 'ada' ? true : made.k === 0 && { ...made, state: 'skipped' }),
    });
    expect(listener).toMatchObject({ complete: true, lacking: [] });
  });

  it('wants every version with a moved state, what moved it, and every reply to it', async () => {
    const report = await verified({ isPatched: true });
    expect(report).toMatchObject({
      lacking: [],
      branches: { turns: 1, alternatives: 2, patched: 2, unpatched: 0 },
    });
    expect(verifyText(report)).toContain('branches: 1 turn, 2 alternatives, 2 versions with a moved state\n');
    const lines = (said: Alternative[]): object[] => said.slice(0, 3);
    expect(await lackingOf({ isPatched: true, lines })).toContain(
      'turn 0 of e1: 3 of its 4 alternatives are in branches.jsonl',
    );
    for (const state of ['coefficients', 'delta'])
      expect(
        await lackingOf({ isPatched: true, frames: (sent) => !(sent.state === state && sent.k === 4) }),
      ).toEqual([`turn 0 of e1: the state ${state} of version 4 is not recorded`]);
    expect(
      await lackingOf({ isPatched: true, frames: ({ state, k }) => !(state === 'reply' && k === 3) }),
    ).toEqual(['turn 0 of e1: the reply states of ben to 1 of its 5 versions are not recorded']);
    const others = (said: Alternative[]): object[] =>
      said.map((one) => (one.k === 3 ? { ...one, text: 'no' } : one));
    expect(await lackingOf({ isPatched: true, lines: others })).toEqual([
      'turn 0 of e1: the states of version 3 are of other words',
    ]);
  });

  it('takes the word of a speaker that had kept too few states to move one', async () => {
    const lines = (said: Alternative[]): object[] =>
      said.slice(0, 3).map((one) => (one.k === 3 ? { ...one, text: '', finish: 'skipped' } : one));
    const report = await verified({ isPatched: true, lines, frames: ({ k }) => k < 3 });
    expect(report).toMatchObject({
      lacking: [],
      branches: { turns: 1, alternatives: 2, patched: 0, unpatched: 1 },
    });
    expect(verifyText(report)).toContain(', 1 turn without, of agents that had kept too few states\n');
    const early = (said: Alternative[]): object[] =>
      said.slice(0, 2).map((one) => (one.k === 2 ? { ...one, text: '', finish: 'skipped' } : one));
    expect(await lackingOf({ isPatched: true, lines: early, frames: ({ k }) => k < 2 })).toContain(
      'turn 0 of e1: 1 of its 4 alternatives are in branches.jsonl',
    );
  });

  it('names states of branches where the plan has none', async () => {
    const lacking = await lackingOf({ plan: { branches: null }, lines: () => [] });
    expect(lacking).toEqual(['turn 0 of e1 has states of branches, and is no spoken turn that branches']);
  });
});
