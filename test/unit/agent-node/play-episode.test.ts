import { describe, expect, it } from 'vitest';
import { hearsTurn } from '../../../src/agent-node/play-episode.ts';
import { systemPrompt } from '../../../src/agent-node/system-prompt.ts';

describe('hearsTurn', () => {
  const share = (dose: number): number =>
    Array.from({ length: 2000 }, (_, seed) => hearsTurn({ hears: { dose }, seed }, 3)).filter(Boolean)
      .length / 2000;

  it('hears all, none, or the share that the dose says, and the same whenever it is asked', () => {
    expect(hearsTurn({ hears: 'all', seed: 1 }, 0)).toBe(true);
    expect(hearsTurn({ hears: 'none', seed: 1 }, 0)).toBe(false);
    expect(share(0)).toBe(0);
    expect(share(1)).toBe(1);
    expect(share(0.3)).toBeCloseTo(0.3, 1);
    expect(share(0.3)).toBe(share(0.3));
  });
});

describe('systemPrompt', () => {
  it('gives a line for what there is, in a fixed order', () => {
    const scenario = { id: 'x', text: 'Two people meet.' };
    expect(systemPrompt({ scenario, person: { persona: 'I bake.', goal: '', secret: ' I am shy. ' } })).toBe(
      'Scenario: Two people meet.\nYou: I bake.\nSecret: I am shy.',
    );
  });
});
