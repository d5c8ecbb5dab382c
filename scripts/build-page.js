#!/usr/bin/env node
// Builds the viewer's page alone, for the tests.
import './lib/telemetry-off.js';
import { buildPage } from './lib/build-page.js';
import { runMain } from './lib/setup-error.js';

await runMain(buildPage);
