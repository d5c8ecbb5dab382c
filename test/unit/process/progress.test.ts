/**
 * Progress of long work: on a terminal one line that is overwritten, elsewhere lines on request; never on
 * standard output.
 */
import { expect, it } from 'vitest';
import { createProgress } from '../../../src/process/progress.ts';

function world(isTTY: boolean, asked: boolean) {
  const written: string[] = [];
  let atMs = 0;
  const out = { isTTY, columns: 20, write: (text: string) => written.push(text) > 0 };
  const progress = createProgress({ out, asked, clock: { monotonicMs: () => atMs } });
  return { written, progress, later: (ms: number) => (atMs += ms) };
}

it('on a terminal overwrites one line, at most as wide as the terminal and not too often, and removes it at the end', () => {
  const { written, progress, later } = world(true, false);
  progress.say('reading');
  progress.say('score 1 of 12');
  progress.say('score 2 of 12');
  later(100);
  progress.say('score 10 of 12');
  progress.say('group 1 of 2, live, first to second');
  progress.end();
  const shown = ['reading', 'score 1 of 12', 'score 10 of 12', 'group 1 of 2, live,', ''];
  expect(written).toEqual(shown.map((text) => `\r\u001b[K${text}`));
});

it('writes nothing elsewhere unless it is asked to; then lines, at most one count a second', () => {
  const silent = world(false, false);
  silent.progress.say('reading');
  silent.progress.end();
  expect(silent.written).toEqual([]);
  const asked = world(false, true);
  asked.progress.say('score 1 of 9');
  asked.later(999);
  asked.progress.say('score 2 of 9');
  asked.later(1);
  asked.progress.say('score 3 of 9');
  asked.progress.end();
  expect(asked.written).toEqual(['score 1 of 9\n', 'score 3 of 9\n']);
});
