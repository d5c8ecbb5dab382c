/** Formats the report on a model: one line for each fact; residual stream, inputs and outputs in full. */
import type { ValueInfo } from '../runtime/graph-io.ts';
import type { ModelReport } from './inspect-model.ts';

type Row = [name: string, value: string];

export function showModel(model: ModelReport): string {
  const { template } = model;
  const rows: Row[] = [
    ['model', `${model.name} (${model.family}), ${model.parameters.toLocaleString('en')} parameters`],
    ['graph', model.graph],
    ['exporter', model.exporter],
    ['opsets', pairs(model.opsets)],
    ['layers', `${model.layers} of ${model.dims} dims`],
    ['heads', `${model.heads} over ${model.keyValueHeads} key/value heads of ${model.headDims}`],
    ['vocabulary', String(model.vocabulary)],
    ['context', `${model.contextTokens} tokens`],
    ['data types', pairs(model.dataTypes)],
    ['weights in', model.externalFiles.length > 0 ? model.externalFiles.join(', ') : 'the graph'],
    ['template', template ? showTemplate(template) : 'no tokenizer'],
    ...block('inputs', model.inputs.map(showValue)),
    ...block('outputs', model.outputs.map(showValue)),
    ...model.taps.map((tap, layer): Row => [`layer ${layer}`, tap]),
    ...block('stream', model.chain),
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)} ${value}`).join('\n');
}

function showTemplate({ source, takesSystem, alternates }: NonNullable<ModelReport['template']>): string {
  const origin = source === 'model' ? "the model's own" : 'none of its own, plain text is used';
  const system = takesSystem ? 'takes a system prompt' : 'takes the system prompt in the first user message';
  return `${origin}; ${system}; ${alternates ? 'demands alternation' : 'tolerates turns in any order'}`;
}

function pairs(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function showValue({ name, type, shape }: ValueInfo): string {
  return `${name}  ${type} [${shape.join(', ')}]`;
}

/** The name is on the first line only. */
function block(name: string, lines: readonly string[]): Row[] {
  return lines.map((line, i) => [i === 0 ? name : '', line]);
}
