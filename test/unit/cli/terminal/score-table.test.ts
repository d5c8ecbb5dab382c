import { describe, expect, it } from 'vitest';
import type { GroupReport, PairReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';
import { differenceTable, distanceTable } from '../../../../src/cli/terminal/contrast-tables.ts';
import { matrixTables, pairTable, scoreTable } from '../../../../src/cli/terminal/score-table.ts';
import { stepTable } from '../../../../src/cli/terminal/step-table.ts';

const group: GroupReport = {
  sourceModel: 'm',
  targetModel: 'm',
  direction: 'first_to_second',
  condition: 'live',
  agents: 2,
  sourceRole: 1,
  targetRole: 2,
  distance: 1,
  samples: 200,
  episodes: 40,
  scenarios: 8,
  exchangeableScenarios: 8,
  paper: { score: 0.31, unclipped: 0.31, nullMean: 0.02, pseudoMean: null, samples: 200 },
  strict: {
    score: 0.123,
    excess: 0.13,
    ciLow: 0.05,
    ciHigh: 0.2,
    pValue: 0.005,
    nullMean: -0.01,
    z: 6.5,
    permutations: 199,
    samples: 200,
  },
  effectSize: 0.15,
  qValue: 0.02,
  verdict: 'counts',
  talk: null,
  branches: null,
  beside: { text: null, words: null, lag3: null, lag5: null },
  steps: null,
  curve: [],
};

const reportOf = (...groups: GroupReport[]): ScoreReport => ({
  run: 'r',
  provisional: false,
  pending: false,
  framesAccepted: 0,
  framesDurable: 0,
  groups,
  differences: [],
  pairs: [],
  pairDifferences: [],
  distances: [],
});

describe('scoreTable', () => {
  it('shows score, interval, p and nulls, and a reason if there is no score', () => {
    const waiting = {
      ...group,
      condition: 'monologue',
      paper: null,
      strict: null,
      reason: '18 of 120 turn pairs',
    };
    const lines = scoreTable(reportOf(waiting, group));
    expect(lines).toHaveLength(4);
    expect(lines[0]).toBe('m, 2 agents');
    expect(lines[2]).toMatch(
      /^live .* 1st → 2nd +200 .*\+0\.123 .*−0\.010 .*\+0\.130 .*\[\+0\.050, \+0\.200\] .*0\.005 +0\.020 +yes .*0\.310 .*0\.020$/,
    );
    expect(lines[3]).toContain('18 of 120 turn pairs');
  });

  it('names models and number of agents in each row if they differ, so that no two rows look the same', () => {
    const back = { ...group, sourceModel: 'n', qValue: 0.3 };
    const wide = scoreTable(reportOf({ ...group, targetModel: 'n' }, back));
    expect(wide.filter((line) => line.startsWith('live'))).toHaveLength(2);
    expect([wide[2], wide[4]]).toEqual(['  m → n, 2 agents', '  n → m, 2 agents']);
    const sizes = scoreTable(reportOf(group, { ...group, agents: 3 }), { width: 79 });
    expect(sizes.filter((line) => line.endsWith('agents'))).toEqual(['  m, 2 agents', '  m, 3 agents']);
    expect(scoreTable(reportOf(group, { ...group, sourceRole: 2, targetRole: 1 }))[0]).toBe('m, 2 agents');
  });

  it('flags a small q whose interval holds 0, and says where it does not count', () => {
    const row = (verdict: GroupReport['verdict']) =>
      scoreTable(reportOf({ ...group, verdict }), { width: 79 })[2];
    expect(row('flagged')).toMatch(/0\.020 +flagged$/);
    expect(row('none')).toMatch(/0\.020 +no$/);
  });

  it('keeps excess, interval, p, q, both nulls and paper in a window of 80 columns', () => {
    const shared = { ...group, condition: 'shared-input' };
    const waiting = { ...group, condition: 'monologue', strict: null, reason: '18 of 120 turn pairs' };
    const lines = scoreTable(reportOf(group, waiting, shared), { width: 79 });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(79);
    expect(lines[2]).toMatch(/^live +1st → 2nd +200 +\+0\.130 +\[\+0\.050, \+0\.200\] +0\.005 +0\.020 +yes$/);
    expect(lines[3]).toBe('  score +0.123, null mean −0.010 · paper 0.310, its null 0.020');
    expect(lines[4]).toContain('18 of 120 turn pairs');
    expect(lines).toHaveLength(7);
  });
});

describe('pairTable', () => {
  const pair: PairReport = {
    modelA: 'm',
    modelB: 'm',
    roleA: 1,
    roleB: 2,
    condition: 'shared-input',
    agents: 2,
    figures: 2,
    samples: 400,
    paper: { score: 0.31, unclipped: 0.31, nullMean: 0.02, pseudoMean: null },
    strict: { score: 0.123, excess: 0.13, nullMean: -0.01, ciLow: 0.05, ciHigh: 0.2 },
  };
  const reason = 'm as speaker 2 → m as speaker 1: 18 of 120 turn pairs';
  const table = (...pairs: PairReport[]): string[] => pairTable({ ...reportOf(), pairs });

  it('shows the mean of both directions in each mode, in 80 columns', () => {
    const lines = table(pair);
    expect(lines[1]).toMatch(
      /^shared-input +1st ↔ 2nd +\+0\.130 +\[\+0\.050, \+0\.200\] +\+0\.123 +0\.310 +0\.020$/,
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(79);
  });

  it('names the models if they differ, and says why there is no figure', () => {
    const lines = table(
      { ...pair, modelB: 'n', strict: null, reason },
      { ...pair, strict: null, paper: null, reason },
    );
    expect(lines[1]).toMatch(/1st ↔ 2nd, m ↔ n +no score +0\.310 +0\.020$/);
    expect(lines[2]).toContain(reason);
    expect(table()).toEqual([]);
  });
});

describe('differenceTable and distanceTable', () => {
  const figures = { difference: 0.12, ciLow: 0.02, ciHigh: 0.22, pValue: 0.0004 };
  const place = { condition: 'live', against: 'reader' };

  it('show each direction and the mean over both, with interval and p', () => {
    const directed = {
      ...place,
      sourceModel: 'm',
      targetModel: 'm',
      direction: 'first_to_second',
      agents: 2,
      sourceRole: 1,
      targetRole: 2,
      distance: 1,
      ...figures,
    } as const;
    const both = { ...place, modelA: 'm', modelB: 'm', roleA: 1, roleB: 2, ...figures, pValue: 0.03 };
    const lines = differenceTable({ ...reportOf(), differences: [directed], pairDifferences: [both] });
    expect(lines[1]).toMatch(/^live − reader +1st → 2nd +\+0\.120 +\[\+0\.020, \+0\.220\] +< 0\.001$/);
    expect(lines[2]).toMatch(/^live − reader +1st ↔ 2nd +.* 0\.030$/);
    expect(differenceTable(reportOf())).toEqual([]);
  });

  it('have a line for each distance', () => {
    const one = {
      condition: 'live',
      agents: 3,
      distance: 2,
      figures: 3,
      excess: 0.1,
      ciLow: 0.05,
      ciHigh: 0.15,
    };
    expect(distanceTable({ ...reportOf(), distances: [one] })[1]).toMatch(
      /^live +3 +\+2 +\+0\.100 +\[.*\] +3$/,
    );
  });
});

describe('stepTable', () => {
  it('shows the excess over the same words behind another history, and says where there is no control', () => {
    const interval = { ciLow: 0.02, ciHigh: 0.2, pValue: 0.0001 };
    const shifted = { nullMean: 0.25, nullQ95: 0.35 };
    const cka = { measure: 'cka', value: 0.41, ...shifted, control: 0.3, excess: 0.11, ...interval };
    const none = { control: null, excess: null, ciLow: null, ciHigh: null, pValue: null };
    const fresh = { measure: 'xcorr', value: -0.2, nullMean: null, nullQ95: null, ...none };
    const few = { dyads: 0, steps: 0, measures: [], reason: 'Too few steps yet.' };
    const steps = { dyads: 3, steps: 300, measures: [cka, { ...fresh, bestLag: 2 }] };
    const lines = stepTable(
      reportOf({ ...group, steps }, { ...group, sourceRole: 2, targetRole: 1, steps: few }, group),
    );
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(
      /^live +1st → 2nd +cka +\+0\.410 +\+0\.350 +\+0\.300 +\+0\.110 +\[\+0\.020, \+0\.200\] +< 0\.001 +3$/,
    );
    expect(lines[2]).toMatch(/^live +1st → 2nd +xcorr +−0\.200 +no control +2 +3$/);
    expect(lines[3]).toMatch(/^live +2nd → 1st +Too few steps yet\.$/);
  });

  it('gives no line if no steps are streamed', () => {
    expect(stepTable(reportOf(group))).toEqual([]);
  });
});

describe('matrixTables', () => {
  const of = (sourceRole: number, targetRole: number, more: Partial<GroupReport> = {}): GroupReport => ({
    ...group,
    agents: 3,
    sourceRole,
    targetRole,
    distance: (targetRole - sourceRole + 3) % 3,
    ...more,
  });

  it('gives a cell for every ordered pair, with its excess, or says that there is no score', () => {
    const lines = matrixTables(
      reportOf(of(1, 2), of(1, 3, { strict: null, samples: 40 }), of(2, 1), of(2, 3), of(3, 1), group),
    );
    expect(lines.slice(1, 3)).toEqual([
      'live, 3 agents: excess,',
      'from the row to the column, which follows by so many turns (+n); ! flagged',
    ]);
    const cells = lines.slice(3).map((line) => line.split(/ {2,}/));
    expect(cells).toEqual([
      ['', '1st', '2nd', '3rd'],
      ['1st', '·', '+0.130 (+1)', 'no score (+2)'],
      ['2nd', '+0.130 (+2)', '·', '+0.130 (+1)'],
      ['3rd', '+0.130 (+1)', 'nothing yet', '·'],
    ]);
  });

  it('fits in 80 columns with four agents, each excess flagged', () => {
    const roles = [1, 2, 3, 4];
    const flagged = { agents: 4, verdict: 'flagged' as const, sourceModel: 'n' };
    const groups = roles.flatMap((source) =>
      roles.flatMap((target) => (source === target ? [] : [of(source, target, flagged)])),
    );
    const lines = matrixTables(reportOf(...groups));
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it('gives each pair of models a matrix of its own', () => {
    const lines = matrixTables(reportOf(of(1, 2), of(1, 2, { sourceModel: 'n' })));
    expect(lines.filter((line) => line.endsWith('excess,'))).toEqual([
      'live, m, 3 agents: excess,',
      'live, n → m, 3 agents: excess,',
    ]);
  });

  it('gives no line if only two agents talk', () => {
    expect(matrixTables(reportOf(group))).toEqual([]);
  });
});
