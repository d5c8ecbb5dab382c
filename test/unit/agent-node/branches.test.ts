/**
 * Turns that branch, between agents in one process: what is said and sent, and in which order. The run's stream is
 * reduced by the real code; the model is a real small one.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import { isBranched } from '../../../src/protocol/branches.ts';
import type { Alternative } from '../../../src/protocol/nats-messages.ts';
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

const namesOf = (frames: readonly BranchFrame[]): string[] =>
  frames.map(({ turn, state, k }) => `${turn} ${state} ${k}`);

describe('an episode with branches', () => {
  let parts: OpenModel;
  beforeAll(async () => void (parts = await openChatModel({ tokens: 'bytes', template: 'own' })));
  afterAll(() => parts.release());

  const play = (cast: Cast = {}): Promise<Played> => playTalk(parts, cast);
  const always = { share: 1, alternatives: 2 };

  it('says word for word what the same episode without branches says, with the same turn frames', async () => {
    const [plain, branching] = [await play(), await play({ branches: always })];
    expect(utterancesOf(branching).map(({ text }) => text)).toEqual(
      utterancesOf(plain).map(({ text }) => text),
    );
    for (const agent of ['ada', 'ben']) {
      const turns = (played: Played): Frame[] =>
        (played.frames.get(agent) ?? []).filter(({ type }) => type === 'turn');
      expect(turns(branching)).toEqual(turns(plain));
      expect(branchesOf(plain, agent)).toEqual([]);
    }
  });

  it('stores the alternatives of a turn before its utterance, which names the last of the speaker’s frames', async () => {
    const { stored, frames } = await play({ branches: always });
    expect(stored.map((said) => `${said.turn} ${'k' in said ? said.k : 'said'}`)).toEqual(
      [0, 1, 2, 3].flatMap((turn) => [`${turn} 1`, `${turn} 2`, `${turn} said`]),
    );
    for (const said of stored) {
      if ('k' in said) continue;
      const last = frames.get(said.agent)?.[said.lastSeq - 1];
      expect(last).toMatchObject({ type: 'branch', turn: said.turn, state: 'bystander', k: 2 });
    }
  });

  it('sends three states of the speaker and one of the listener for each version of a turn', async () => {
    const played = await play({ branches: always });
    const speaker = (turn: number): string[] =>
      [0, 1, 2].flatMap((k) => [`${turn} end ${k}`, `${turn} mean ${k}`, `${turn} bystander ${k}`]);
    const listener = (turn: number): string[] => [0, 1, 2].map((k) => `${turn} reply ${k}`);
    expect(namesOf(branchesOf(played, 'ada'))).toEqual(
      [0, 1, 2, 3].flatMap((t) => (t % 2 ? listener(t) : speaker(t))),
    );
    expect(namesOf(branchesOf(played, 'ben'))).toEqual(
      [0, 1, 2, 3].flatMap((t) => (t % 2 ? speaker(t) : listener(t))),
    );
    for (const { turn, state, k, text, seating, kind, shape } of branchesOf(played, 'ada')) {
      expect({ seating, kind, shape }).toEqual({ seating: 0, kind: 'alternative', shape: [1, 3, 48] });
      if (state !== 'end') expect(text).toBeUndefined();
      else {
        const said = played.stored.find((one) => one.turn === turn && ('k' in one ? one.k : 0) === k);
        const features = textFeatures(said?.text ?? '');
        expect(text).toEqual(new Uint8Array(features.buffer));
      }
    }
  });

  it('sends as the reply to what was said the state in which the next speaker then speaks', async () => {
    for (const hears of ['all', { script: ['A bell rings.', 'It rains.'] }] as const) {
      const copy = typeof hears === 'string' ? hears : { script: [...hears.script] };
      const played = await play({ branches: always, hears: copy });
      for (const [turn, next] of [
        [0, 'ben'],
        [1, 'ada'],
        [2, 'ben'],
      ] as const) {
        const reply = branchesOf(played, next).find(
          (f) => f.turn === turn && f.state === 'reply' && f.k === 0,
        );
        const spoken = played.frames.get(next)?.find((f) => f.type === 'turn' && f.turn === turn + 1);
        expect(reply?.data).toEqual(spoken?.type === 'turn' && spoken.data);
      }
    }
  });

  it.each([['none' as const], [{ script: ['A bell rings.', 'It rains.'] }], [{ dose: 0 }]])(
    'does not change the states of a listener by a byte if it hears %j',
    async (hears) => {
      const played = await play({ branches: always, hears });
      const replies = [...branchesOf(played, 'ada'), ...branchesOf(played, 'ben')].filter(
        ({ state }) => state === 'reply',
      );
      expect(replies).toHaveLength(12);
      for (const { turn, data } of replies)
        expect(data).toEqual(replies.find((reply) => reply.turn === turn)?.data);
    },
  );

  it('lets a reader hear the versions of turns that are not of its role', async () => {
    const played = await play({ branches: always, reader: 'rea' });
    expect(new Set(namesOf(branchesOf(played, 'rea')).map((name) => name.slice(0, -2)))).toEqual(
      new Set(['0 reply', '2 reply']),
    );
    expect(branchesOf(played, 'rea').every(({ seating }) => seating === 1000)).toBe(true);
    const of = (agent: string): Uint8Array[] =>
      branchesOf(played, agent).flatMap(({ turn, state, data }) =>
        turn === 0 && state === 'reply' ? [data] : [],
      );
    expect(of('rea')).not.toEqual(of('ben'));
  });

  it('branches the turns of the plan, and all listeners of three reply to all versions', async () => {
    const branches = { share: 0.4, alternatives: 1 };
    const order = ['ada', 'ben', 'cas'];
    const played = await play({ branches, order, maxTurns: 9 });
    const planned = [...Array(9).keys()].filter((turn) => isBranched({ seed: SEED, branches }, turn));
    expect(planned.length).toBeGreaterThan(1);
    expect(planned.length).toBeLessThan(9);
    for (const [role, agent] of order.entries()) {
      const turns = new Set(branchesOf(played, agent).map(({ turn }) => turn));
      expect([...turns]).toEqual(planned);
      const replies = branchesOf(played, agent).filter(({ state }) => state === 'reply');
      expect(new Set(replies.map(({ turn }) => turn))).toEqual(
        new Set(planned.filter((turn) => turn % 3 !== role)),
      );
    }
  });

  it('sends the states that an earlier life did not send again, equal to the first ones', async () => {
    const first = await play({ branches: always });
    const history = utterancesOf(first).slice(0, 3);
    const owed = first.stored.filter((said): said is Alternative => 'k' in said && said.turn === 2);
    const again = await play({ branches: always, history, owed });
    const replies = (played: Played): Uint8Array[] =>
      branchesOf(played, 'ben').flatMap(({ turn, state, data }) =>
        turn === 2 && state === 'reply' ? [data] : [],
      );
    expect(replies(again)).toHaveLength(3);
    expect(replies(again)).toEqual(replies(first));
    expect(utterancesOf(again).map(({ text }) => text)).toEqual([utterancesOf(first)[3]?.text]);
  });
});
