#!/usr/bin/env node
// npm run build: compiles the programs and the viewer's page into dist.
import './lib/telemetry-off.js';
import { buildPage } from './lib/build-page.js';
import { compile } from './lib/compile.js';
import { requireNode } from './lib/node-version.js';
import { runMain } from './lib/setup-error.js';

requireNode();
await runMain(async () => {
  await compile();
  await buildPage();
});
