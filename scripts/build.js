#!/usr/bin/env node
// npm run build: compiles the programs into dist.
import './lib/telemetry-off.js';
import { compile } from './lib/compile.js';
import { requireNode } from './lib/node-version.js';
import { runMain } from './lib/setup-error.js';

requireNode();
await runMain(compile);
