/**
 * Packs all results of a pass into one output. The binding copies each output into newly allocated memory, which takes
 * about ten microseconds: one output for each layer would cost more than a layer of a small model.
 *
 *   logits, last token ─┐
 *   layers 0..L ────────┼▶ Concat ─▶ one row of float32
 *   new cache rows ─────┘
 *
 * The model's own nodes are unchanged, so its numbers are as well; where attention is split (`split-attention.ts`) they
 * agree to rounding.
 */
import { splitCache } from './cache-rows.ts';
import { PASS } from '../runtime/graph-io.ts';
import type { OnnxModel } from './onnx-graph.ts';
import type { Patch } from './patch-graph.ts';
import type { TapPlan } from './plan-taps.ts';
import { concat } from '../../onnx/protobuf.ts';
import { integersField, nodeField } from '../../onnx/write-node.ts';

const FLOAT = 1;
const LAST = 'entrain_last';
/** Name of the logits of the last token. */
export const LAST_LOGITS = 'entrain_logits';
const FLAT = 'entrain_flat';

/**
 * @returns the plan's patch with the packed output: logits of the last token, [layers + 1, tokens, dims], new cache
 * rows
 */
export function packOutputs({ graph, opsets }: OnnxModel, plan: Pick<TapPlan, 'taps' | keyof Patch>): Patch {
  const cache = splitCache(graph, opsets.get('ai.onnx') ?? 0);
  const parts = [LAST_LOGITS, ...plan.taps, ...(cache ? [cache.rows] : [])];
  return {
    outputs: [...plan.outputs, PASS],
    edits: [...plan.edits, ...(cache?.edits ?? [])],
    before: concat([...lastLogits.constants, integersField(FLAT, [-1]), cache?.before ?? NOTHING]),
    after: concat([cache?.after ?? NOTHING, ...lastLogits.nodes, ...packed(parts)]),
  };
}

/** Fields that compute the logits of the last token. */
export const lastLogits = {
  constants: [integersField(LAST, [-1], [])],
  nodes: [
    nodeField({
      op: 'Gather',
      inputs: ['logits', LAST],
      outputs: [LAST_LOGITS],
      // Counted from the end, since some exports have no batch axis.
      attributes: { axis: -2 },
    }),
  ],
};

const NOTHING = new Uint8Array(0);

/** The runtime removes a cast to the type that a tensor already has, and a reshape copies nothing. */
function packed(parts: readonly string[]): Uint8Array[] {
  const flat = parts.map((_, i) => `entrain_part_${i}`);
  return [
    ...parts.flatMap((part, i) => [
      nodeField({ op: 'Cast', inputs: [part], outputs: [`${flat[i]}_real`], attributes: { to: FLOAT } }),
      nodeField({ op: 'Reshape', inputs: [`${flat[i]}_real`, FLAT], outputs: [flat[i] ?? ''] }),
    ]),
    nodeField({ op: 'Concat', inputs: flat, outputs: [PASS], attributes: { axis: 0 } }),
  ];
}
