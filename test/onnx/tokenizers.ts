/** Small tokenizers of the two common kinds, learned from a few sentences, with the special tokens of our chat format. */

const SPECIALS = ['<unk>', '<s>', '</s>', '<|system|>', '<|user|>', '<|assistant|>', '<|end|>', '<|leave|>'];

const LESSON = `Hello, how are you today? I would like to buy some apples for my mother. They are fresh and they cost two coins each.
That is too much for me, could you give me a better price? I can offer you three apples for five coins, but no more than that.
We have been friends for a long time and you know that I always pay. Very well, let us agree on four coins and part as friends.`;

export interface TokenizerFiles {
  tokenizer: object;
  vocabulary: number;
  endTokenIds: number[];
}

/** As GPT-2, Qwen and SmolLM have it: words split by a pattern, bytes written as printable characters. */
export function byteLevelTokenizer(merges: number): TokenizerFiles {
  const alphabet = [...byteCharacters().values()];
  const words = (LESSON.match(/ ?\w+| ?[^\s\w]+/g) ?? []).map((word) =>
    Array.from(word, (c) => (c === ' ' ? 'Ġ' : c)),
  );
  return assemble(
    { alphabet, words, merges },
    {
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      byteFallback: false,
    },
  );
}

/** As Llama 2 and Mistral have it: blanks written as ▁, no split into words, unknown characters as bytes. */
export function metaspaceTokenizer(merges: number): TokenizerFiles {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const letters = [...new Set(LESSON.replaceAll(/\s/g, '▁'))];
  const words = LESSON.split(/\s+/).map((word) => ['▁', ...Array.from(word)]);
  return assemble(
    { alphabet: [...bytes, ...letters], words, merges },
    {
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      pre_tokenizer: null,
      decoder: {
        type: 'Sequence',
        decoders: [
          { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
          { type: 'ByteFallback' },
          { type: 'Fuse' },
        ],
      },
      byteFallback: true,
    },
  );
}

interface Lesson {
  alphabet: string[];
  words: string[][];
  merges: number;
}

interface Kind {
  normalizer: object | null;
  pre_tokenizer: object | null;
  decoder: object;
  byteFallback: boolean;
}

function assemble({ alphabet, words, merges }: Lesson, { byteFallback, ...kind }: Kind): TokenizerFiles {
  const learned = learnMerges(words, merges);
  const tokens = [...new Set([...SPECIALS, ...alphabet, ...learned.map((pair) => pair.join(''))])];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = SPECIALS.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const model = {
    type: 'BPE',
    vocab,
    merges: learned,
    byte_fallback: byteFallback,
    unk_token: '<unk>',
    fuse_unk: false,
  };
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    post_processor: null,
    ...kind,
    model,
  };
  return {
    tokenizer,
    vocabulary: tokens.length,
    endTokenIds: [SPECIALS.indexOf('<|end|>'), SPECIALS.indexOf('<|leave|>')],
  };
}

function learnMerges(words: string[][], count: number): [string, string][] {
  const merges: [string, string][] = [];
  let pieces = words;
  for (let i = 0; i < count; i++) {
    const pair = commonestPair(pieces);
    if (!pair) break;
    merges.push(pair);
    pieces = pieces.map((word) => join(word, pair));
  }
  return merges;
}

function commonestPair(words: string[][]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const word of words) {
    for (let i = 1; i < word.length; i++) {
      const key = `${word[i - 1]}\n${word[i]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const [best] = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return best && best[1] > 1 ? (best[0].split('\n') as [string, string]) : undefined;
}

function join(word: string[], [left, right]: [string, string]): string[] {
  const joined: string[] = [];
  for (const piece of word) {
    if (joined.at(-1) === left && piece === right) joined[joined.length - 1] = left + right;
    else joined.push(piece);
  }
  return joined;
}

/** The byte-to-character table of byte-level BPE. */
function byteCharacters(): Map<number, string> {
  const table = new Map<number, string>();
  let shifted = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    table.set(byte, String.fromCharCode(printable ? byte : shifted++));
  }
  return table;
}

const OWN =
  "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** Words between markers of plain text, a suffix of several tokens, no end marker of its own. */
const CHATML =
  "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** Strict alternation, no system role, a suffix behind the history. */
const INSTRUCT =
  '{{ bos_token }}{% for m in messages %}' +
  "{% if m['role'] == 'system' or (m['role'] == 'user') != (loop.index0 % 2 == 0) %}" +
  "{{ raise_exception('roles must alternate user/assistant') }}{% endif %}" +
  "{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}" +
  "{% else %}{{ ' ' + m['content'] | trim + ' </s>' }}{% endif %}{% endfor %}";

export const TEMPLATES = { own: OWN, chatml: CHATML, instruct: INSTRUCT };

export function tokenizerConfig(template: string): object {
  return {
    bos_token: '<s>',
    eos_token: '<|end|>',
    unk_token: '<unk>',
    chat_template: template,
    clean_up_tokenization_spaces: false,
  };
}
