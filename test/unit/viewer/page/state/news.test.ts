import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createNews } from '../../../../../src/viewer/page/state/news.ts';
import type { FeedMessage } from '../../../../../src/viewer/view-data.ts';

const token = (text: string): FeedMessage => ({
  type: 'token',
  token: { episode: 'e0001', turn: 0, agent: 'ada', text },
});
const textsOf = (pictures: readonly FeedMessage[][]): string[] =>
  pictures.map((messages) => messages.map((one) => (one.type === 'token' ? one.token.text : '')).join(''));

it('waits for the run to be read, then hands on what came in one picture, at most ten of them a second', async () => {
  const pictures: FeedMessage[][] = [];
  const news = createNews((messages) => pictures.push(messages));
  news.take(token('a'));
  await delay(150);
  expect(pictures).toEqual([]);
  news.release();
  expect(textsOf(pictures)).toEqual(['a']);
  const began = performance.now();
  for (let at = 0; at < 50; at += 1) {
    news.take(token('b'));
    await delay(5);
  }
  await delay(150);
  const elapsed = performance.now() - began;
  expect(textsOf(pictures).join('')).toBe(`a${'b'.repeat(50)}`);
  expect(pictures.length).toBeLessThanOrEqual(1 + Math.ceil(elapsed / 100));
  // Read again after a loss of the feed: what had come and what comes is applied to what is read.
  news.take(token('d'));
  news.hold();
  news.take(token('e'));
  const before = pictures.length;
  await delay(150);
  expect(pictures).toHaveLength(before);
  news.release();
  expect(textsOf(pictures).at(-1)).toBe('de');
  news.take(token('c'));
  news.stop();
  await delay(150);
  expect(textsOf(pictures).at(-1)).not.toContain('c');
});
