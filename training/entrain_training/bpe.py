"""The tokenizer of a model folder in plain Python: `encode`, `decode` and `id_of`, without SentencePiece and Node.

No piece of the vocabulary has a space behind its first letter, so words are merged one by one, and each only once.
"""
import json
import re
from pathlib import Path

SPACE = "\u2581"
UNKNOWN = "<unk>"

WORD = re.compile(f"{SPACE}?[^{SPACE}]*")


class FolderBpe:
    def __init__(self, folder):
        model = json.loads(Path(folder, "tokenizer.json").read_text(encoding="utf-8"))["model"]
        self.vocab, self.pieces = model["vocab"], {index: piece for piece, index in model["vocab"].items()}
        self.ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(model["merges"])}
        self.known = {}

    def id_of(self, special):
        return self.vocab[special]

    def encode(self, text):
        ids = []
        for word in WORD.findall(text.replace(" ", SPACE)):
            if word not in self.known:
                self.known[word] = self.merge(word)
            ids.extend(self.known[word])
        return ids

    def merge(self, word):
        """Join the neighbours of the lowest rank until none is left; what has no piece goes as bytes."""
        parts = list(word)
        while True:
            ranks = [self.ranks.get(pair, len(self.ranks)) for pair in zip(parts, parts[1:])]
            if not ranks or min(ranks) == len(self.ranks):
                break
            at = ranks.index(min(ranks))
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        return [index for part in parts for index in self.ids_of_part(part)]

    def ids_of_part(self, part):
        if part in self.vocab:
            return [self.vocab[part]]
        return [self.vocab.get(f"<0x{byte:02X}>", self.vocab[UNKNOWN]) for byte in part.encode("utf-8")]

    def decode(self, ids):
        raw = b""
        for index in ids:
            piece = self.pieces[int(index)]
            is_byte = piece.startswith("<0x") and len(piece) == 6
            raw += bytes([int(piece[3:5], 16)]) if is_byte else piece.replace(SPACE, " ").encode("utf-8")
        return raw.decode("utf-8", "replace")
