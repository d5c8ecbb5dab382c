/** What stands in a window of each size while a run is spoken, and what is left of it. */
import { describe, expect, it } from 'vitest';
import { createTerminal } from '../../../../src/cli/terminal/terminal.ts';
import { emptyView, type ViewState } from '../../../../src/cli/terminal/view-state.ts';
import type { GroupReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';
import { createScreen } from '../../../fixtures/terminal/screen.ts';

const WORDS = Array.from({ length: 90 }, (_, at) => `word${at}`);

const groupOf = (condition: string, sourceRole: number): GroupReport =>
  ({
    sourceModel: 'entrain-dialogue-8m',
    targetModel: 'entrain-dialogue-8m',
    condition,
    agents: 2,
    sourceRole,
    targetRole: 3 - sourceRole,
    samples: 1440,
    strict: { excess: -0.25, ciLow: -0.3, ciHigh: -0.2, pValue: 0.005 },
    qValue: 0.012,
    verdict: 'flagged',
  }) as unknown as GroupReport;
const report = {
  provisional: true,
  groups: ['live', 'monologue', 'shared-input'].flatMap((one) => [groupOf(one, 1), groupOf(one, 2)]),
} as ScoreReport;

const speaking = (words: number): ViewState => ({
  ...emptyView('r'),
  episodes: 120,
  finished: words > 1 ? 40 : 20,
  turns: 480,
  tokens: 123_456,
  maxTurns: 12,
  speaking: new Map([['e0001', { turn: 3, agent: 'ben', text: WORDS.slice(0, words).join(' ') }]]),
  report,
});

describe.each([
  [80, 24],
  [160, 50],
])('a window of %i × %i', (columns, rows) => {
  it('keeps the latest words, the bar and the table in sight, redrawn in place', () => {
    const screen = createScreen(columns, rows);
    const terminal = createTerminal(screen.out, () => 3_600_000);
    terminal.heading('e0001', 'bakery · live · e0001');
    for (let words = 1; words <= WORDS.length; words += 1) terminal.draw(speaking(words));
    const window = screen.window();
    expect(window.findLast((line) => line.includes('word'))?.endsWith('word89')).toBe(true);
    expect(window.some((line) => line.startsWith('  ben '))).toBe(true);
    const bars = screen.lines().filter((line) => line.includes('40/120 episodes'));
    expect(bars).toEqual([expect.stringMatching(/^█+░+ .*60:00 {2}about \d+:\d\d left$/)]);
    expect(screen.lines().filter((line) => line.startsWith('condition'))).toHaveLength(1);
    for (const condition of ['live', 'monologue', 'shared-input'])
      expect(window.filter((line) => line.startsWith(condition) && line.endsWith('flagged'))).toHaveLength(2);
    expect(screen.breaks()).toBe(0);
  });

  it('leaves the talk alone behind, broken between words', () => {
    const screen = createScreen(columns, rows);
    const terminal = createTerminal(screen.out, () => 3_600_000);
    terminal.heading('e0001', 'bakery · live · e0001');
    for (let turn = 0; turn < 20; turn += 1) {
      terminal.draw(speaking(80));
      terminal.utterance({ turn, agent: turn % 2 ? 'ben' : 'ada', text: WORDS.join(' '), note: '' });
    }
    terminal.close();
    const [first, heading, ...talk] = screen.lines();
    expect([first, heading]).toEqual(['', 'bakery · live · e0001']);
    const said = talk.join(' ').split(/\s+/).filter(Boolean);
    expect(said).toEqual(
      Array.from({ length: 20 }, (_, turn) => [turn % 2 ? 'ben' : 'ada', ...WORDS]).flat(),
    );
    expect(Math.max(...talk.map((line) => line.length))).toBeLessThan(columns);
    expect(screen.breaks()).toBe(0);
  });
});
