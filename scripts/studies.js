#!/usr/bin/env node
// npm run studies [-- NAME…] [--runs DIR]: runs studies of studies/ unattended, one after another, each with outcomes
// by rule and by its models, and a report; prints their figures and how long each took. Without names: the six of
// docs/results.md. A run that is there already is not played again, one that was stopped goes on.
import './lib/telemetry-off.js';
import { requireNode } from './lib/node-version.js';

requireNode();
const { existsSync } = await import('node:fs');
const { mkdir, readFile, writeFile } = await import('node:fs/promises');
const { join } = await import('node:path');
const { parseArgs } = await import('node:util');
const { runCommand } = await import('./lib/command.js');
const { root } = await import('./lib/paths.js');
const { runMain, say, SetupError } = await import('./lib/setup-error.js');
const { studyFigures } = await import('./lib/study-figures.js');

const SIX = ['engagement', 'temporal', 'dose', 'influence', 'bargaining', 'performance'];
const USUAL_MODEL = 'models/entrain-dialogue-8m';

await runMain(async () => {
  const { values, positionals } = parseArgs({
    options: { runs: { type: 'string', default: 'runs' } },
    allowPositionals: true,
  });
  for (const name of positionals.length > 0 ? positionals : SIX) await playStudy(name, values.runs);
  return 0;
});

async function playStudy(name, runs) {
  const file = `studies/${name}.json`;
  const study = JSON.parse(await readFile(join(root, file), 'utf8'));
  const models = [...new Set(Object.values(study.models ?? {}))];
  const startMs = performance.now();
  // Written with the last scores; a run that was stopped goes on where it was.
  if (!existsSync(join(runs, name, 'results.json')))
    await must('scripts/start.js', ['--once', '--study', file, '--run', name, '--runs', runs, '--port', '0']);
  const minutes = (performance.now() - startMs) / 60_000;
  const asked = (models.length > 0 ? models : [USUAL_MODEL]).flatMap((model) => ['--model', model]);
  await must('bin/entrain.js', ['evaluate', name, '--runs', runs, ...asked]);
  const measured = models.length > 2 ? await writeCovariates(models, runs) : undefined;
  const covariates = measured === undefined ? [] : ['--covariates', measured];
  if (models.length > 2)
    await must('bin/entrain.js', ['analyze', name, '--runs', runs, ...covariates, ...asked]);
  await must('bin/entrain.js', ['report', name, '--runs', runs, ...covariates]);
  const results = JSON.parse(await readFile(join(runs, name, 'results.json'), 'utf8'));
  console.log(
    [`## ${name}: ${minutes.toFixed(1)} minutes with its scores`, '', ...studyFigures(results), ''].join(
      '\n',
    ),
  );
}

async function must(script, args) {
  say(`${script} ${args.join(' ')}`);
  const { status } = await runCommand(process.execPath, [join(root, script), ...args]);
  if (status !== 0)
    throw new SetupError(`${script} ${args[0]} ended with status ${status}; see what it said above.`);
}

/** Size and held-out loss of each model, where training left them all; else those of the study count. */
async function writeCovariates(models, runs) {
  const json = async (path) => JSON.parse(await readFile(join(root, path), 'utf8').catch(() => 'null'));
  const rows = [];
  for (const folder of models) {
    const name = folder.split('/').at(-1);
    const tuned = await json(`training/logs/${name}.tuned.json`);
    rows.push({ name, size: sizeOf(await json(`${folder}/config.json`)), loss: tuned?.corpora?.after });
  }
  if (rows.some(({ loss }) => loss === undefined)) return undefined;
  const lines = rows.map(({ name, size, loss }) => [name, Math.log10(size).toFixed(4), loss].join(','));
  const path = join(runs, 'covariates.csv');
  await mkdir(runs, { recursive: true });
  await writeFile(path, `model,log_size,loss\n${lines.join('\n')}\n`);
  return path;
}

/** Parameters of a Llama without biases whose embedding serves both ends. */
function sizeOf({
  vocab_size: vocabulary,
  hidden_size: width,
  intermediate_size: inner,
  num_hidden_layers: layers,
  head_dim: head,
  num_attention_heads: heads,
  num_key_value_heads: shared,
}) {
  const attention = 2 * width * head * (heads + shared);
  return vocabulary * width + layers * (attention + 3 * width * inner + 2 * width) + width;
}
