/** Counterfactual branches as lines of text. */
import { expect, it } from 'vitest';
import { branchNotes, branchTable } from '../../../../src/cli/terminal/branch-table.ts';
import type { BranchReport } from '../../../../src/protocol/branch-report.ts';
import type { GroupReport, ScoreReport } from '../../../../src/protocol/report.ts';

const WHOLE: BranchReport = {
  histories: 60,
  branches: 240,
  influence: { value: 0.4412, ciLow: 0.38, ciHigh: 0.5, perLayer: [] },
  matched: {
    score: 0.61,
    ciLow: 0.55,
    ciHigh: 0.67,
    pValue: 0.005,
    permutations: 199,
    perLayer: [],
    words: 0.5,
    bystander: 0.58,
    both: 0.64,
    adds: { value: 0.06, ciLow: 0.02, ciHigh: 0.1, beyond: 'bystander' },
  },
  sequential: { histories: 56, logE: 30, pValue: 1e-13 },
};

const groupOf = (condition: string, branches: BranchReport | null): GroupReport =>
  ({ condition, agents: 2, sourceRole: 1, targetRole: 2, distance: 1, branches }) as GroupReport;
const reportOf = (...groups: GroupReport[]): ScoreReport => ({ groups }) as ScoreReport;

const NONE: BranchReport = {
  ...WHOLE,
  influence: { value: 0, ciLow: 0, ciHigh: 0, perLayer: [] },
  matched: null,
  sequential: null,
  reason: 'the states of the listener do not move with the alternatives',
};

it('has a row for each group whose turns have branched, and none without', () => {
  expect(branchTable(reportOf(groupOf('live', null)))).toEqual([]);
  const lines = branchTable(reportOf(groupOf('live', WHOLE), groupOf('monologue', NONE)));
  const cells = lines.map((line) => line.trim().split(/ {2,}/));
  expect(cells[0]).toEqual(
    'branches|direction|turns|influence|95 % interval|matched|95 % interval|p|words|bystander|both|p at any time'.split(
      '|',
    ),
  );
  expect(cells[1]).toEqual(
    'live|1st → 2nd|60|0.441|0.380 … 0.500|0.610|0.550 … 0.670|0.005|0.500|0.580|0.640|<0.001'.split('|'),
  );
  expect(cells[2]).toEqual('monologue|1st → 2nd|60|0.000|0.000 … 0.000|–|–|–|–|–|–|–'.split('|'));
});

it('says what each figure allows to say, and why there is none', () => {
  expect(branchNotes(reportOf(groupOf('live', null)))).toEqual([]);
  const notes = branchNotes(reportOf(groupOf('live', WHOLE), groupOf('monologue', NONE)));
  expect(notes[0]).toContain('the source acts on the target');
  expect(notes[1]).toContain('the target moves in line with it');
  expect(notes[2]).toBe(
    'branches of monologue 1st → 2nd: the states of the listener do not move with the alternatives',
  );
});
