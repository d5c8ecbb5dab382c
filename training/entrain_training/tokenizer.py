"""One SentencePiece BPE vocabulary, and its twin in the hub's tokenizer.json.

Text is taken as it is: no normalising, no space put in front, none taken away, so decode(encode(x)) == x.
"""
import json
from pathlib import Path

import sentencepiece

from .chat import BOS, CHAT_TEMPLATE, END, SPECIAL_TOKENS

SPACE = "\u2581"
UNKNOWN = "<unk>"


class Tokens:
    """The SentencePiece model, with the special tokens never read out of plain text."""

    def __init__(self, path):
        self.pieces = sentencepiece.SentencePieceProcessor(model_file=str(path))
        self.size = self.pieces.get_piece_size()

    def encode(self, text):
        return self.pieces.encode(text)

    def decode(self, ids):
        return self.pieces.decode(ids)

    def id_of(self, special):
        return self.pieces.piece_to_id(special)


def train_tokenizer(lines, prefix, vocab, seed):
    """Write PREFIX.model from an iterable of text lines; vocab counts bytes and special tokens too."""
    sentencepiece.set_random_generator_seed(seed)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(prefix), vocab_size=vocab, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=False,
        remove_extra_whitespaces=False, split_digits=True, max_sentence_length=20000, character_coverage=0.9999,
        unk_id=0, bos_id=1, eos_id=-1, pad_id=-1, control_symbols=SPECIAL_TOKENS[1:], num_threads=1)


def merges_from_order(pieces):
    """BPE merges of a vocabulary whose ids follow the order of merging.

    SentencePiece joins the neighbours whose union has the best score, that is the lowest id; any two pieces
    whose union is a piece may therefore merge, and the union's id is the merge's rank.
    """
    known = set(pieces)
    ranked = []
    for rank, piece in enumerate(pieces):
        splits = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        ranked += [(rank, left, right) for left, right in splits if left in known and right in known]
    return [f"{left} {right}" for _, left, right in sorted(ranked, key=lambda merge: merge[0])]


def bpe_json(pieces, aside, special_tokens, byte_fallback=True, leading_space=False):
    """The hub's `tokenizer.json` as a dictionary; aside holds the ids that no merge may make or use."""
    added = [{"id": pieces.index(token), "content": token, "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False, "special": True} for token in [UNKNOWN, *special_tokens]]
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    first = [{"type": "Prepend", "prepend": SPACE}] if leading_space else []
    last = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if leading_space else []
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Sequence", "normalizers": [*first, spaces]} if first else spaces,
        "pre_tokenizer": None, "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}, *last]},
        "model": {"type": "BPE", "dropout": None, "unk_token": UNKNOWN, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": byte_fallback, "byte_fallback": byte_fallback,
                  "ignore_merges": False, "vocab": {piece: index for index, piece in enumerate(pieces)},
                  "merges": merges_from_order([p for index, p in enumerate(pieces) if index not in aside])},
    }


def sentencepiece_json(tokens):
    """bpe_json of a SentencePiece model with the special tokens of the chat format."""
    pieces = [tokens.pieces.id_to_piece(index) for index in range(tokens.size)]
    is_aside = (tokens.pieces.is_byte, tokens.pieces.is_control, tokens.pieces.is_unknown)
    aside = {index for index in range(tokens.size) if any(is_so(index) for is_so in is_aside)}
    return bpe_json(pieces, aside, SPECIAL_TOKENS)


def write_tokenizer_files(tokenizer, folder, context, template=CHAT_TEMPLATE, end=END):
    """tokenizer.json from bpe_json's answer, and tokenizer_config.json; context is the longest sequence in tokens."""
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": BOS, "eos_token": end, "unk_token": UNKNOWN,
              "add_bos_token": False, "clean_up_tokenization_spaces": False, "model_max_length": context,
              "chat_template": template}
    for name, content, indent in (("tokenizer.json", tokenizer, 1), ("tokenizer_config.json", config, 2)):
        Path(folder, name).write_text(json.dumps(content, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")
