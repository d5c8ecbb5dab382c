#!/usr/bin/env node
// npm run dashboard: writes the Grafana dashboards from their code in deploy/grafana.
import './lib/telemetry-off.js';
import { writeFile } from 'node:fs/promises';
import { compileWithBench } from './lib/compile.js';
import { requireNode } from './lib/node-version.js';
import { root } from './lib/paths.js';
import { runMain } from './lib/setup-error.js';

requireNode();
await runMain(async () => {
  await compileWithBench();
  const { buildDashboard, DASHBOARD_NAMES } = await import('../dist/deploy/grafana/dashboard.js');
  for (const name of DASHBOARD_NAMES) {
    const text = JSON.stringify(buildDashboard(name), null, 2);
    await writeFile(`${root}deploy/grafana/dashboards/${name}.json`, `${text}\n`);
  }
});
