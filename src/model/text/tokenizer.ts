/** A model's tokenizer, as `tokenizer.json` describes it. */
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { encodeByPieces, idsOf, type Piece } from './encode-pieces.ts';
import { exists, readJson, readJsonIfThere } from '../folder/model-folder.ts';

export interface Tokenizer {
  /** Template texts hold their special tokens already; none are added. */
  encode(text: string): readonly number[];
  /** As `encode`, in stretches that are tokenised alike whatever stands around them. */
  encodePieces(text: string): readonly Piece[];
  /** Special tokens are left out. */
  decode(ids: readonly number[]): string;
  idOf(token: string): number | undefined;
  /** The token begins with a blank, so no word goes on in it. */
  startsWord(id: number): boolean;
  /** The same words, in which no special token can be read: what a peer says must not open a turn. */
  shield(text: string): string;
  /** Tokens that the template may use, by their name in tokenizer_config.json: bos_token, eos_token, … */
  specials: Record<string, string>;
  size: number;
  largestId: number;
}

export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  if (!(await exists(path))) throw missing(path);
  const settings = await readJsonIfThere(join(folder, 'tokenizer_config.json'));
  const hub = construct(await readJson(path), settings, path);
  const ids = [...hub.get_vocab(true).values()];
  const encodePieces = encodeByPieces((text) => hub.encode(text, { add_special_tokens: false }).ids, {
    specials: [...hub.get_added_tokens_decoder().values()],
    wordsApart: keepsWordsApart(hub),
  });
  return {
    encode: (text) => idsOf(encodePieces(text)),
    encodePieces,
    decode: (tokens) => (tokens.length === 0 ? '' : hub.decode([...tokens], { skip_special_tokens: true })),
    idOf: (token) => hub.token_to_id(token),
    startsWord: (id) => /^[ ▁Ġ]/u.test(hub.id_to_token(id) ?? ''),
    shield: shieldFrom(hub),
    specials: specialTokens(settings),
    size: ids.length,
    largestId: ids.reduce((largest, id) => Math.max(largest, id), -1),
  };
}

function construct(json: object, settings: object, path: string): HubTokenizer {
  try {
    return new HubTokenizer(json, settings);
  } catch (cause) {
    throw new EntrainError(
      'MODEL_CORRUPT',
      `${path} does not describe a tokenizer: ${(cause as Error).message}; fetch it again.`,
      { cause },
    );
  }
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

/** A zero-width space behind its first character keeps a special token from being one. */
function shieldFrom(hub: HubTokenizer): (text: string) => string {
  const names = [...hub.get_added_tokens_decoder().values()]
    .filter(({ special, content }) => special && content.length > 1)
    .map(({ content }) => content);
  return (text) =>
    names.reduce((safe, name) => safe.replaceAll(name, `${name.slice(0, 1)}\u200B${name.slice(1)}`), text);
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
