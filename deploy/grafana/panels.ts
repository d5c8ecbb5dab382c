/** How a panel of entrain looks: small builders over Grafana's SDK, so that the dashboard itself reads as a list. */
import {
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  LegendDisplayMode,
  LegendPlacement,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

export interface Line {
  expr: string;
  legend: string;
  /** Nulls and bounds are dashed and thin, so that the score stands out. */
  dashed?: true;
  /** With single scores as points, each of which leads to its run in the viewer. */
  exemplars?: true;
}

export interface PanelOptions {
  title: string;
  description: string;
  unit: string;
  lines: readonly Line[];
  /** Columns of Grafana's 24. */
  span: number;
  /** A level worth seeing, drawn as a line. */
  level?: number;
  /** Lines that go below it leave the panel, so that one far-off line does not flatten the others. */
  floor?: number;
}

const HEIGHT = 8;
const DASHED = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [6, 6] } },
  { id: 'custom.lineWidth', value: 1 },
  { id: 'custom.fillOpacity', value: 0 },
];

/** Lines over time. A gap in a series is shown as a gap: no score is not a score of 0. */
export function timeseries(options: PanelOptions): Builder<Panel> {
  const { title, description, unit, lines, span, level, floor } = options;
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(span)
    .height(HEIGHT)
    .lineWidth(2)
    .fillOpacity(4)
    .showPoints(VisibilityMode.Never)
    .spanNulls(false)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi));
  if (floor !== undefined) panel.min(floor);
  if (level !== undefined) {
    panel
      .thresholds(levelAt(level))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  }
  for (const [index, line] of lines.entries()) {
    panel.withTarget(query(line, index));
    if (line.dashed) panel.overrideByQuery(refId(index), DASHED);
  }
  return panel;
}

/** The last figure of each series, large. */
export function stat(options: PanelOptions): Builder<Panel> {
  const { title, description, unit, lines, span } = options;
  const panel = new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(span)
    .height(HEIGHT / 2)
    .thresholds(levelAt(undefined));
  for (const [index, line] of lines.entries()) panel.withTarget(query(line, index));
  return panel;
}

function query({ expr, legend, exemplars }: Line, index: number): DataqueryBuilder {
  const asked = new DataqueryBuilder().refId(refId(index)).datasource(DATASOURCE);
  if (exemplars) asked.exemplar(true);
  return asked.expr(expr).legendFormat(legend);
}

const refId = (index: number): string => String.fromCodePoint('A'.codePointAt(0)! + index);

function levelAt(level: number | undefined): ThresholdsConfigBuilder {
  const steps = [
    { value: null, color: 'text' },
    ...(level === undefined ? [] : [{ value: level, color: 'orange' }]),
  ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
