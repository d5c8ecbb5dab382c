/**
 * Finds out which inputs and outputs of a session are token ids, mask, positions, logits and the key/value cache,
 * whose names differ between exporters.
 */
import { EntrainError } from '../../protocol/errors.ts';

export interface ValueInfo {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

/** One cache tensor: names of input and output, and the axis of its tokens. */
export interface CacheSlot {
  past: string;
  present: string;
  type: string;
  /** The shape with batch size 1 and no tokens. */
  emptyShape: number[];
  tokenAxis: number;
}

/** Further inputs of some exports, which follow from the number of tokens; by what is fed into them. */
export type OtherKind = 'places' | 'zeros' | 'total' | 'past' | 'last' | 'one';

export interface GraphIo {
  ids: ValueInfo;
  mask: ValueInfo | undefined;
  positions: ValueInfo | undefined;
  /** Inputs that are known without the model: lengths, positions, and the number of logits wanted. */
  others: { info: ValueInfo; kind: OtherKind }[];
  /** `decoder_model_merged` chooses its branch by this flag. */
  useCache: ValueInfo | undefined;
  logits: ValueInfo;
  slots: CacheSlot[];
  /** The latest rows of the cache, if `pack-pass.ts` lets it grow by rows. */
  recent: ValueInfo | undefined;
  /** Indices of the states wanted of a pass, if `pack-wanted.ts` lets the graph choose them. */
  wanted: ValueInfo | undefined;
  /** Inputs that are added to layers' states, where `state-inputs.ts` made some. */
  patches: { layer: number; info: ValueInfo }[];
}

/** Names used by exporters. */
const OTHER_INPUTS: Readonly<Record<string, OtherKind>> = {
  num_logits_to_keep: 'one',
  logits_to_keep: 'one',
  token_type_ids: 'zeros',
  cache_position: 'places',
  cache_positions: 'places',
  positions: 'places',
  input_positions: 'places',
  position_id: 'places',
  total_sequence_length: 'total',
  total_seq_len: 'total',
  past_sequence_length: 'past',
  past_seq_len: 'past',
  seqlens_k: 'last',
};

const LOGITS = 'logits';

const PAST = /^(?:past_key_values\.(\d+)\.(key|value)|past_(\d+)|past_(key|value)_(\d+))$/;

/** Names of the input and the output that `pack-pass.ts` adds. */
export const RECENT = 'entrain_recent';
export const PASS = 'entrain_pass';
/** Name of the input that `pack-wanted.ts` adds. */
export const WANTED = 'entrain_wanted';

const PATCH = /^entrain_patch_(\d+)$/;

/** Name of the input that is added to the state of a layer. */
export const patchInput = (layer: number): string => `entrain_patch_${layer}`;

export function isPast(name: string): boolean {
  return PAST.test(name);
}

export function mapGraphIo(inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): GraphIo {
  const byName = new Map(inputs.map((input) => [input.name, input]));
  const slots = inputs.filter(({ name }) => isPast(name)).map((input) => toSlot(input, outputs));
  const io: GraphIo = {
    ids: named(byName, 'input_ids'),
    mask: byName.get('attention_mask'),
    positions: byName.get('position_ids'),
    useCache: byName.get('use_cache_branch'),
    others: inputs.flatMap((info) => {
      const kind = Object.hasOwn(OTHER_INPUTS, info.name) ? OTHER_INPUTS[info.name] : undefined;
      return kind === undefined ? [] : [{ info, kind }];
    }),
    logits: named(new Map(outputs.map((output) => [output.name, output])), LOGITS),
    slots,
    recent: byName.get(RECENT),
    wanted: byName.get(WANTED),
    patches: inputs.flatMap((info) => {
      const layer = PATCH.exec(info.name)?.[1];
      return layer === undefined ? [] : [{ layer: Number(layer), info }];
    }),
  };
  refuseUnknown(io, inputs);
  return io;
}

const OTHER_KINDS: readonly [pattern: RegExp, kind: string][] = [
  [/^encoder_|^decoder_input|^input_features$/, 'an encoder-decoder model'],
  [/inputs_embeds|pixel|image|audio|vision/, 'a multimodal model'],
  [/conv|ssm|recurrent|mamba|rwkv|state/, 'a hybrid or recurrent model'],
];

/** Refuses graphs of other kinds by their inputs, before a missing residual stream or cache would be reported. */
export function refuseOtherKinds(inputs: readonly string[]): void {
  for (const [pattern, kind] of OTHER_KINDS) {
    const input = inputs.find((name) => pattern.test(name));
    if (input === undefined) continue;
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The graph belongs to ${kind} (it wants an input ${input}), expected a plain text decoder; choose another model.`,
    );
  }
}

function named(values: ReadonlyMap<string, ValueInfo>, name: string): ValueInfo {
  const value = values.get(name);
  if (value) return value;
  throw new EntrainError(
    'MODEL_UNSUPPORTED',
    `The graph has no ${name === LOGITS ? 'output' : 'input'} ${name} (it has ${[...values.keys()].slice(0, 8).join(', ')}), expected a text decoder; export it as one.`,
  );
}

/** Checks that the file has logits, before anything is built on a missing output. */
export function requireLogits(outputs: readonly string[]): void {
  named(new Map(outputs.map((name) => [name, { name, type: '', shape: [] }])), LOGITS);
}

function refuseUnknown(io: GraphIo, inputs: readonly ValueInfo[]): void {
  const known = new Set(
    [io.ids, io.mask, io.positions, io.useCache, io.recent, io.wanted].map((value) => value?.name),
  );
  for (const slot of io.slots) known.add(slot.past);
  for (const { info } of [...io.others, ...io.patches]) known.add(info.name);
  const unknown = inputs.find(({ name }) => !known.has(name));
  if (unknown && /past|cache/.test(unknown.name)) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The graph's cache has an input ${unknown.name}, expected past_key_values.0.key and so on, with outputs present.0.key; name them so in the export.`,
    );
  }
  if (unknown) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The graph wants an input ${unknown.name} that a plain text decoder does not have; hybrid and multimodal models cannot be run.`,
    );
  }
  if (io.slots.length === 0) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      'The graph takes no past keys and values, expected a decoder with cache; export it with the text-generation-with-past task.',
    );
  }
}

function toSlot(input: ValueInfo, outputs: readonly ValueInfo[]): CacheSlot {
  const names = presentNames(input.name);
  const present = outputs.find(({ name }) => names.includes(name));
  if (!present)
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The graph takes ${input.name} but gives none of ${names.join(', ')}; export it with its cache.`,
    );
  if (!CACHE_TYPES.includes(input.type))
    throw badCache(input.name, `holds ${input.type}`, 'float32 or float16');
  if (input.shape.length < FEWEST_AXES)
    throw badCache(input.name, 'states no shape', '[batch, heads, tokens, head size]');
  const tokenAxis = input.shape.length - 2;
  const batchAxis = input.shape.length - 4;
  const emptyShape = input.shape.map((size, axis) => {
    if (axis === tokenAxis) return 0;
    if (axis === batchAxis) return 1;
    return fixedSize(size, input.name);
  });
  return { past: input.name, present: present.name, type: input.type, emptyShape, tokenAxis };
}

const CACHE_TYPES = ['float32', 'float16'];
/** Heads may be folded into the batch axis. */
const FEWEST_AXES = 3;

function badCache(name: string, has: string, expected: string): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The cache ${name} ${has}, expected ${expected}; export the model so.`,
  );
}

function fixedSize(size: number | string, name: string): number {
  if (typeof size === 'number') return size;
  throw new EntrainError(
    'MODEL_UNSUPPORTED',
    `The cache ${name} has a free dimension ${size} for heads or head size; export the model with those fixed.`,
  );
}

export function presentNames(past: string): string[] {
  return [
    past.replace('past_key_values', 'present'),
    past.replace('past_key_values', 'present_key_values'),
    past.replace('past', 'present'),
  ];
}
