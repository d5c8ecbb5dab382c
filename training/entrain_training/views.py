"""Dialogues as token sequences: every dialogue gives one view per speaker, who is then the assistant.

A store is a folder of SOURCE.{train,held-out}.npz: `tokens` uint16, all views end to end, an id with bit 15
set where the loss counts; `starts` int64, where each view begins, one more than there are views.
"""
from pathlib import Path

import numpy

from .briefing import brief
from .chat import ASSISTANT, USER, render_ids
from .corpus import SOURCES, draw, read_dialogues

TALK_BIT = 0x8000


class CachedEncoding:
    """Tokens that encode each turn once although two views hold it."""

    def __init__(self, tokens):
        self.tokens, self.known = tokens, {}
        self.id_of = tokens.id_of

    def encode(self, text):
        if text not in self.known:
            self.known[text] = self.tokens.encode(text)
        return self.known[text]


def views_of(source, number, dialogue):
    """Yield (system text, [(role, text)]) with speaker 0, then speaker 1, as the assistant."""
    for speaker in (0, 1):
        roles = [(ASSISTANT if turn["speaker"] == speaker else USER, " ".join(turn["text"].split()))
                 for turn in dialogue["turns"]]
        yield brief(source, number, dialogue, speaker), roles


def marked_ids(ids, learned):
    """uint16 tokens, the talk bit set where the loss counts."""
    return (numpy.array(ids, numpy.uint16) | numpy.array(learned, numpy.uint16) * numpy.uint16(TALK_BIT)).astype(numpy.uint16)


def end_to_end(views):
    """Arrays `tokens` and `starts` of a list of views."""
    starts = numpy.cumsum([0, *map(len, views)], dtype=numpy.int64)
    return {"tokens": numpy.concatenate(views), "starts": starts}


def encode_side(tokens, folder, source, held_out, context, share_per_mille=1000):
    """Arrays of one source, or of a share of its dialogues; views longer than context (tokens) lose their end."""
    views = []
    for number, dialogue in read_dialogues(folder, source, held_out):
        if draw("share", source, number) >= share_per_mille:
            continue
        encoding = CachedEncoding(tokens)
        for system, turns in views_of(source, number, dialogue):
            ids, talk = render_ids(encoding, system, turns)
            views.append(marked_ids(ids[:context], talk[:context]))
    return end_to_end(views)


def build_store(tokens, corpora, store, context):
    """Encode whatever is missing in the store; say how many tokens there are."""
    Path(store).mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        for side in ("train", "held-out"):
            path = Path(store, f"{source}.{side}.npz")
            if not path.exists():
                arrays = encode_side(tokens, corpora, source, side == "held-out", context)
                numpy.savez(path, **arrays)
                print(f"{path.name}: {len(arrays['starts']) - 1} views, {len(arrays['tokens'])} tokens", flush=True)


def load_side(store, side):
    """{source: (tokens, starts)} of "train" or "held-out"."""
    sides = {}
    for source in SOURCES:
        with numpy.load(Path(store, f"{source}.{side}.npz")) as arrays:
            sides[source] = (arrays["tokens"], arrays["starts"])
    return sides
