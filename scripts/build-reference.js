#!/usr/bin/env node
// npm run reference: writes docs/reference/cli.md, metrics.md and studies/study.schema.json from the built program.
// Tests compare them with it.
import './lib/telemetry-off.js';
import { writeFileSync } from 'node:fs';
import { cliPage, metricsPage, studySchemaFile } from './lib/reference-pages.js';

writeFileSync('docs/reference/cli.md', cliPage());
writeFileSync('docs/reference/metrics.md', metricsPage());
writeFileSync('studies/study.schema.json', studySchemaFile());
