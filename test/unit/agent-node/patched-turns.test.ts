/**
 * Turns at which the speaker's state is moved, between agents in one process: what is said, heard and sent. The run's
 * stream is reduced by the real code; the model is a real small one.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeptStates, type KeptStates } from '../../../src/agent-node/kept-states.ts';
import { createPerturb } from '../../../src/agent-node/patches.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { BranchFrame } from '../../../src/protocol/stream/frames.ts';
import { textFeatures } from '../../../src/protocol/text-features.ts';
import type { Frame } from '../../../src/transport/stream/sender/sender.ts';
import {
  branchesOf,
  playTalk,
  SEED,
  utterancesOf,
  type Cast,
  type Played,
} from '../../fixtures/model/play-talk.ts';
import { openChatModel } from '../../fixtures/onnx/chat-model.ts';

describe('an episode of whose turns some move a state', () => {
  let parts: OpenModel;
  const play = (cast: Cast = {}): Promise<Played> => playTalk(parts, cast);
  const patch = { kind: 'perturbation' as const, layers: [2], sizes: [0.0001, 4] };
  const patched = { share: 1, alternatives: 2, patch };
  let kept: Map<string, KeptStates>;
  beforeAll(async () => {
    parts = await openChatModel({ tokens: 'bytes', template: 'own' });
    const folder = await mkdtemp(join(tmpdir(), 'entrain-kept-'));
    kept = new Map(['ada', 'ben'].map((agent) => [agent, createKeptStates(join(folder, agent))]));
    await play({ kept, keepLayers: [2, 3], maxTurns: 20 });
  });
  afterAll(() => parts.release());
  const repliesOf = (played: Played, turn: number): BranchFrame[] =>
    branchesOf(played, turn % 2 ? 'ada' : 'ben').filter((f) => f.turn === turn && f.state === 'reply');

  it('keeps the states of its own turns that its frames hold, and no other agent’s', async () => {
    const played = await play({ kept: new Map(kept), keepLayers: [2], maxTurns: 4 });
    for (const [agent, role] of [
      ['ada', 0],
      ['ben', 1],
    ] as const) {
      const states = (await kept.get(agent)?.of({ condition: 'live', layer: 2 })) ?? [];
      expect(states).toHaveLength(10);
      const turns = (played.frames.get(agent) ?? []).flatMap((frame) =>
        frame.type === 'turn' ? [frame] : [],
      );
      expect(turns.map(({ turn }) => turn)).toEqual([role, role + 2]);
      for (const [i, { data, layers }] of turns.entries()) {
        const dims = states[i]?.length ?? 0;
        const row = layers.indexOf(2);
        expect(data.subarray(row * dims * 4, (row + 1) * dims * 4)).toEqual(
          new Uint8Array(states[i]?.buffer ?? new ArrayBuffer()),
        );
      }
    }
  });

  it('says word for word what the same episode without branches says, with the same turn frames', async () => {
    const [plain, moved] = [await play(), await play({ branches: patched, kept })];
    expect(utterancesOf(moved).map(({ text }) => text)).toEqual(utterancesOf(plain).map(({ text }) => text));
    for (const agent of ['ada', 'ben']) {
      const turns = (played: Played): Frame[] =>
        (played.frames.get(agent) ?? []).filter(({ type }) => type === 'turn');
      expect(turns(moved)).toEqual(turns(plain));
    }
  });

  it('says what was said if the state is hardly moved, and other words if it is moved far', async () => {
    const played = await play({ branches: patched, kept });
    let changed = 0;
    for (const turn of [0, 1, 2, 3]) {
      const versions = played.stored.filter((one) => one.turn === turn);
      const said = versions.at(-1)?.text;
      const words = versions.flatMap((one) => ('k' in one ? [one] : []));
      expect(words.map(({ k, kind, layer, size }) => `${k} ${kind} ${layer} ${size}`)).toEqual([
        '1 undefined undefined undefined',
        '2 undefined undefined undefined',
        '3 perturbation 2 0.0001',
        '4 perturbation 2 0.0001',
        '5 perturbation 2 4',
        '6 perturbation 2 4',
      ]);
      expect([words[2]?.text, words[3]?.text]).toEqual([said, said]);
      changed += [words[4]?.text, words[5]?.text].filter((text) => text !== said).length;
      const replies = repliesOf(played, turn);
      expect(replies.map(({ k, kind, layer, size }) => `${k} ${kind} ${layer} ${size}`)).toEqual([
        '0 alternative undefined undefined',
        '1 alternative undefined undefined',
        '2 alternative undefined undefined',
        '3 perturbation 2 0.0001',
        '4 perturbation 2 0.0001',
        '5 perturbation 2 4',
        '6 perturbation 2 4',
      ]);
      expect(replies[3]?.data).toEqual(replies[0]?.data);
      for (const [k, { text }] of words.entries())
        if (text !== said) expect(replies[k + 1]?.data).not.toEqual(replies[0]?.data);
    }
    expect(changed).toBeGreaterThan(4);
  });

  it('samples the first word from the moved state: behind the last layer nothing else depends on it', async () => {
    const last = { ...patched, patch: { ...patch, layers: [3], sizes: [8] } };
    const { stored } = await play({ branches: last, kept });
    const changed = [0, 1, 2, 3].flatMap((turn) => {
      const versions = stored.filter((one) => one.turn === turn);
      return versions.slice(2, -1).filter(({ text }) => text !== versions.at(-1)?.text);
    });
    expect(changed.length).toBeGreaterThan(2);
  });

  it('sends what moved the state, as drawn and as added, with the features of what was then said', async () => {
    const played = await play({ branches: patched, kept });
    const own = branchesOf(played, 'ada').filter(
      ({ turn, kind, state }) => turn === 0 && kind !== 'alternative' && state !== 'reply',
    );
    expect(own.map(({ k, state, layer, size }) => `${k} ${state} ${layer} ${size}`)).toEqual(
      [3, 4, 5, 6].flatMap((k) => [
        `${k} coefficients 2 ${k < 5 ? 0.0001 : 4}`,
        `${k} delta 2 ${k < 5 ? 0.0001 : 4}`,
      ]),
    );
    const perturbations = await createPerturb(kept.get('ada') as KeptStates)(
      { seed: SEED, condition: 'live', branches: patched },
      0,
    );
    for (const frame of own) {
      const by = perturbations?.find(({ k }) => k === frame.k);
      const drawn = [...(by?.coefficients ?? []), ...Array.from({ length: 40 }, () => 0)];
      const expected = frame.state === 'delta' ? by?.delta : Float32Array.from(drawn);
      expect(frame.data).toEqual(new Uint8Array(expected?.buffer ?? new ArrayBuffer()));
      const said = played.stored.find((one) => one.turn === 0 && 'k' in one && one.k === frame.k);
      if (frame.state === 'coefficients')
        expect(frame.text).toEqual(new Uint8Array(textFeatures(said?.text ?? '').buffer));
    }
  });

  it('does not change the states of a listener that hears nothing by a byte', async () => {
    const played = await play({ branches: patched, kept, hears: 'none' });
    for (const turn of [0, 1, 2, 3]) {
      const replies = repliesOf(played, turn);
      expect(replies).toHaveLength(7);
      for (const { data } of replies) expect(data).toEqual(replies[0]?.data);
    }
  });

  it('puts the states of the same turn in other episodes in place, of those that have it', async () => {
    const own = new Map<string, KeptStates>();
    const other = await mkdtemp(join(tmpdir(), 'entrain-kept-'));
    for (const agent of ['ada', 'ben']) own.set(agent, createKeptStates(join(other, agent)));
    const statesAt = async (agent: string, turn: number): Promise<Float32Array> =>
      (await kept.get(agent)?.at({ condition: 'live', episode: 'one', turn, layer: 2 })) as Float32Array;
    // Its own state again, that of a later turn, and of one episode only that of turns 0 and 1.
    for (const turn of [0, 1, 2, 3]) {
      const agent = turn % 2 ? 'ben' : 'ada';
      const later = await statesAt(agent, turn + 10);
      const keep = (episode: string, state: Float32Array) =>
        own.get(agent)?.keep({ condition: 'live', episode, turn, layer: 2 }, state);
      await keep('self', await statesAt(agent, turn));
      await keep('later', later);
      if (turn < 2)
        await keep(
          'short',
          later.map((value) => 3 * value),
        );
    }
    const exchange = { kind: 'interchange' as const, layers: [2], donors: ['self', 'short', 'later'] };
    const branches = { share: 1, alternatives: 1, patch: exchange };
    const [plain, played] = [await play(), await play({ branches, kept: own })];
    expect(utterancesOf(played).map(({ text }) => text)).toEqual(utterancesOf(plain).map(({ text }) => text));
    for (const turn of [0, 1, 2, 3]) {
      const agent = turn % 2 ? 'ben' : 'ada';
      const donors = turn < 2 ? ['self', 'short', 'later'] : ['self', 'later'];
      const versions = played.stored.flatMap((one) => (one.turn === turn && 'k' in one ? [one] : []));
      expect(
        versions.map(({ k, kind, layer, donor, finish }) => [k, kind, layer, donor, finish === 'skipped']),
      ).toEqual([
        [1, undefined, undefined, undefined, false],
        ...donors.map((donor, i) => [i + 2, 'interchange', 2, donor, false]),
        ...(turn < 2 ? [] : [[4, undefined, undefined, undefined, true]]),
      ]);
      const frames = branchesOf(played, agent).filter((frame) => frame.turn === turn);
      const floats = ({ data }: BranchFrame): Float32Array => new Float32Array(data.slice().buffer);
      const before = await statesAt(agent, turn);
      expect(frames.filter(({ state }) => state === 'before').map(floats)).toEqual([before]);
      const deltas = frames.filter(({ state }) => state === 'delta');
      expect(deltas.map(({ k, donor }) => `${k} ${donor}`)).toEqual(
        donors.map((donor, i) => `${i + 2} ${donor}`),
      );
      for (const delta of deltas) {
        const at = { condition: 'live', episode: delta.donor ?? '', turn, layer: 2 };
        const given = (await own.get(agent)?.at(at)) as Float32Array;
        expect(floats(delta)).toEqual(given.map((value, d) => value - (before[d] as number)));
      }
      // In place of itself a state changes nothing, and the listener hears what was said.
      const said = utterancesOf(played)[turn]?.text;
      expect(versions.find(({ donor }) => donor === 'self')?.text).toBe(said);
      const replies = repliesOf(played, turn);
      expect(replies.map(({ k, kind, donor }) => `${k} ${kind} ${donor}`)).toEqual([
        '0 alternative undefined',
        '1 alternative undefined',
        ...donors.map((donor, i) => `${i + 2} interchange ${donor}`),
      ]);
      expect(replies[2]?.data).toEqual(replies[0]?.data);
    }
    const others = played.stored.filter((one) => 'k' in one && ['short', 'later'].includes(one.donor ?? ''));
    const changed = others.filter((one) => one.text !== utterancesOf(played)[one.turn]?.text);
    expect(changed.length).toBeGreaterThan(2);
  });

  it('says that it skips them if it has kept too few states, and the listener replies to the other words', async () => {
    const played = await play({ branches: patched });
    const first = played.stored.flatMap((one) =>
      one.turn === 0 && 'k' in one ? [`${one.k} ${one.finish}`] : [],
    );
    expect(first.at(-1)).toBe('3 skipped');
    expect(first).toHaveLength(3);
    expect(repliesOf(played, 0).map(({ k }) => k)).toEqual([0, 1, 2]);
  });
});
