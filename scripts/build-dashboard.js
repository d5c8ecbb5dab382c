#!/usr/bin/env node
// npm run dashboard: writes the Grafana dashboard from its code in deploy/grafana.
import './lib/telemetry-off.js';
import { writeFile } from 'node:fs/promises';
import { compileWithBench } from './lib/compile.js';
import { requireNode } from './lib/node-version.js';
import { root } from './lib/paths.js';
import { runMain } from './lib/setup-error.js';

requireNode();
await runMain(async () => {
  await compileWithBench();
  const { buildDashboard } = await import('../dist/deploy/grafana/dashboard.js');
  await writeFile(
    `${root}deploy/grafana/dashboards/entrain.json`,
    `${JSON.stringify(buildDashboard(), null, 2)}\n`,
  );
});
