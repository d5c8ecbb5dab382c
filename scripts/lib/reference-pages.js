// The pages of commands and metrics, from what the program says of itself.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const says = (...argv) =>
  execFileSync(process.execPath, ['bin/entrain.js', ...argv], { encoding: 'utf8' }).trim();

/** The names of the commands, in the order of `entrain help`. */
export function commandNames() {
  return [...says('help').matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name);
}

/** A section for each command, with what `entrain help NAME` prints. */
export function cliPage() {
  const head = [
    '# Commands and flags',
    '',
    'What `entrain help` and `entrain help COMMAND` print. `npm run reference` writes this page.',
    '',
    '```text',
    says('help'),
    '```',
  ];
  const sections = commandNames().flatMap((name) => [
    '',
    `## entrain ${name}`,
    '',
    '```text',
    says('help', name),
    '```',
  ]);
  return `${[...head, ...sections].join('\n')}\n`;
}

/** The JSON Schema of study files. */
export function studySchemaFile() {
  return `${says('study', 'schema')}\n`;
}

/** Every metric with its help text: name → help, by the sources, where each is declared once. */
export function metricHelp() {
  const found = new Map();
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('metrics.ts'),
  );
  for (const file of files.toSorted()) {
    const text = readFileSync(join('src', file), 'utf8');
    for (const [, name, help] of text.matchAll(/'(entrain_\w+)',\s*(?:help:\s*)?'((?:[^'\\]|\\.)*)'/g))
      if (!found.has(name)) found.set(name, help);
    for (const [, name] of text.matchAll(/'(entrain_\w+)'/g)) if (!found.has(name)) found.set(name, '');
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A table of all metrics. */
export function metricsPage() {
  const rows = [...metricHelp()].map(([name, help]) => `- \`${name}\`${help === '' ? '' : `: ${help}`}`);
  const head = [
    '# Metrics',
    '',
    'What the programs show on `/metrics`, in the words of their help texts. Labels, and which of them belong together, are in',
    '[Design](../design.md#9-metrics); every program also shows `process_*` and `nodejs_*`. `npm run reference` writes this page.',
    '',
  ];
  return `${[...head, ...rows].join('\n')}\n`;
}
