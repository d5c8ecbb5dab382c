// npm run reference: writes docs/reference/cli.md and metrics.md from the built program; a test holds the two pages against it.
import { writeFileSync } from 'node:fs';
import { cliPage, metricsPage } from './reference-pages.js';

writeFileSync('docs/reference/cli.md', cliPage());
writeFileSync('docs/reference/metrics.md', metricsPage());
