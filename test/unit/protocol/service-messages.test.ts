/** What the service takes as a submission, whoever sends it. */
import { expect, it } from 'vitest';
import { submitSchema } from '../../../src/protocol/service-messages.ts';

const scenarios = [{ id: 'x', text: '', people: [{}, {}] }];
const study = { name: 's', pairs: [['a', 'b']], scenarios };

it.each([
  ['agents', true],
  ['agent', false],
  ['service', false],
  ['../x', false],
  ['a.b', false],
])('takes a run of the name %s: %s', (run, isTaken) => {
  expect(submitSchema.safeParse({ run, study }).success).toBe(isTaken);
});

it('takes no priority beyond its range', () => {
  for (const priority of [-100, 0, 100])
    expect(submitSchema.safeParse({ run: 'r', study, priority }).success).toBe(true);
  for (const priority of [-101, 101, 0.5])
    expect(submitSchema.safeParse({ run: 'r', study, priority }).success).toBe(false);
});

it('takes no study of more episodes than whoever leads it could plan', () => {
  const taken = (episodes: number) =>
    submitSchema.safeParse({ run: 'r', study: { ...study, conditions: ['live', 'monologue'], episodes } })
      .success;
  expect([50_000, 50_001, 1e9].map(taken)).toEqual([true, false, false]);
});
