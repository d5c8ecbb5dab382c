/** A model's tokenizer, as `tokenizer.json` describes it. */
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { encodeByPieces, idsOf, type Piece } from './encode-pieces.ts';
import { exists, readJson, readJsonIfThere } from '../folder/model-folder.ts';

export interface Tokenizer {
  /** Adds no special tokens, since template texts have them already. */
  encode(text: string): readonly number[];
  /** As `encode`, in pieces whose tokens do not depend on the surrounding text. */
  encodePieces(text: string): readonly Piece[];
  /**
   * Leaves special tokens out and keeps spaces as the tokens have them. `clean_up_tokenization_spaces` is for
   * WordPiece, removes letters and spaces for other tokenizers, and is ignored by transformers 5 too.
   */
  decode(ids: readonly number[]): string;
  idOf(token: string): number | undefined;
  /** Whether the token begins with a blank, so that it begins a word. */
  startsWord(id: number): boolean;
  /** Tokens that are marks and not words (`<|end|>`, `</think>`, `[INST]`), special or not, by name. */
  controls: ReadonlyMap<string, number>;
  /** Names of added tokens that the model has no row for; text that spells one is ordinary text. */
  leftOut: readonly string[];
  /** Tokens that the template may use, by their name in tokenizer_config.json: bos_token, eos_token, … */
  specials: Record<string, string>;
  size: number;
  largestId: number;
}

/**
 * @param rows how many tokens the model knows; undefined: not known yet. Added tokens beyond them, which no model was
 * taught, are left out
 * @throws EntrainError MODEL_MISSING, MODEL_CORRUPT, or VOCABULARY_MISMATCH where words would be beyond them
 */
export async function loadTokenizer(folder: string, rows?: number): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  if (!(await exists(path))) throw missing(path);
  const settings = await readJsonIfThere(join(folder, 'tokenizer_config.json'));
  const map = await readJsonIfThere(join(folder, 'special_tokens_map.json'));
  const json = await readJson(path);
  const leftOut = addedBeyond(json, rows);
  const hub = construct(withoutTokens(json, leftOut), settings, path);
  const ids = [...hub.get_vocab(true).values()];
  const encodePieces = encodeByPieces((text) => hub.encode(text, { add_special_tokens: false }).ids, {
    specials: [...hub.get_added_tokens_decoder().values()],
    wordsApart: keepsWordsApart(hub),
  });
  return {
    encode: (text) => idsOf(encodePieces(text)),
    encodePieces,
    decode: (tokens) => (tokens.length === 0 ? '' : hub.decode([...tokens], DECODING)),
    idOf: (token) => hub.token_to_id(token),
    startsWord: (id) => /^[ ▁Ġ]/u.test(hub.id_to_token(id) ?? ''),
    controls: controlTokens(hub),
    leftOut: [...leftOut],
    specials: { ...specialTokens(map), ...specialTokens(settings) },
    size: ids.length,
    largestId: ids.reduce((largest, id) => Math.max(largest, id), -1),
  };
}

const DECODING = { skip_special_tokens: true, clean_up_tokenization_spaces: false };

function construct(json: object, settings: object, path: string): HubTokenizer {
  try {
    const hub = new HubTokenizer(json, settings);
    setWhiteSpace(hub.pre_tokenizer);
    return hub;
  } catch (cause) {
    throw new EntrainError(
      'MODEL_CORRUPT',
      `${path} does not describe a tokenizer: ${(cause as Error).message}; fetch it again.`,
      { cause },
    );
  }
}

interface Splitter {
  pattern?: RegExp | null;
  tokenizers?: Splitter[];
}

/**
 * GPT-2's pattern takes for white space what Unicode does, with U+0085 and without U+FEFF; the library's copy of it
 * takes what JavaScript does.
 */
function setWhiteSpace(splitter: unknown): void {
  const { pattern, tokenizers = [] } = (splitter ?? {}) as Splitter;
  tokenizers.forEach(setWhiteSpace);
  if (!(pattern instanceof RegExp) || !pattern.unicode) return;
  const source = pattern.source
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`)
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`);
  (splitter as Splitter).pattern = new RegExp(source, pattern.flags);
}

function missing(path: string): EntrainError {
  return new EntrainError(
    'MODEL_MISSING',
    `There is no ${path}; fetch the model's tokenizer.json (a "fast" tokenizer) into its folder.`,
  );
}

function keepsWordsApart(hub: HubTokenizer): boolean {
  if (hub.pre_tokenizer) return true;
  return ![...hub.get_vocab(false).keys()].some((token) => /[^\s▁][\s▁]/u.test(token));
}

interface AddedToken {
  id: number;
  content: string;
  special: boolean;
}

/**
 * Added tokens and those of the vocabulary that text spells, as far as they look like marks. Runs of blanks and single
 * characters do not.
 */
function controlTokens(hub: HubTokenizer): Map<string, number> {
  const controls = new Map<string, number>();
  for (const { id, content, special } of hub.get_added_tokens_decoder().values()) {
    const isMark = special || /[^\p{L}\p{N}\s]/u.test(content);
    if (isMark && content.trim() !== '' && [...content].length > 1) controls.set(content, id);
  }
  for (const [content, id] of hub.get_vocab(false)) {
    if (controls.has(content) || !LOOKS_LIKE_A_MARK.test(content)) continue;
    const spelled = hub.encode(content, { add_special_tokens: false }).ids;
    if (spelled.includes(id)) controls.set(content, id);
  }
  return controls;
}

/** A byte's name is none: text spells the byte itself. */
const LOOKS_LIKE_A_MARK = /^(?:<(?!0x[0-9A-F]{2}>)[^<>\s]+>|\[[A-Z_/]+\])$/;

function addedBeyond(json: Record<string, unknown>, rows = Number.POSITIVE_INFINITY): Set<string> {
  const added = (json['added_tokens'] ?? []) as AddedToken[];
  return new Set(added.filter(({ id }) => id >= rows).map(({ content }) => content));
}

/** The tokenizer's file without some of its added tokens, which may stand in its vocabulary too. */
function withoutTokens(json: Record<string, unknown>, names: ReadonlySet<string>): Record<string, unknown> {
  const added = (json['added_tokens'] ?? []) as AddedToken[];
  const model = json['model'] as { vocab?: Record<string, number> | unknown[] } | undefined;
  const kept = { ...json, added_tokens: added.filter(({ content }) => !names.has(content)) };
  if (names.size === 0 || !model?.vocab || Array.isArray(model.vocab)) return kept;
  const vocab = Object.fromEntries(Object.entries(model.vocab).filter(([token]) => !names.has(token)));
  return { ...kept, model: { ...model, vocab } };
}

function specialTokens(settings: Record<string, unknown>): Record<string, string> {
  const specials: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (!key.endsWith('_token')) continue;
    const content = typeof value === 'object' && value !== null && 'content' in value ? value.content : value;
    if (typeof content === 'string') specials[key] = content;
  }
  return specials;
}
