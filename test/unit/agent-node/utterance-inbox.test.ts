import { describe, expect, it } from 'vitest';
import type { Utterance } from '../../../src/protocol/nats-messages.ts';
import { createUtteranceInbox } from '../../../src/agent-node/utterance-inbox.ts';

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

describe('createUtteranceInbox', () => {
  it('gives an utterance that came before it was asked for, and one that comes after', async () => {
    const inbox = createUtteranceInbox();
    inbox.put(says('e', 1));
    await expect(inbox.take({ episode: 'e', turn: 1 }, never)).resolves.toMatchObject({ text: 'e/1' });
    const later = inbox.take({ episode: 'e', turn: 3 }, never);
    inbox.put(says('f', 3));
    inbox.put(says('e', 3));
    await expect(later).resolves.toMatchObject({ text: 'e/3' });
    await expect(inbox.take({ episode: 'f', turn: 3 }, never)).resolves.toMatchObject({ text: 'f/3' });
  });

  it('rejects when the run is stopped while waiting', async () => {
    const stop = new AbortController();
    const waiting = createUtteranceInbox().take({ episode: 'e', turn: 0 }, stop.signal);
    stop.abort();
    await expect(waiting).rejects.toThrow('stopped');
  });

  it('drops the oldest utterances that no episode asks for', async () => {
    const inbox = createUtteranceInbox();
    for (let turn = 0; turn < 5000; turn += 1) inbox.put(says('other', turn));
    await expect(inbox.take({ episode: 'other', turn: 4999 }, never)).resolves.toBeDefined();
    const stop = new AbortController();
    const forgotten = inbox.take({ episode: 'other', turn: 0 }, stop.signal);
    stop.abort();
    await expect(forgotten).rejects.toThrow();
  });
});
