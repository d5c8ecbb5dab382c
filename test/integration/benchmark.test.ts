/** `entrain benchmark` as a user calls it, with a small protocol: a card, the same digits twice, a run used again. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Card } from '../../src/benchmark/card.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

const MODEL = 'models/entrain-dialogue-300k';

let folder: string;
let study: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-benchmark-'));
  study = join(folder, 'small.json');
  const small = {
    name: 'small-1',
    models: { partner: MODEL },
    pairs: [['own', 'partner']],
    scenarios: [{ set: 'bargaining', count: 1 }],
    maxTurns: 4,
    minTurns: 4,
    maxTokens: 6,
  };
  await writeFile(study, JSON.stringify(small));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns the card and what was printed */
async function benchmark(runs: string): Promise<{ card: Card; said: string }> {
  const out = join(folder, `${runs}-cards`);
  const places = ['--study', study, '--runs', join(folder, runs), '--out', out, '--table'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['bin/entrain.js', 'benchmark', MODEL, ...places],
    { env: { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer() } },
  );
  const file = join(out, 'entrain-dialogue-300k.small-1');
  expect(await readFile(`${file}.html`, 'utf8')).toContain('entrain-dialogue-300k');
  return { card: JSON.parse(await readFile(`${file}.json`, 'utf8')) as Card, said: stdout };
}

describe('entrain benchmark', { timeout: 240_000 }, () => {
  it('writes a card with the same figures for each of two runs, and uses a run that is there again', async () => {
    const { card, said } = await benchmark('first');
    expect(card.model.name).toBe('entrain-dialogue-300k');
    expect(card.talk).toMatchObject([{ condition: 'live', turns: 2 }]);
    expect(card.outcomes).toMatchObject([
      { outcome: 'rule share', of: 'live' },
      { outcome: 'rule success', of: 'live' },
    ]);
    expect(said).toMatch(/^model +speaker: excess/m);
    const again = await benchmark('second');
    expect({ ...again.card, cost: undefined }).toEqual({ ...card, cost: undefined });
    // A run that was played again would have another time.
    const { startedAtMs } = JSON.parse(
      await readFile(join(folder, 'first', 'small-1-entrain-dialogue-300k', 'run.json'), 'utf8'),
    ) as { startedAtMs: number };
    await benchmark('first');
    const facts = JSON.parse(
      await readFile(join(folder, 'first', 'small-1-entrain-dialogue-300k', 'run.json'), 'utf8'),
    ) as { startedAtMs: number };
    expect(facts.startedAtMs).toBe(startedAtMs);
  });
});
