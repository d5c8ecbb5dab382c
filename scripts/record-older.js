#!/usr/bin/env node
// node scripts/record-older.js DIR COMMIT: records in test/fixtures/older/recorded.json what an earlier package, built
// in DIR, makes and takes of the protocol. DIR comes by: git archive COMMIT | tar x -C DIR, then npm ci and
// tsc -p tsconfig.build.json there. A test holds the present package against it, so that it needs no history.
import './lib/telemetry-off.js';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { compileWithBench } from './lib/compile.js';
import { root } from './lib/paths.js';
import { runMain, say, SetupError } from './lib/setup-error.js';

const { positionals } = parseArgs({ allowPositionals: true });
const SEED = 20;
const MESSAGES = 400;
const OF_EACH = 3;

await runMain(async () => {
  const [folder, commit] = positionals;
  if (folder === undefined || commit === undefined)
    throw new SetupError('expected the folder of an earlier package that was built, and its commit.');
  await compileWithBench();
  const load = (from, file) => import(pathToFileURL(join(resolve(from), 'dist', file)).href);
  const older = {
    ...(await load(folder, 'src/protocol/version.js')),
    ...(await load(folder, 'src/protocol/subjects.js')),
    ...(await load(folder, 'src/protocol/stream/codec.js')),
    ...(await load(folder, 'src/protocol/nats-messages.js')),
  };
  const { anyMessage } = await load(root, 'test/fixtures/stream/frame-arbitraries.js');
  const { SAMPLES } = await load(root, 'test/fixtures/older/samples.js');
  const { sample } = await import('fast-check');
  const frames = smallest(sample(anyMessage, { numRuns: MESSAGES, seed: SEED }), older.encodeMessage).map(
    (bytes) => {
      older.decodeMessage(bytes);
      return Buffer.from(bytes).toString('base64');
    },
  );
  const messages = Object.fromEntries(
    Object.entries(SAMPLES).map(([schema, message]) => {
      older[schema].parse(message);
      return [schema, message];
    }),
  );
  const names = Object.fromEntries(
    Object.entries(older.subjects)
      .filter(([, make]) => make.length > 0 && !/^\([^)]*\{/.test(make.toString()))
      .map(([name, make]) => [name, make('a', 'b', 'c')]),
  );
  const recorded = { commit, version: older.ANNOUNCED_VERSION, subjects: names, messages, frames };
  await writeFile(join(root, 'test/fixtures/older/recorded.json'), `${JSON.stringify(recorded, null, 2)}\n`);
  say(
    `${frames.length} frames, ${Object.keys(messages).length} messages, ${Object.keys(names).length} subjects`,
  );
  return 0;
});

/** Some of each type. */
function smallest(messages, encode) {
  const byType = new Map();
  for (const message of messages) byType.set(message.type, [...(byType.get(message.type) ?? []), message]);
  return [...byType.values()].flatMap((some) =>
    some
      .map(encode)
      .toSorted((a, b) => a.length - b.length)
      .slice(0, OF_EACH),
  );
}
