/** What stays on the screen: compact tables without the nulls, and the sentence last. */
import { expect, it } from 'vitest';
import { branchTable } from '../../../../src/cli/terminal/branch-table.ts';
import { barText, leftText } from '../../../../src/cli/terminal/progress-bar.ts';
import { scoreTable } from '../../../../src/cli/terminal/score-table.ts';
import { progressLine } from '../../../../src/cli/terminal/terminal.ts';
import { verdictLines } from '../../../../src/cli/terminal/verdict-lines.ts';
import { namesIn, reportVerdict } from '../../../../src/protocol/reports/report-verdict.ts';
import { emptyView } from '../../../../src/cli/terminal/view-state.ts';
import type { GroupReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';

const strict = {
  score: 0.3,
  excess: 0.25,
  ciLow: 0.2,
  ciHigh: 0.3,
  nullMean: 0.05,
  samples: 144,
  pValue: 0.005,
  z: 9,
  permutations: 199,
};
const branches = (value: number): GroupReport['branches'] => ({
  histories: 40,
  branches: 160,
  influence: { value, ciLow: value && value - 0.1, ciHigh: value && value + 0.1, perLayer: [] },
  matched: null,
  sequential: null,
});
const groupOf = (condition: string, sourceRole: number, value: number): GroupReport =>
  ({
    sourceModel: 'm',
    targetModel: 'm',
    direction: sourceRole === 1 ? 'first_to_second' : 'second_to_first',
    condition,
    agents: 2,
    sourceRole,
    targetRole: 3 - sourceRole,
    distance: 1,
    samples: 144,
    paper: { score: 0.1, unclipped: 0.1, nullMean: 0, pseudoMean: 0, samples: 144 },
    strict,
    qValue: 0.01,
    verdict: 'counts',
    branches: branches(value),
    beside: null,
  }) as unknown as GroupReport;
const report = {
  provisional: false,
  groups: [groupOf('live', 1, 0.47), groupOf('live', 2, 0.41), groupOf('monologue', 1, 0)],
} as ScoreReport;

it('has six columns of a score at 80 columns, and all of them with --verbose alone', () => {
  const lines = scoreTable(report, { width: 79, isVerbose: false });
  expect(lines[1]).toMatch(/^condition +direction +pairs +excess +95 % interval +p +q +counts$/);
  expect(lines).toHaveLength(2 + report.groups.length);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
  expect(scoreTable(report)[1]).toMatch(/null mean .*its null$/);
  const reason = 'Too few for a score: 2 of 6 scenarios, 9 of 18 episodes.';
  const early = { ...report, groups: [{ ...groupOf('live', 1, 0), strict: null, reason }] } as ScoreReport;
  expect(scoreTable(early, { width: 79, isVerbose: false })[2]).toMatch(/144 {2}2 of 6 scenarios, 9 of 18/);
  expect(branchTable(report, false)[0]).not.toContain('bystander');
  expect(branchTable(report)[0]).toContain('bystander');
  expect(branchTable(report, false)[1]).toMatch(/^live +1st → 2nd +40 +0\.470 +\[0\.37, 0\.57\]/);
  expect(Math.max(...branchTable(report, false).map((line) => line.length))).toBeLessThan(80);
});

it('says in one sentence with names what the viewer says, wrapped at words', () => {
  const names = namesIn({ pairs: [['ada', 'ben']] });
  const lines = verdictLines(reportVerdict(report, names), 79);
  expect(lines.join(' ').replaceAll(/ +/g, ' ')).toBe(
    'They act on one another: in this study, at this temperature, what ada says makes 47\u00a0% of the variation of ben’s next state, and what ben says 41\u00a0% of ada’s. In monologue: 0\u00a0%. live: ada → ben 47\u00a0% [37, 57] (40 histories), ben → ada 41\u00a0% [31, 51] (40 histories) The shares are of the variation between alternatives that were tried at single turns, the histories.',
  );
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(80);
  expect(reportVerdict(report).claim).toContain('what the 1st speaker says makes 47');
});

it('says of an open run that it is so far, and of one without figures why', () => {
  expect(reportVerdict({ ...report, provisional: true }).claim).toMatch(/^So far: they act/);
  const waiting = {
    ...groupOf('live', 1, 0),
    strict: null,
    branches: null,
    reason: 'too few: 7 of 20 histories',
  };
  expect(reportVerdict({ ...report, groups: [waiting] }).claim).toBe('Too little yet: 7 of 20 histories');
});

it('says how long the rest takes once a share of the run is done', () => {
  const view = { ...emptyView('r'), episodes: 100, finished: 25, turns: 300, tokens: 6000 };
  const line = progressLine(view, { elapsedMs: 60_000, width: 79 });
  expect(line).toMatch(/^█+░+ {2}25\/100 episodes {2}300 turns {2}100 tokens\/s {2}1:00 {2}about 3:00 left$/);
  expect(line.length).toBeLessThan(84);
  expect(progressLine({ ...view, finished: 1 }, { elapsedMs: 1000 })).not.toContain('left');
  expect(progressLine({ ...view, finished: 100 }, { elapsedMs: 1000 })).not.toContain('left');
  // 20 of the 25 were done before: the other five took the minute.
  expect(progressLine(view, { elapsedMs: 60_000, from: 0.2 })).toContain('about 15:00 left');
});

it('draws a bar of the share that is done, as wide as there is room', () => {
  expect(barText(0.5, 10)).toBe('█████░░░░░');
  expect(barText(2, 8)).toBe('████████');
  expect(leftText({ done: 0.01, elapsedMs: 1000 })).toBe('');
});
