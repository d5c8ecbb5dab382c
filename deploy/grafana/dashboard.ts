/**
 * The dashboard of entrain as code. `npm run dashboard` writes it to `dashboards/entrain.json`; edit it here, never
 * there. Every series that is shown here must exist while a study runs: a test asks a real Prometheus.
 */
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { CONVERSATION, PROCESSES, STREAM } from './operation-panels.ts';
import { DATASOURCE, timeseries } from './panels.ts';
import { coveragePanels, synchronyPanels } from './synchrony-panels.ts';

const ROWS: readonly { title: string; panels: readonly Builder<Panel>[] }[] = [
  { title: 'Synchrony against its null', panels: synchronyPanels() },
  { title: 'What the scores rest on', panels: coveragePanels() },
  { title: 'The conversation', panels: CONVERSATION.map(timeseries) },
  { title: 'The activation stream', panels: STREAM.map(timeseries) },
  { title: 'The programs', panels: PROCESSES.map(timeseries) },
];

export function buildDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('entrain')
    .uid('entrain')
    .description('Synchrony between language models while they talk, held against its nulls')
    .tags(['entrain'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .timezone('browser')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(chooser('run', 'Run'))
    .withVariable(chooser('condition', 'Condition'))
    .withVariable(chooser('source_model', 'Source model'));
  for (const { title, panels } of ROWS) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(panel);
  }
  return dashboard.build();
}

/** A choice among the values that a label takes, all of them by default. */
function chooser(label: string, title: string): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(title)
    .datasource(DATASOURCE)
    .query({ query: `label_values(entrain_synchrony_samples, ${label})`, refId: label })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });
}
