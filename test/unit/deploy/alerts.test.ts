/** The alert rules by Prometheus's own judgement: they parse, each fires on its fault, and none if all is well. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { findTool } from '../../fixtures/programs/tools.ts';

const RULES = resolve('deploy/alerts.yml');
const folder = mkdtempSync(join(tmpdir(), 'entrain-alerts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Series as promtool writes them: values of every 15 s for ten minutes. */
const WELL: Record<string, string> = {
  'up{job="entrain",program="analyzer",instance="a:1"}': '1x40',
  'entrain_agent_stream_up{agent="ada"}': '1x40',
  'entrain_run_episodes{program="coordinator",instance="c:1",state="running"}': '1x40',
  'entrain_nats_up{instance="a:1"}': '1x40',
  'entrain_agent_spool_ratio{agent="ada"}': '0.3x40',
  'entrain_run_last_turn_timestamp_seconds{instance="c:1"}': '0+15x40',
  'entrain_score_faults_total{instance="a:1"}': '0x40',
  'entrain_recordings_bytes{instance="a:1"}': '50x40',
  'entrain_recordings_budget_bytes{instance="a:1"}': '100x40',
  'up{job="entrain",program="coordinator",instance="c:1"}': '1x40',
  'entrain_agent_ack_lag_seconds{agent="ada"}': '0.2x40',
  'entrain_synchrony_updated_timestamp_seconds{instance="a:1"}': '0+15x40',
  'entrain_analyzer_turns_total{instance="a:1"}': '0+5x40',
  'process_resident_memory_bytes{job="entrain",instance="a:1"}': '500x40',
  'entrain_memory_limit_bytes{instance="a:1"}': '1000x40',
  'entrain_disk_free_bytes{instance="a:1"}': '20x40',
  'entrain_disk_size_bytes{instance="a:1"}': '100x40',
  'entrain_series_left_out{instance="a:1"}': '0x40',
  'entrain_synchrony_final{instance="a:1"}': '0x40',
  'entrain_synchrony_influence_ratio{instance="a:1",condition="monologue"}': '0x40',
  'entrain_synchrony_influence_ratio{instance="a:1",condition="live"}': '0.4x40',
  'entrain_service_leader{instance="c:1"}': '1x40',
  'entrain_service_leader{instance="c:2"}': '0x40',
  'entrain_service_runs{instance="c:1",state="failed"}': '0x40',
};

/** A coordinator of one run: none is resident. */
const SINGLE = Object.fromEntries(
  Object.entries(WELL).filter(([name]) => !name.startsWith('entrain_service_leader')),
);

/** What one of them becomes by the fault of each alert. */
const FAULTS: Record<string, [metric: string, values: string]> = {
  EntrainTargetDown: ['up{job="entrain",program="analyzer"', '0x40'],
  EntrainStreamDown: ['entrain_agent_stream_up{', '0x40'],
  EntrainNatsDown: ['entrain_nats_up{', '0x40'],
  EntrainSpoolFilling: ['entrain_agent_spool_ratio{', '0.85x40'],
  EntrainNoTurn: ['entrain_run_last_turn_timestamp_seconds{', '0x40'],
  EntrainScoreFaults: ['entrain_score_faults_total{', '0+1x40'],
  EntrainRecordingRoom: ['entrain_recordings_bytes{', '95x40'],
  EntrainCoordinatorGone: ['up{job="entrain",program="coordinator"', '0x40'],
  EntrainAckLag: ['entrain_agent_ack_lag_seconds{', '0+15x40'],
  EntrainScoreLag: ['entrain_synchrony_updated_timestamp_seconds{', '0x40'],
  EntrainMemory: ['process_resident_memory_bytes{', '900x40'],
  EntrainDiskFull: ['entrain_disk_free_bytes{', '4x40'],
  EntrainSeriesLeftOut: ['entrain_series_left_out{', '3x40'],
  EntrainUnmeantChannel: ['entrain_synchrony_influence_ratio{', '0.02x40'],
  EntrainNoLeader: ['entrain_service_leader{', '0x40'],
  EntrainRunsFailed: ['entrain_service_runs{', '2x40'],
};

const { groups } = parse(readFileSync(RULES, 'utf8')) as {
  groups: { rules: { alert: string; expr: string; annotations: { runbook: string } }[] }[];
};
const rules = groups.flatMap((group) => group.rules);

describe('deploy/alerts.yml', () => {
  it('is taken by promtool', () => {
    expect(promtool('check', 'rules', RULES)).toMatchObject({ status: 0 });
  });

  it('speaks only of metrics that a program has, as its runbook does', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('metrics.ts'))
      .map((path) => readFileSync(join('src', path), 'utf8'))
      .join('\n');
    const inRules = rules.flatMap(({ expr }) => expr.match(/entrain_\w+/g) ?? []);
    expect(inRules.length).toBeGreaterThanOrEqual(rules.length);
    const named = [...inRules, ...(readFileSync('docs/runbook.md', 'utf8').match(/entrain_\w+/g) ?? [])];
    expect(named.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });

  it('fires each alert on its fault alone, and none where all is well or no episode runs', () => {
    expect(rules.map(({ alert }) => alert)).toEqual(Object.keys(FAULTS));
    const idle = {
      ...WELL,
      ...changed('entrain_run_episodes{', '0x40'),
      ...changed('entrain_agent_stream_up{', '0x40'),
    };
    const tests = [
      { series: WELL, firing: [] },
      // Without a budget, as without --budget-gb.
      { series: { ...WELL, ...changed('entrain_recordings_budget_bytes{', '0x40') }, firing: [] },
      // A counter that is born with its first fault.
      {
        series: { ...WELL, ...changed('entrain_score_faults_total{', '_x20 1x20') },
        firing: ['EntrainScoreFaults'],
      },
      // The only resident coordinators are lost.
      { series: { ...WELL, ...leaders('1x10 stale', '0x10 stale') }, firing: ['EntrainNoLeader'] },
      // A resident coordinator is lost, and another one leads.
      {
        series: { ...WELL, ...coordinatorEnds('1x10 stale'), ...leaders('1x10 stale', '0x10 1x30') },
        firing: [],
      },
      // The coordinator ended with its study, or was frozen or lost while episodes ran.
      {
        series: {
          ...SINGLE,
          ...coordinatorEnds('1x10 0 stale'),
          ...changed('entrain_synchrony_final{', '0x11 1x30'),
        },
        firing: [],
      },
      { series: { ...SINGLE, ...coordinatorEnds('1x10 stale') }, firing: ['EntrainCoordinatorGone'] },
      // What is scored no more because nothing comes is no lag.
      {
        series: {
          ...WELL,
          ...changed('entrain_synchrony_updated_timestamp_seconds{', '0x40'),
          ...changed('entrain_analyzer_turns_total{', '50x40'),
        },
        firing: [],
      },
      { series: { ...idle, ...changed('entrain_run_last_turn', '0x40') }, firing: [] },
      ...Object.entries(FAULTS).map(([alert, [metric, values]]) => ({
        series: { ...(alert === 'EntrainCoordinatorGone' ? SINGLE : WELL), ...changed(metric, values) },
        firing: [alert],
      })),
    ];
    const file = join(folder, 'alerts.test.json');
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], tests: tests.map(ruleTest) }));
    expect(promtool('test', 'rules', file)).toMatchObject({ status: 0 });
  });
});

describe('the tests by real faults', () => {
  it('make the fault of each alert', () => {
    const tests = ['alerts', 'alerts-of-analyzer'].map((name) =>
      readFileSync(`test/integration/${name}.test.ts`, 'utf8'),
    );
    const fired = new Set(tests.join().match(/Entrain\w+/g));
    expect([...fired].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });
});

describe('deploy/rules.yml', () => {
  it('records what it says, by promtool', () => {
    const recorded = resolve('deploy/rules.yml');
    expect(promtool('check', 'rules', recorded)).toMatchObject({ status: 0 });
    const series = {
      'entrain_frames_accepted_total{run="r",stream="ada"}': '0+30x40',
      'entrain_frames_accepted_total{run="r",stream="ben"}': '0+60x40',
      'entrain_frames_durable_total{run="r",stream="ada"}': '0+30x40',
      'entrain_frames_durable_total{run="r",stream="ben"}': '0+30x40',
      'entrain_synchrony_excess_ratio{run="r",condition="live",measure="sync_r2",mode="strict",direction="a"}':
        '0.2x40',
      'entrain_synchrony_excess_ratio{run="r",condition="live",measure="sync_r2",mode="strict",direction="b"}':
        '0.4x40',
    };
    const sample = (expr: string, labels: string, value: number) => ({
      expr,
      eval_time: '9m',
      exp_samples: [{ labels: `${expr}{${labels}}`, value }],
    });
    const test = {
      interval: '15s',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      promql_expr_test: [
        sample('run:entrain_frames_accepted:rate1m', 'run="r"', 6),
        sample('run:entrain_frames_pending:sum', 'run="r"', 30 * 36),
        sample('run_condition:entrain_synchrony_excess:min', 'run="r",condition="live"', 0.2),
        sample('run_condition:entrain_synchrony_excess:max', 'run="r",condition="live"', 0.4),
      ],
    };
    const file = join(folder, 'rules.test.json');
    writeFileSync(file, JSON.stringify({ rule_files: [recorded], tests: [test] }));
    expect(promtool('test', 'rules', file)).toMatchObject({ status: 0 });
  });
});

describe('docs/runbook.md', () => {
  const sections = readFileSync('docs/runbook.md', 'utf8').split(/^## /m).slice(1);
  const alertOf = (section: string): string => section.slice(0, section.indexOf('\n'));

  it('has a section for each alert, in their order, and the alert leads to it', () => {
    expect(sections.map(alertOf)).toEqual(rules.map(({ alert }) => alert));
    for (const { alert, annotations } of rules)
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
  });

  it.each(sections.map((section) => [alertOf(section), section]))(
    '%s: what it means, where to look, what to do, and what is lost',
    (_alert, section) => {
      for (const part of ['**Means.** ', '**Look.** ', '**Do.** ', '**Lost.** '])
        expect(section).toContain(part);
    },
  );
});

function leaders(one: string, other: string): Record<string, string> {
  return {
    'entrain_service_leader{instance="c:1"}': one,
    'entrain_service_leader{instance="c:2"}': other,
  };
}

/** Its target does not answer from the third minute on, and its series go. */
function coordinatorEnds(running: string): Record<string, string> {
  return {
    ...changed('up{job="entrain",program="coordinator"', '1x10 0x30'),
    ...changed('entrain_run_episodes{', running),
    ...changed('entrain_run_last_turn', '0+15x10 stale'),
  };
}

function changed(metric: string, values: string): Record<string, string> {
  const known = Object.keys(WELL).find((name) => name.startsWith(metric));
  return { [known ?? `no series ${metric}`]: values };
}

/** After nine minutes the names of the alerts that fire are those, and no other. */
function ruleTest({ series, firing }: { series: Record<string, string>; firing: string[] }) {
  const fires = `count by (alertname) (ALERTS{alertstate="firing"})`;
  return {
    interval: '15s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [
      {
        expr: fires,
        eval_time: '9m',
        exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      },
    ],
  };
}

function promtool(...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(findTool('promtool'), argv, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}
