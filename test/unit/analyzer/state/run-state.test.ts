import { describe, expect, it } from 'vitest';
import {
  createRunState,
  takeBeside,
  takeFrame,
  takeScore,
  type RunState,
} from '../../../../src/analyzer/state/run-state.ts';
import { episodeCounts, scoreReport } from '../../../../src/analyzer/state/run-report.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { becomesFinal, endRun } from '../../../../src/analyzer/state/run-end.ts';
import type { BesideScore, GroupScore } from '../../../../src/analyzer/scoring/messages.ts';
import { STRICT_METHOD } from '../../../../src/synchrony/strict/strict-score.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const ADMISSION = { memory: createRowMemory(Infinity), refuse: () => undefined };
const EVEN = { framesAccepted: 9, framesDurable: 9 };

function filled() {
  const state = createRunState('r1');
  fill(state, { episodesPerScenario: 1, nowMs: 1000 });
  return state;
}

function fill(
  state: RunState,
  { episodesPerScenario, nowMs }: { episodesPerScenario: number; nowMs: number },
): void {
  const options = {
    run: 'r1',
    scenarios: 2,
    episodesPerScenario,
    turns: 4,
    layers: 1,
    dims: 2,
    textDims: 2,
  };
  const episodes = plantedEpisodes({ ...options, conditions: ['live', 'monologue'], coupling: 0.5, seed: 1 });
  for (const { streams } of episodes)
    for (const [role, frames] of streams.entries())
      for (const frame of frames) {
        const origin = { stream: `s${role}`, epoch: 1, seq: frame.seq };
        takeFrame(state, { frame, origin, arrivedMs: 10, nowMs }, ADMISSION);
      }
}

function scoreOf(state: ReturnType<typeof filled>, key: string, version: number): GroupScore {
  const group = state.groups.get(key)!.group;
  const replicates = Array.from({ length: 6 }, (_, scenario) => ({ scenario, excess: 0.15 + scenario / 50 }));
  const numbers = { score: 0.2, nullMean: 0, samples: version };
  return {
    type: 'score',
    run: 'r1',
    group,
    version,
    seed: 1,
    samples: version,
    leftOut: 0,
    paper: { ...numbers, unclipped: 0.2, pseudoMean: 0.05 },
    strict: { ...numbers, excess: 0.2, ciLow: 0.1, ciHigh: 0.3, pValue: 0.01, z: 4, permutations: 199 },
    method: STRICT_METHOD,
    replicates,
    rows: {},
    computedMs: 1,
  };
}

const besideOf = (group: string, version: number): BesideScore => ({
  type: 'beside',
  run: 'r1',
  group,
  version,
  seed: 1,
  samples: version,
  method: STRICT_METHOD,
  beside: { text: null, words: null, lag3: null, lag5: null },
  layerMap: null,
  rows: {},
  computedMs: 1,
});

describe('the state of a run', () => {
  it('counts turn pairs, episodes and scenarios per group from the first pair on', () => {
    const { groups, differences } = scoreReport(filled(), EVEN);
    expect(
      groups.map(({ condition, direction, samples, episodes, scenarios, exchangeableScenarios }) => ({
        condition,
        direction,
        samples,
        episodes,
        scenarios,
        exchangeableScenarios,
      })),
    ).toEqual([
      {
        condition: 'live',
        direction: 'first_to_second',
        samples: 3,
        episodes: 2,
        scenarios: 2,
        exchangeableScenarios: 0,
      },
      {
        condition: 'live',
        direction: 'second_to_first',
        samples: 2,
        episodes: 2,
        scenarios: 2,
        exchangeableScenarios: 0,
      },
      {
        condition: 'monologue',
        direction: 'first_to_second',
        samples: 3,
        episodes: 2,
        scenarios: 2,
        exchangeableScenarios: 0,
      },
      {
        condition: 'monologue',
        direction: 'second_to_first',
        samples: 2,
        episodes: 2,
        scenarios: 2,
        exchangeableScenarios: 0,
      },
    ]);
    expect(groups[0]).toMatchObject({ paper: null, strict: null, reason: 'Not computed yet.' });
    expect(differences).toEqual([]);
  });

  it('is pending until the newest rows of every group are scored, secondary analyses include them, and every frame is durable', () => {
    const state = filled();
    expect(scoreReport(state, EVEN).pending).toBe(true);
    const groups = [...state.groups.values()];
    for (const { group, version } of groups) takeScore(state, scoreOf(state, group.key, version), 2000);
    expect(scoreReport(state, EVEN).pending).toBe(true);
    for (const { group, version } of groups) takeBeside(state, besideOf(group.key, version));
    expect(scoreReport(state, EVEN).pending).toBe(false);
    expect(scoreReport(state, { framesAccepted: 9, framesDurable: 8 }).pending).toBe(true);
  });

  it('is provisional until the run has ended and everything is scored, and again after a late frame', () => {
    const state = filled();
    const score = () => {
      for (const { group, version } of state.groups.values()) {
        takeScore(state, scoreOf(state, group.key, version), 2000);
        takeBeside(state, besideOf(group.key, version));
      }
    };
    const provisional = () => scoreReport(state, EVEN).provisional;
    score();
    expect([becomesFinal(state), provisional()]).toEqual([false, true]);
    endRun(state);
    expect([becomesFinal(state), provisional()]).toEqual([true, false]);
    expect(becomesFinal(state)).toBe(false);
    expect(scoreReport(state, { framesAccepted: 9, framesDurable: 8 }).provisional).toBe(true);
    fill(state, { episodesPerScenario: 2, nowMs: 3000 });
    expect([becomesFinal(state), provisional()]).toEqual([false, true]);
    score();
    expect([becomesFinal(state), provisional()]).toEqual([true, false]);
  });

  it('ends before its last rows are scored, and is final after them', () => {
    const state = filled();
    endRun(state);
    expect(becomesFinal(state)).toBe(false);
    for (const { group, version } of state.groups.values())
      takeScore(state, { ...scoreOf(state, group.key, version), strict: null }, 2000);
    expect(becomesFinal(state)).toBe(true);
  });

  it('has the mean of both directions of the last full scores, and says what is missing', () => {
    const state = filled();
    const lacking = scoreReport(state, EVEN).pairs;
    expect(lacking.map(({ condition, paper, reason }) => [condition, paper, reason])).toEqual([
      ['live', null, 'planted as speaker 1 → planted as speaker 2: Not computed yet.'],
      ['monologue', null, 'planted as speaker 1 → planted as speaker 2: Not computed yet.'],
    ]);
    const [first, second] = [...state.groups.values()].map(({ group }) => group.key);
    const of = (key: string, version: number, score: number): GroupScore => {
      const found = scoreOf(state, key, version);
      return { ...found, paper: { ...found.paper!, score }, strict: { ...found.strict!, excess: score } };
    };
    takeScore(state, of(first!, 3, 0.2), 2000);
    expect(scoreReport(state, EVEN).pairs[0]).toMatchObject({ paper: null, strict: null });
    takeScore(state, of(second!, 2, 0.4), 2000);
    const [pair] = scoreReport(state, EVEN).pairs;
    expect(pair?.paper?.score).toBeCloseTo(0.3, 12);
    expect(pair?.strict?.excess).toBeCloseTo(0.3, 12);
    takeScore(state, of(second!, 3, 0.6), 2000);
    expect(scoreReport(state, EVEN).pairs[0]?.paper?.score).toBeCloseTo(0.4, 12);
  });

  it('corrects the p-values over all groups', () => {
    const state = filled();
    for (const [place, { group, version }] of [...state.groups.values()].entries()) {
      const score = scoreOf(state, group.key, version);
      if (score.strict) score.strict.pValue = [0.01, 0.04, 0.03, 0.5][place] ?? 1;
      takeScore(state, score, 2000);
    }
    const found = scoreReport(state, EVEN).groups.map(({ strict, qValue }) => [strict?.pValue, qValue]);
    // Benjamini–Hochberg by hand: 0.01·4/1, min(0.03·4/2, 0.04·4/3), 0.04·4/3, 0.5.
    const wanted = new Map([
      [0.01, 0.04],
      [0.03, 0.16 / 3],
      [0.04, 0.16 / 3],
      [0.5, 0.5],
    ]);
    for (const [p, q] of found) expect(q).toBeCloseTo(wanted.get(p ?? -1) ?? NaN, 12);
    expect(scoreReport(state, EVEN).groups[0]?.effectSize).toBeCloseTo(0.2 / 0.8, 12);
  });

  it('counts an episode as finished when another began, or after a minute without a turn', () => {
    const state = filled();
    expect(episodeCounts(state, 2000)).toEqual({ running: 1, finished: 3 });
    expect(episodeCounts(state, 70_000)).toEqual({ running: 0, finished: 4 });
  });

  it('never goes back to an older score, and says how long each row waited', () => {
    const state = filled();
    const [key] = state.groups.keys();
    expect(takeScore(state, scoreOf(state, key!, 2), 2000)).toEqual([10, 10]);
    expect(takeScore(state, scoreOf(state, key!, 1), 2001)).toEqual([]);
    expect(state.groups.get(key!)?.score?.version).toBe(2);
    expect(takeScore(state, scoreOf(state, key!, 3), 2002)).toEqual([10]);
  });

  it('gives the verdict "counts" if q is small and score and interval lie above 0, and flags the others', () => {
    const state = filled();
    const keys = [...state.groups.keys()];
    const of = (key: string, figures: object): GroupScore => {
      const score = scoreOf(state, key, state.groups.get(key)!.version);
      return { ...score, strict: { ...score.strict!, ...figures } };
    };
    const figures = [{}, { ciLow: -0.01 }, { score: -0.1 }, { pValue: 0.4 }];
    for (const [at, key] of keys.entries()) takeScore(state, of(key, figures[at] ?? {}), 2000);
    const verdicts = scoreReport(state, EVEN).groups.map(({ verdict }) => verdict);
    const times = (verdict: string) => verdicts.filter((one) => one === verdict).length;
    expect(['counts', 'flagged', 'none'].map(times)).toEqual([1, 2, 1]);
  });

  it('dates a score by its publication, not by later rows', () => {
    const state = filled();
    const [key] = state.groups.keys();
    const shown = () => scoreReport(state, EVEN).groups[0];
    expect(shown()).not.toHaveProperty('scoredAtMs');
    takeScore(state, scoreOf(state, key!, 2), 2000);
    expect(shown()).toMatchObject({ scoredAtMs: 2000 });
    const { samples = 0 } = shown() ?? {};
    fill(state, { episodesPerScenario: 2, nowMs: 9000 });
    expect(shown()?.samples).toBeGreaterThan(samples);
    expect(shown()).toMatchObject({ scoredAtMs: 2000 });
    takeScore(state, { ...scoreOf(state, key!, 4), paper: null, strict: null, reason: 'A fault.' }, 9500);
    expect(state.groups.get(key!)?.scoredAtMs).toBe(2000);
  });

  it('compares live with the control by a difference with an interval', () => {
    const state = filled();
    for (const { group, version } of state.groups.values())
      takeScore(state, scoreOf(state, group.key, version), 2000);
    const { differences } = scoreReport(state, EVEN);
    expect(differences.map(({ direction, condition, against }) => [direction, condition, against])).toEqual([
      ['first_to_second', 'live', 'monologue'],
      ['second_to_first', 'live', 'monologue'],
    ]);
    expect(differences[0]?.difference).toBeCloseTo(0, 12);
    expect(differences[0]?.ciLow).toBeLessThanOrEqual(0);
    expect(differences[0]).toMatchObject({ pValue: 1, distance: 1 });
    expect(scoreReport(state, EVEN).pairDifferences).toMatchObject([
      { condition: 'live', against: 'monologue', pValue: 1 },
    ]);
  });
});
