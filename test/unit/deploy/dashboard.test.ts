import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildDashboard } from '../../../deploy/grafana/dashboard.ts';

describe('the Grafana dashboard', () => {
  it('stands in its file as the code builds it; npm run dashboard writes it', () => {
    const written: unknown = JSON.parse(readFileSync('deploy/grafana/dashboards/entrain.json', 'utf8'));
    expect(JSON.parse(JSON.stringify(buildDashboard()))).toEqual(written);
  });

  it('shows a null beside every score, for both directions', () => {
    const text = JSON.stringify(buildDashboard());
    for (const direction of ['first_to_second', 'second_to_first']) {
      expect(text).toContain(`entrain_synchrony_ratio{direction=\\"${direction}\\"`);
      expect(text).toContain(`entrain_synchrony_null_ratio{direction=\\"${direction}\\"`);
      // A paper score of 0 may hide a negative one.
      expect(text).toContain(`entrain_synchrony_unclipped_ratio{direction=\\"${direction}\\"`);
    }
  });
});
