#!/usr/bin/env node
// npm test: does all set-up that is missing, then runs the gates and every test. Arguments narrow the tests by file
// name, and then the gates are left out.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain } = await import('./lib/setup-error.js');
const { runTests } = await import('./lib/run-tests.js');
await runMain(() => runTests(process.argv.slice(2)));
