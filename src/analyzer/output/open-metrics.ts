/**
 * The two forms of `/metrics`. Only OpenMetrics has exemplars; prom-client writes a registry in one of them, so what it
 * writes is brought into the other here.
 */
export type MetricsForm = 'plain' | 'openmetrics';

export const METRICS_TYPES: Record<MetricsForm, string> = {
  plain: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** @param accept what the client asks for; one that does not name OpenMetrics gets plain text */
export const formFor = (accept: string): MetricsForm =>
  accept.includes('application/openmetrics-text') ? 'openmetrics' : 'plain';

/** From plain text: a counter is described without `_total`, and no line is empty. */
export const toOpenMetrics = (plain: string): string =>
  plain.replaceAll(/^(# (?:HELP|TYPE) \w+)_total /gm, '$1 ').replaceAll(/\n{2,}/g, '\n');

/** From OpenMetrics of a registry without counters. */
export const toPlain = (openMetrics: string): string =>
  openMetrics.replaceAll(/ # \{.*$/gm, '').replace('# EOF\n', '');
