/** Formats the result of `models try`. */
import type { TryReport } from './try-model.ts';

export function showTry(report: TryReport): string {
  const { info, prompt, promptIds, text, finish, tokens, stateNorms } = report;
  const norms = stateNorms.map((norm, i) => `${i + 1}: ${norm.toPrecision(5)}`);
  const rows: [name: string, value: string][] = [
    ['model', `${info.name}, ${info.layers} layers of ${info.dims} dims, on ${info.provider}`],
    ['prompt', prompt],
    ['prompt ids', `${promptIds.length}: ${promptIds.join(' ')}`],
    ['reply', text],
    ['finish', `${finish}, after ${tokens} tokens`],
    ['norms', norms.join('  ')],
    ...info.notices.map((notice): [name: string, value: string] => ['notice', notice]),
  ];
  return rows
    .map(([name, value]) => `${name.padEnd(11)} ${value.replaceAll('\n', `\n${' '.repeat(12)}`)}`)
    .join('\n');
}
