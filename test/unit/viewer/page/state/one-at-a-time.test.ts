import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { oneAtATime } from '../../../../../src/viewer/page/state/one-at-a-time.ts';

it('makes one question of all that are asked while one is under way, and none after the last answer', async () => {
  const answers: (() => void)[] = [];
  const ask = oneAtATime(() => new Promise((resolve) => answers.push(resolve)));
  ask();
  expect(answers).toHaveLength(1);
  for (let at = 0; at < 100; at += 1) ask();
  expect(answers).toHaveLength(1);
  answers[0]?.();
  await turn();
  expect(answers).toHaveLength(2);
  answers[1]?.();
  await turn();
  expect(answers).toHaveLength(2);
  ask();
  expect(answers).toHaveLength(3);
});
