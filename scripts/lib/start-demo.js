import { pathToFileURL } from 'node:url';
import { buildPage } from './build-page.js';
import { compile } from './compile.js';
import { ensureNatsServer } from './nats-server.js';
import { ensurePackages } from './packages.js';
import { root } from './paths.js';

/**
 * Sets up and runs `entrain start` inside this very process: no child in between that a signal could miss, reach
 * twice, or leave behind.
 */
export async function startDemo(args) {
  await ensurePackages();
  const natsServer = await ensureNatsServer();
  if (natsServer !== undefined) process.env.ENTRAIN_NATS_SERVER = natsServer;
  await compile();
  await buildPage();
  const program = `${root}dist/src/cli/entrain.js`;
  process.argv.splice(1, process.argv.length, program, 'start', ...args);
  await import(pathToFileURL(program).href);
  return process.exitCode;
}
