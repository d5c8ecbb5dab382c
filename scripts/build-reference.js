#!/usr/bin/env node
// npm run reference: writes docs/reference/cli.md and metrics.md from the built program; a test holds the two pages against it.
import './lib/telemetry-off.js';
import { writeFileSync } from 'node:fs';
import { cliPage, metricsPage } from './lib/reference-pages.js';

writeFileSync('docs/reference/cli.md', cliPage());
writeFileSync('docs/reference/metrics.md', metricsPage());
