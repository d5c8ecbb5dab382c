/**
 * Packs the results of a pass whose cache stays in the device's memory: logits of the last token, and those states that
 * an input names. Nothing else leaves the device.
 *
 *   logits, last token ───────────────────────────┐
 *   layers 0..L ─▶ rows of one matrix ─▶ Gather ──┴▶ Concat ─▶ one row of float32
 *   entrain_wanted ───────────────────────┘
 */
import { concat } from '../../onnx/protobuf.ts';
import { inputField, integersField, nodeField } from '../../onnx/write-node.ts';
import { PASS, WANTED } from '../runtime/graph-io.ts';
import { LAST_LOGITS, lastLogits } from './pack-outputs.ts';
import type { Patch } from './patch-graph.ts';
import type { TapPlan } from './plan-taps.ts';

const FLOAT = 1;
const INT64 = 7;
const FLAT = 'entrain_flat';

/** @returns the plan's patch with the packed output: logits of the last token, [wanted states, dims] */
export function packWanted(plan: Pick<TapPlan, 'taps' | keyof Patch>): Patch {
  const chosen = plan.taps.length > 0 ? chooseStates(plan.taps) : [];
  const parts = [LAST_LOGITS, ...(chosen.length > 0 ? [CHOSEN] : [])];
  const inputs = chosen.length > 0 ? [inputField(WANTED, INT64, ['entrain_wanted_states'])] : [];
  const flat = parts.map((part) => `${part}_flat`);
  const pass = nodeField({ op: 'Concat', inputs: flat, outputs: [PASS], attributes: { axis: 0 } });
  return {
    outputs: [...plan.outputs, PASS],
    edits: plan.edits,
    before: concat([...inputs, integersField(FLAT, [-1]), ...lastLogits.constants]),
    after: concat([...lastLogits.nodes, ...chosen, ...parts.flatMap(flatten), pass]),
  };
}

const CHOSEN = 'entrain_chosen';

/** All states as rows of one matrix, and those of them that are wanted. */
function chooseStates(taps: readonly string[]): Uint8Array[] {
  const rows = taps.map((_, layer) => `entrain_states_${layer}`);
  const states = 'entrain_states';
  return [
    ...taps.flatMap((tap, layer) => [
      toFloat(tap, `${rows[layer]}_real`),
      // One row for each token, whether the tap has a batch axis or not.
      nodeField({
        op: 'Flatten',
        inputs: [`${rows[layer]}_real`],
        outputs: [rows[layer] ?? ''],
        attributes: { axis: -1 },
      }),
    ]),
    nodeField({ op: 'Concat', inputs: rows, outputs: [states], attributes: { axis: 0 } }),
    nodeField({ op: 'Gather', inputs: [states, WANTED], outputs: [CHOSEN], attributes: { axis: 0 } }),
  ];
}

function flatten(part: string): Uint8Array[] {
  return [
    toFloat(part, `${part}_float`),
    nodeField({ op: 'Reshape', inputs: [`${part}_float`, FLAT], outputs: [`${part}_flat`] }),
  ];
}

function toFloat(tensor: string, output: string): Uint8Array {
  return nodeField({ op: 'Cast', inputs: [tensor], outputs: [output], attributes: { to: FLOAT } });
}
