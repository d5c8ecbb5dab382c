/** Counterfactual branches as lines of text. */
import { expect, it } from 'vitest';
import { branchNotes, branchTable, patchTable } from '../../../../src/cli/terminal/branch-table.ts';
import type { BranchReport } from '../../../../src/protocol/reports/branch-report.ts';
import type { GroupReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';

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

it('has a row for each layer and size at which a state was moved, and says why one has no figure', () => {
  const patch = { kind: 'perturbation', layer: 4, histories: 40, branches: 160, distinct: 2.84 };
  const branches: BranchReport = {
    ...WHOLE,
    patches: [
      {
        ...patch,
        size: 0.5,
        influence: { value: 0.312, ciLow: 0.2, ciHigh: 0.4, perLayer: [] },
        follows: {
          score: 0.021,
          ciLow: -0.01,
          ciHigh: 0.05,
          pValue: 0.005,
          permutations: 199,
          targetLayer: 3,
        },
      },
      { ...patch, size: 2, influence: null, follows: null, reason: 'too few scenarios' },
    ],
  };
  expect(patchTable(reportOf(groupOf('live', WHOLE)))).toEqual([]);
  const [header, ...rows] = patchTable(reportOf(groupOf('live', branches)));
  expect(header).toMatch(/^patching +direction +layer +size +turns +utterances +influence/);
  expect(rows.map((row) => row.trim().split(/ {2,}/))).toEqual([
    [
      'live',
      '1st → 2nd',
      '4',
      '0.5 SD',
      '40',
      '2.8 of 4',
      '0.312',
      '0.200 … 0.400',
      '0.021',
      '-0.010 … 0.050',
      '0.005',
    ],
    ['live', '1st → 2nd', '4', '2 SD', '40', '2.8 of 4', '–', '–', '–', '–', '–'],
  ]);
  const notes = branchNotes(reportOf(groupOf('live', branches)));
  expect(notes).toContain('patching of live 1st → 2nd, layer 4 (2 SD): too few scenarios');
  expect(notes.some((note) => note.startsWith('patching: the source’s state'))).toBe(true);
});
