import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildDashboard, DASHBOARD_NAMES } from '../../../deploy/grafana/dashboard.ts';

describe('the Grafana dashboards', () => {
  it.each(DASHBOARD_NAMES)(
    '%s stands in its file as the code builds it; npm run dashboard writes it',
    (name) => {
      const written: unknown = JSON.parse(readFileSync(`deploy/grafana/dashboards/${name}.json`, 'utf8'));
      expect(JSON.parse(JSON.stringify(buildDashboard(name)))).toEqual(written);
    },
  );

  it('are four, and no other file lies beside theirs', () => {
    const files = readdirSync('deploy/grafana/dashboards').toSorted();
    expect(files).toEqual(['broker.json', 'fleet.json', 'stream.json', 'study.json']);
    expect(files).toEqual(DASHBOARD_NAMES.map((name) => `${name}.json`).toSorted());
  });

  it.each(DASHBOARD_NAMES)('%s uses each of its variables, and none that it has not', (name) => {
    const { panels, templating } = buildDashboard(name);
    const own = (templating?.list ?? [])
      .map((variable) => variable.name)
      .filter((one) => one !== 'datasource');
    const used = JSON.stringify(panels).match(/\$(?!_|\{)\w+/g) ?? [];
    expect([...new Set(used)].map((word) => word.slice(1)).toSorted()).toEqual(own.toSorted());
  });

  it('shows a null beside every score, for both directions', () => {
    const text = JSON.stringify(buildDashboard('study'));
    for (const direction of ['first_to_second', 'second_to_first']) {
      expect(text).toContain(`entrain_synchrony_ratio{direction=\\"${direction}\\"`);
      expect(text).toContain(`entrain_synchrony_null_ratio{direction=\\"${direction}\\"`);
      // A paper score of 0 may hide a negative one.
      expect(text).toContain(`entrain_synchrony_unclipped_ratio{direction=\\"${direction}\\"`);
    }
  });
});
