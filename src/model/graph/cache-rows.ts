/**
 * Splits the input of a cache that grows by Concat in two, so that a step returns only its new rows. `past` stays the
 * same for many steps; the rows added since then are one small input for all slots.
 *
 *   past ──────────────────┐                     past: [1, heads, tokens, head dims]
 *   recent ─▶ its slot ────┼─▶ Concat ─▶ present, as before
 *   new row ───────────────┘                     recent, rows: [tokens, slots, heads, head dims]
 *
 * Where `split-attention.ts` can, `past` is not joined at all, and `present` holds the rows since then alone; whoever
 * feeds recent rows in float32 must not read it.
 */
import { isPast, presentNames, RECENT } from '../runtime/graph-io.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';
import { nodeContent, type NodeEdit, withNames } from './patch-graph.ts';
import { concat } from '../../onnx/protobuf.ts';
import { type CacheParts, splitAttention } from './split-attention.ts';
import { splitTensor } from './split-tensor.ts';
import { inputField, nodeField } from '../../onnx/write-node.ts';

export interface CacheRows {
  /** Fields that go before the graph's own: they split the recent rows by slot. */
  before: Uint8Array;
  /** Fields that concatenate the new rows; they go after the graph's own. */
  after: Uint8Array;
  edits: NodeEdit[];
  /** Name of the tensor with the new rows, float32. */
  rows: string;
}

interface Slot {
  past: string;
  /** The Concat node that computes `present`. */
  grow: GraphNode;
  /** Name of the tensor with the new rows, [1, heads, tokens, head dims]. */
  added: string;
}

const FLOAT = 1;

/** @returns undefined if the cache is not computed by one Concat for each slot, or if slots differ in size */
export function splitCache(graph: Graph, opset: number): CacheRows | undefined {
  const pasts = graph.inputs.filter(isPast);
  const sizes = pasts.map((past) => graph.types.get(past));
  const [first] = sizes;
  if (first?.dims.length !== 4 || sizes.some((size) => !size || !sameRows(size.dims, first.dims))) return;
  const slots = pasts.flatMap((past) => findSlot(graph, past) ?? []);
  if (slots.length !== pasts.length || isCaptured(graph, pasts)) return;
  const attention = first.type === FLOAT ? splitAttention(graph, slots.map(partsOf), opset) : undefined;
  const recent = splitRecent(pasts, { dims: first.dims, type: first.type, opset });
  return {
    before: attention ? concat([recent, attention.before]) : recent,
    after: gatherRows(slots),
    edits: [
      ...slots.flatMap((slot) => rewire(graph, slot, attention !== undefined)),
      ...(attention?.edits ?? []),
    ],
    rows: 'entrain_rows',
  };
}

function partsOf({ past, grow }: Slot): CacheParts {
  return { past, fresh: grow.outputs[0] ?? '' };
}

function sameRows(a: readonly (number | string)[], b: readonly (number | string)[]): boolean {
  return a.length === b.length && a[1] === b[1] && a[3] === b[3];
}

function findSlot(graph: Graph, past: string): Slot | undefined {
  const presents = presentNames(past).filter((name) => graph.outputs.includes(name));
  const grow = graph.nodes.find(({ outputs }) => presents.includes(outputs[0] ?? ''));
  const [before, added, ...more] = grow?.inputs ?? [];
  if (grow?.op !== 'Concat' || before !== past || added === undefined || more.length > 0) return undefined;
  return { past, grow, added };
}

/** Whether a sub-graph reads the cache: it would see only the old part. */
function isCaptured(graph: Graph, pasts: readonly string[]): boolean {
  const inner = graph.nodes.flatMap(({ graphs }) => [...graphs.values()]);
  const seen = (part: Graph): boolean =>
    part.nodes.some((node) => node.inputs.some((name) => pasts.includes(name)) || isCaptured(part, pasts));
  return inner.some(seen);
}

function recentOf(past: string): string {
  return `${RECENT}.${past}`;
}

function wholeOf(past: string): string {
  return `entrain_whole.${past}`;
}

interface RecentType {
  dims: readonly (number | string)[];
  type: number;
  opset: number;
}

function splitRecent(pasts: readonly string[], { dims, type, opset }: RecentType): Uint8Array {
  const [, heads = '', , headDims = ''] = dims;
  return concat([
    inputField(RECENT, FLOAT, ['entrain_recent_tokens', 'entrain_slot_rows', heads, headDims]),
    nodeField({
      op: 'Transpose',
      inputs: [RECENT],
      outputs: ['entrain_recent_slots'],
      attributes: { perm: [1, 2, 0, 3] },
    }),
    nodeField({
      op: 'Cast',
      inputs: ['entrain_recent_slots'],
      outputs: ['entrain_recent_cast'],
      attributes: { to: type },
    }),
    splitTensor('entrain_recent_cast', pasts.map(recentOf), opset),
  ]);
}

function gatherRows(slots: readonly Slot[]): Uint8Array {
  return concat([
    nodeField({
      op: 'Concat',
      inputs: slots.map(({ added }) => added),
      outputs: ['entrain_new_slots'],
      attributes: { axis: 0 },
    }),
    nodeField({
      op: 'Transpose',
      inputs: ['entrain_new_slots'],
      outputs: ['entrain_new_rows'],
      attributes: { perm: [2, 0, 1, 3] },
    }),
    nodeField({
      op: 'Cast',
      inputs: ['entrain_new_rows'],
      outputs: ['entrain_rows'],
      attributes: { to: FLOAT },
    }),
  ]);
}

/** Makes other nodes that read `past` (mostly for its length) read both parts. */
function rewire(graph: Graph, { past, grow, added }: Slot, isSplit: boolean): NodeEdit[] {
  const others = graph.nodes.filter((node) => node !== grow && node.inputs.includes(past));
  const content = withNames(nodeContent(graph.bytes, grow), {
    inputs: [...(isSplit ? [] : [past]), recentOf(past), added],
  });
  const edits: NodeEdit[] = [{ node: grow, content }];
  const [first] = others;
  if (!first) return edits;
  const whole = nodeField({
    op: 'Concat',
    inputs: [past, recentOf(past)],
    outputs: [wholeOf(past)],
    attributes: { axis: 2 },
  });
  for (const node of others) {
    const inputs = node.inputs.map((name) => (name === past ? wholeOf(past) : name));
    const edit: NodeEdit = { node, content: withNames(nodeContent(graph.bytes, node), { inputs }) };
    edits.push(node === first ? { ...edit, before: whole } : edit);
  }
  return edits;
}
