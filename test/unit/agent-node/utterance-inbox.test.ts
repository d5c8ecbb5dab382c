import { describe, expect, it } from 'vitest';
import type { Utterance } from '../../../src/protocol/control.ts';
import { createUtteranceBox } from '../../../src/agent-node/utterance-inbox.ts';

const says = (episode: string, turn: number): Utterance => ({
  episode,
  turn,
  agent: 'a',
  text: `${episode}/${turn}`,
  finish: 'stop',
  tokens: 1,
  droppedTurns: 0,
  stream: 'a',
  epoch: 1,
  lastSeq: 0,
});
const never = new AbortController().signal;

describe('utterance box', () => {
  it('gives an utterance that came before it was asked for, and one that comes after', async () => {
    const box = createUtteranceBox();
    box.put(says('e', 1));
    await expect(box.take({ episode: 'e', turn: 1 }, never)).resolves.toMatchObject({ text: 'e/1' });
    const later = box.take({ episode: 'e', turn: 3 }, never);
    box.put(says('f', 3));
    box.put(says('e', 3));
    await expect(later).resolves.toMatchObject({ text: 'e/3' });
    await expect(box.take({ episode: 'f', turn: 3 }, never)).resolves.toMatchObject({ text: 'f/3' });
  });

  it('rejects when the run is stopped while waiting', async () => {
    const stop = new AbortController();
    const waiting = createUtteranceBox().take({ episode: 'e', turn: 0 }, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow('stopped');
  });

  it('forgets the oldest of what nobody asks for', async () => {
    const box = createUtteranceBox();
    for (let turn = 0; turn < 5000; turn += 1) box.put(says('other', turn));
    await expect(box.take({ episode: 'other', turn: 4999 }, never)).resolves.toBeDefined();
    const stop = new AbortController();
    const forgotten = box.take({ episode: 'other', turn: 0 }, stop.signal);
    stop.abort();
    await expect(forgotten).rejects.toThrow();
  });
});
