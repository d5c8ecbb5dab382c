/**
 * The dashboards of entrain as code. `npm run dashboard` writes them to `dashboards/`; edit them here, never there.
 * Every series that is shown here must exist while a study runs: a test asks a real Prometheus.
 */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { BROKER, CONVERSATION, FLEET, PROCESSES, STREAM } from './operation-panels.ts';
import { DATASOURCE, timeseries } from './panels.ts';
import { coveragePanels, synchronyPanels } from './synchrony-panels.ts';

interface Row {
  title: string;
  panels: readonly Builder<Panel>[];
}

interface Choice {
  label: string;
  title: string;
  /** A series that has the label while anything runs. */
  metric: string;
}

interface Plan {
  title: string;
  description: string;
  choices: readonly Choice[];
  rows: readonly Row[];
}

const SCORED = 'entrain_synchrony_samples';
const SCORED_RUN = { label: 'run', title: 'Run', metric: SCORED };
const AGENT = { label: 'agent', title: 'Agent', metric: 'entrain_agent_tokens_total' };
const RUN = { label: 'run', title: 'Run', metric: 'entrain_frames_accepted_total' };

/** By the name of the file. */
const PLANS = {
  study: {
    title: 'entrain: study',
    description: 'Synchrony between language models while they talk, held against its nulls',
    choices: [
      SCORED_RUN,
      { label: 'condition', title: 'Condition', metric: SCORED },
      { label: 'source_model', title: 'Source model', metric: SCORED },
    ],
    rows: [
      { title: 'Synchrony against its null', panels: synchronyPanels() },
      { title: 'What the scores rest on', panels: coveragePanels() },
    ],
  },
  fleet: {
    title: 'entrain: fleet',
    description: 'The agents, how they talk, and the programs of a run',
    choices: [AGENT],
    rows: [
      { title: 'The conversation', panels: CONVERSATION.map(timeseries) },
      { title: 'The agents', panels: FLEET.map(timeseries) },
      { title: 'The programs', panels: PROCESSES.map(timeseries) },
    ],
  },
  stream: {
    title: 'entrain: stream',
    description: 'The activation stream: from the spools of agents to the disk of the analyzer',
    choices: [RUN],
    rows: [{ title: 'The activation stream', panels: STREAM.map(timeseries) }],
  },
  broker: {
    title: 'entrain: broker',
    description: 'NATS, over which programs talk: links, store, and messages',
    choices: [],
    rows: [{ title: 'NATS', panels: BROKER.map(timeseries) }],
  },
} as const satisfies Record<string, Plan>;

export type DashboardName = keyof typeof PLANS;
export const DASHBOARD_NAMES = Object.keys(PLANS) as DashboardName[];

export function buildDashboard(name: DashboardName): Dashboard {
  const { title, description, choices, rows }: Plan = PLANS[name];
  const dashboard = new DashboardBuilder(title)
    .uid(`entrain-${name}`)
    .description(description)
    .tags(['entrain'])
    .link(
      new DashboardLinkBuilder('entrain').type(DashboardLinkType.Dashboards).tags(['entrain']).keepTime(true),
    )
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const choice of choices) dashboard.withVariable(chooser(choice));
  for (const event of EVENTS) dashboard.annotation(annotation(event));
  for (const row of rows) {
    dashboard.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) dashboard.withPanel(panel);
  }
  return dashboard.build();
}

/** What happened to a run, drawn over every panel. */
export const EVENTS = [
  {
    name: 'Runs begun',
    expr: 'entrain_run_info unless entrain_run_info offset 10s',
    text: 'run {{run}} begun',
    colour: 'green',
  },
  {
    name: 'Agents lost',
    expr: 'changes(entrain_run_agents_lost_total[10s]) > 0',
    text: 'run {{run}}: an agent stopped answering',
    colour: 'red',
  },
  {
    name: 'Roles taken over',
    expr: 'changes(entrain_run_takeovers_total[10s]) > 0',
    text: 'run {{run}}: a role was taken over',
    colour: 'orange',
  },
] as const;

const annotation = ({ name, expr, text, colour }: (typeof EVENTS)[number]): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(colour)
    .expr(expr)
    .titleFormat(name)
    .textFormat(text)
    .step('10s');

/** A choice among the values that a label takes, all of them by default. */
function chooser({ label, title, metric }: Choice): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(title)
    .datasource(DATASOURCE)
    .query({ query: `label_values(${metric}, ${label})`, refId: label })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });
}
