import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import {
  createScoreCounters,
  createAnalyzerMetrics,
  type AnalyzerMetrics,
  type RunFigures,
} from '../../../../src/analyzer/output/metrics.ts';
import { PAIR_GAUGES } from '../../../../src/analyzer/output/pair-metrics.ts';
import { underCap } from '../../../../src/analyzer/output/report-gauge.ts';
import { SYNCHRONY_GAUGES } from '../../../../src/analyzer/output/synchrony-metrics.ts';
import type {
  DifferenceReport,
  GroupReport,
  PairReport,
} from '../../../../src/protocol/reports/score-report.ts';
import { findTool } from '../../../fixtures/programs/tools.ts';

const paper = { score: 0.3, unclipped: -1.5, nullMean: 0.1, pseudoMean: 0.05, samples: 130 };
const strict = {
  score: 0.12,
  excess: 0.2,
  ciLow: 0.1,
  ciHigh: 0.3,
  pValue: 0.005,
  nullMean: -0.08,
  z: 6.5,
  permutations: 199,
  samples: 130,
};
const { pValue: _p, z: _z, permutations: _n, ...estimate } = strict;
const CONTROLLED = { control: 0.3, excess: 0.1, ciLow: 0.02, ciHigh: 0.18, pValue: 0.01 };
const NO_CONTROL = { control: null, excess: null, ciLow: null, ciHigh: null, pValue: null };
const group: GroupReport = {
  sourceModel: 'm1',
  targetModel: 'm2',
  direction: 'first_to_second',
  condition: 'live',
  agents: 2,
  sourceRole: 1,
  targetRole: 2,
  distance: 1,
  samples: 130,
  episodes: 24,
  scenarios: 8,
  exchangeableScenarios: 8,
  paper,
  strict,
  effectSize: 0.23,
  qValue: 0.0075,
  verdict: 'counts',
  talk: null,
  branches: null,
  beside: {
    text: { ...estimate, excess: 0.17 },
    words: { ...estimate, excess: 0.15 },
    lag3: { ...strict, score: 0.03, pValue: 0.4 },
    lag5: null,
  },
  steps: {
    dyads: 3,
    steps: 320,
    measures: [
      { measure: 'cka', value: 0.4, nullMean: 0.3, nullQ95: 0.35, ...CONTROLLED },
      { measure: 'xcorr', value: -0.2, nullMean: null, nullQ95: null, bestLag: 2, ...NO_CONTROL },
    ],
  },
  scoredAtMs: 1_700_000_000_000,
  curve: [],
};
const empty: GroupReport = {
  ...group,
  condition: 'monologue',
  samples: 3,
  paper: null,
  strict: null,
  effectSize: null,
  beside: null,
  steps: null,
  qValue: null,
  verdict: null,
  reason: 'few',
};
delete empty.scoredAtMs;
const difference: DifferenceReport = {
  sourceModel: 'm1',
  targetModel: 'm2',
  direction: 'first_to_second',
  condition: 'live',
  agents: 2,
  sourceRole: 1,
  targetRole: 2,
  distance: 1,
  against: 'monologue',
  difference: 0.2,
  ciLow: 0.1,
  ciHigh: 0.3,
  pValue: 0.002,
};

const pair: PairReport = {
  modelA: 'm1',
  modelB: 'm2',
  roleA: 1,
  roleB: 2,
  condition: 'live',
  agents: 2,
  figures: 4,
  samples: 500,
  paper: { score: 0.31, unclipped: -0.6, nullMean: 0.09, pseudoMean: null },
  strict: { score: 0.11, excess: 0.19, nullMean: -0.08, ciLow: 0.12, ciHigh: 0.26 },
};

function metricsOf(
  groups: () => GroupReport[],
  more: { pairs: PairReport[]; provisional: boolean } = { pairs: [pair], provisional: true },
  others: RunFigures[] = [],
): AnalyzerMetrics {
  const counters = createScoreCounters();
  counters.scored('r1', 'full', 20);
  counters.refreshed('r1', 120);
  return createAnalyzerMetrics({
    counters,
    folder: '.',
    version: '1.2.3',
    natsUp: () => true,
    budget: () => ({ recordedBytes: 5, budgetBytes: 10, removedRuns: 1, removedBytes: 7 }),
    runs: () => [
      {
        report: { run: 'r1', groups: groups(), differences: [difference], ...more },
        state: { episodes: { running: 1, finished: 2 }, turns: 7 },
      },
      ...others,
    ],
    skippedStepFrames: () => 5,
    refused: () => ({ TOKEN_INVALID: 3 }),
    streams: () => [
      {
        run: 'r1',
        stream: 'ada',
        connected: true,
        done: false,
        epoch: 1,
        acceptedFrames: 5,
        durableFrames: 4,
        duplicateFrames: 1,
        gapFrames: { damaged: 2 },
        resends: 0,
        ackLagMs: 12,
        clock: { offsetNs: -3e6, boundNs: 1e5, atNs: 0, wallMs: 0 },
      },
    ],
  });
}

describe('the metrics of the analyzer', () => {
  it('show scores, nulls, interval and streams, each with its labels', async () => {
    const text = await metricsOf(() => [group]).text();
    const base =
      'run="r1",source_model="m1",target_model="m2",agents="2",source_role="1",target_role="2",distance="1",direction="first_to_second",condition="live"';
    const steps = (measure: string): string => `${base},measure="${measure}",mode="steps"`;
    const score = `${base},measure="sync_r2",mode="strict"`;
    for (const line of [
      `entrain_synchrony_ratio{${score}} 0.12`,
      `entrain_synchrony_unclipped_ratio{${base},measure="sync_r2",mode="paper"} -1.5`,
      `entrain_synchrony_excess_ratio{${score}} 0.2`,
      `entrain_synchrony_null_ratio{${score},null="permutation",level="mean"} -0.08`,
      `entrain_synchrony_zscore{${score}} 6.5`,
      `entrain_synchrony_verdict{${score}} 1`,
      `entrain_synchrony_excess_ratio{${base},measure="sync_r2_beyond_text",mode="strict"} 0.17`,
      `entrain_synchrony_ci_ratio{${score},bound="low"} 0.1`,
      `entrain_synchrony_pvalue{${score}} 0.005`,
      `entrain_synchrony_excess_ratio{${base},measure="sync_r2_beyond_words",mode="strict"} 0.15`,
      `entrain_synchrony_pvalue{${base},measure="sync_r2_lag_3",mode="strict"} 0.4`,
      `entrain_synchrony_null_ratio{${score},null="lag_3",level="score"} 0.03`,
      `entrain_synchrony_qvalue{${score}} 0.0075`,
      `entrain_synchrony_effect_size_ratio{${score}} 0.23`,
      `entrain_synchrony_ratio{${steps('cka')}} 0.4`,
      `entrain_synchrony_excess_ratio{${steps('cka')}} 0.1`,
      `entrain_synchrony_null_ratio{${steps('cka')},null="surrogate",level="q95"} 0.35`,
      `entrain_synchrony_null_ratio{${steps('cka')},null="same_words",level="mean"} 0.3`,
      `entrain_synchrony_ci_ratio{${steps('cka')},bound="low"} 0.02`,
      `entrain_synchrony_pvalue{${steps('cka')}} 0.01`,
      `entrain_synchrony_ratio{${steps('xcorr')}} -0.2`,
      `entrain_synchrony_best_lag_steps{${steps('xcorr')}} 2`,
      `entrain_synchrony_steps{${base}} 320`,
      `entrain_synchrony_step_dyads{${base}} 3`,
      'entrain_step_frames_skipped_total 5',
      `entrain_synchrony_samples{${base}} 130`,
      `entrain_synchrony_updated_timestamp_seconds{${base}} 1700000000`,
      'entrain_frames_accepted_total{run="r1",stream="ada"} 5',
      'entrain_refused_total{cause="TOKEN_INVALID"} 3',
      'entrain_gap_frames_total{run="r1",stream="ada",reason="damaged"} 2',
      'entrain_clock_bound_seconds{run="r1",stream="ada"} 0.0001',
      'entrain_clock_offset_seconds{run="r1",stream="ada"} -0.003',
      'entrain_analyzer_episodes{run="r1",state="finished"} 2',
      'entrain_build_info{version="1.2.3",program="analyzer"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).not.toMatch(/\{[^}]*lag_5/);
    // A null's bare score is never among the scores.
    expect(text).not.toMatch(/entrain_synchrony_ratio\{.*lag_3/);
    // Beyond text there is an estimate without a test.
    expect(text).not.toMatch(/entrain_synchrony_pvalue\{.*beyond/);
    // Without surrogates a measure has a value and no p-value.
    expect(text).not.toContain(`entrain_synchrony_pvalue{${steps('xcorr')}}`);
    expect(text).toMatch(/entrain_synchrony_difference_ratio\{.*against="monologue".*\} 0\.2/);
    expect(text).toMatch(/entrain_synchrony_difference_pvalue\{.*against="monologue".*\} 0\.002/);
  });

  it('remove a series when its value disappears', async () => {
    const groups = [group];
    const metrics = metricsOf(() => groups);
    expect(await metrics.text()).toContain('entrain_synchrony_ratio{');
    groups[0] = empty;
    const text = await metrics.text();
    expect(text).not.toContain('entrain_synchrony_ratio{');
    expect(text).not.toContain('entrain_synchrony_unclipped_ratio{');
    expect(text).toMatch(/entrain_synchrony_samples\{.*condition="monologue"\} 3/);
  });

  it('show a pair under names of its own, without the figures that it lacks', async () => {
    const base = 'run="r1",model_a="m1",model_b="m2",agents="2",role_a="1",role_b="2",condition="live"';
    const score = (mode: string): string => `${base},measure="sync_r2",mode="${mode}"`;
    const text = await metricsOf(() => [group]).text();
    for (const line of [
      `entrain_synchrony_pair_ratio{${score('paper')}} 0.31`,
      `entrain_synchrony_pair_ratio{${score('strict')}} 0.11`,
      `entrain_synchrony_pair_unclipped_ratio{${score('paper')}} -0.6`,
      `entrain_synchrony_pair_excess_ratio{${score('strict')}} 0.19`,
      `entrain_synchrony_pair_ci_ratio{${score('strict')},bound="low"} 0.12`,
      `entrain_synchrony_pair_ci_ratio{${score('strict')},bound="high"} 0.26`,
      `entrain_synchrony_pair_null_ratio{${score('paper')},null="shuffled",level="mean"} 0.09`,
      `entrain_synchrony_pair_null_ratio{${score('strict')},null="permutation",level="mean"} -0.08`,
      `entrain_synchrony_pair_figures{${base}} 4`,
    ])
      expect(text).toContain(`${line}\n`);
    const without = { ...pair, paper: null, strict: null, reason: 'few' };
    const bare = await metricsOf(() => [group], { pairs: [without], provisional: true }).text();
    expect(bare).not.toContain('entrain_synchrony_pair_ratio{');
    expect(bare).not.toContain('entrain_synchrony_pair_unclipped_ratio{');
    expect(bare).not.toContain('entrain_synchrony_pair_figures{');
  });

  it('say whether the figures are final', async () => {
    const text = (provisional: boolean) => metricsOf(() => [group], { pairs: [], provisional }).text();
    expect(await text(true)).toContain('\nentrain_synchrony_final{run="r1"} 0\n');
    expect(await text(false)).toContain('\nentrain_synchrony_final{run="r1"} 1\n');
  });

  it('count what exceeds the limit on series instead of showing it', async () => {
    const own = SYNCHRONY_GAUGES.reduce((sum, { samples }) => sum + samples(group).length, 0);
    const { shown, series, dropped } = underCap([group, group, group], SYNCHRONY_GAUGES, 2 * own + 1);
    expect([shown.length, series, dropped]).toEqual([2, 2 * own, own]);
    const ofPair = PAIR_GAUGES.reduce((sum, { samples }) => sum + samples(pair).length, 0);
    const many = Math.floor(2000 / own);
    const text = await metricsOf(() => Array.from({ length: many }, () => group), {
      pairs: Array.from({ length: 300 }, () => pair),
      provisional: true,
    }).text();
    const left = Math.floor((2000 - many * own) / ofPair);
    expect(text).toContain(`\nentrain_series ${many * own + left * ofPair}\n`);
    expect(text).toContain(`\nentrain_series_left_out ${(300 - left) * ofPair}\n`);
  });

  it('show the figures of every run, each under its name', async () => {
    const other = {
      report: { run: 'r2', groups: [group], differences: [difference], pairs: [pair], provisional: false },
      state: { episodes: { running: 3, finished: 0 }, turns: 9 },
    };
    const text = await metricsOf(() => [group], { pairs: [pair], provisional: true }, [other]).text();
    for (const name of ['ratio', 'pair_ratio', 'difference_ratio', 'samples', 'pvalue'])
      for (const run of ['r1', 'r2'])
        expect(text).toMatch(new RegExp(`entrain_synchrony_${name}\\{run="${run}",`));
    expect(text).toContain('entrain_synchrony_final{run="r1"} 0\nentrain_synchrony_final{run="r2"} 1\n');
    expect(text).toContain('entrain_analyzer_turns_total{run="r2"} 9\n');
  });

  it('count from 0 what has not happened yet', async () => {
    const text = await metricsOf(() => []).text();
    expect(text).toContain('entrain_refused_total{cause="connections"} 0\n');
    expect(text).toContain('entrain_refused_total{cause="FRAME_INVALID"} 0\n');
    expect(text).toContain('entrain_refused_total{cause="VERSION_MISMATCH"} 0\n');
    expect(text).toContain('entrain_score_faults_total 0\n');
    expect(text).toContain('entrain_score_compute_seconds_count{kind="beside"} 0\n');
  });

  it('pass promtool’s check', async () => {
    const promtool = findTool('promtool');
    const input = await metricsOf(() => [group, empty]).text();
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
