import { describe, expect, it } from 'vitest';
import { createPreview } from '../../../src/agent-node/preview.ts';

const token = (step: number, text: string, turn = 0) => ({
  episode: 'e',
  turn,
  agent: 'a',
  step,
  text,
  byte0: 0,
  byte1: 0,
});

describe('createPreview', () => {
  it('calls onText with the newest text, never twice at once', async () => {
    const preview = createPreview();
    const heard: string[] = [];
    let release: () => void = () => undefined;
    const following = preview.follow({ episode: 'e', turn: 0 }, (text) => {
      heard.push(text);
      return new Promise((resolve) => (release = resolve));
    });
    preview.put(token(0, 'a'));
    preview.put(token(1, 'b'));
    preview.put(token(2, 'c'));
    expect(heard).toEqual(['a']);
    release();
    await Promise.resolve();
    await Promise.resolve();
    expect(heard).toEqual(['a', 'abc']);
    release();
    await following.stop();
  });

  it('stops after a hole, and ignores other turns and tokens after the stop', async () => {
    const preview = createPreview();
    const heard: string[] = [];
    const following = preview.follow({ episode: 'e', turn: 0 }, async (text) => void heard.push(text));
    preview.put(token(0, 'x', 1));
    preview.put(token(0, 'a'));
    preview.put(token(2, 'c'));
    await following.stop();
    preview.put(token(1, 'b'));
    expect(heard).toEqual(['a']);
  });

  it('follows no more text than an utterance can have', async () => {
    const preview = createPreview();
    let heard = 0;
    const following = preview.follow({ episode: 'e', turn: 0 }, async ({ length }) => void (heard = length));
    for (let step = 0; step < 8; step += 1) preview.put(token(step, 'x'.repeat(300_000)));
    await new Promise((done) => setImmediate(done));
    await following.stop();
    expect(heard).toBeGreaterThan(300_000);
    expect(heard).toBeLessThanOrEqual(2 ** 20);
  });
});
