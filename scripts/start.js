#!/usr/bin/env node
// npm start: does all set-up that is missing, then becomes `entrain start`. Works in a fresh clone with only git,
// Node and npm. The rest is loaded only after the Node version is known to do.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { runMain } = await import('./lib/setup-error.js');
const { startDemo } = await import('./lib/start-demo.js');
await runMain(() => startDemo(process.argv.slice(2)));
