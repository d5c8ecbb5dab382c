import { describe, expect, it } from 'vitest';
import type { GroupReport } from '../../../src/protocol/report.ts';
import { scoreTable } from '../../../src/cli/score-table.ts';

const group: GroupReport = {
  sourceModel: 'm',
  targetModel: 'm',
  direction: 'first_to_second',
  condition: 'live',
  samples: 200,
  episodes: 40,
  scenarios: 8,
  paper: { score: 0.31, nullMean: 0.02, nullQ95: 0.05, pseudoMean: null, samples: 200 },
  strict: {
    score: 0.123,
    excess: 0.13,
    ciLow: 0.05,
    ciHigh: 0.2,
    pValue: 0.005,
    nullMean: -0.01,
    nullQ95: 0.02,
    samples: 200,
  },
  effectSize: 0.15,
  qValue: 0.02,
  beside: { words: null, lag3: null, lag5: null },
  updatedAtMs: 0,
  curve: [],
};

describe('scoreTable', () => {
  it('shows score, interval, p and nulls, and a reason where there is no score', () => {
    const waiting = {
      ...group,
      condition: 'monologue',
      paper: null,
      strict: null,
      reason: '18 of 120 turn pairs',
    };
    const lines = scoreTable({
      run: 'r',
      pending: false,
      framesAccepted: 0,
      framesDurable: 0,
      groups: [waiting, group],
      differences: [],
    });
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(
      /^live .* 1st → 2nd .*200 .*\+0\.123 .*\+0\.020 .*\+0\.130 .*\[\+0\.050, \+0\.200\] .*0\.005 +0\.020 .*0\.310 .*0\.020$/,
    );
    expect(lines[2]).toContain('18 of 120 turn pairs');
  });
});
