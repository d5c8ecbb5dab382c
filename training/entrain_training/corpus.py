"""The text sources: which are used, how much of each, and how they are read and split.

A dialogue is {"context": str, "turns": [{"speaker": 0|1, "text": str}]}; speaker 0 opens.
"""
import gzip
import hashlib
import json
import re
from pathlib import Path

HELD_OUT_PER_MILLE = 30
LONG_TURN_WORDS = 32
LONG_TURNS_KEPT_PER_MILLE = 300
UNFILLED_NAME = re.compile(r"\buser [12]\b", re.IGNORECASE)  # left by the writer of synthetic-persona-chat

# Kept: share of the dialogues that are encoded at all, per mille. First and last: how often a kept token is
# drawn relative to the other sources, before and during the final decay of the learning rate.
SOURCES = {
    "synthetic-persona-chat": {"kept": 1000, "first": 1.5, "last": 2.0},
    "casino": {"kept": 1000, "first": 1.2, "last": 1.5},
    "persuasion-for-good": {"kept": 1000, "first": 1.2, "last": 1.5},
    "topical-chat": {"kept": 1000, "first": 1.0, "last": 1.0},
    "self-dialogue": {"kept": 1000, "first": 1.0, "last": 0.6},
    "star": {"kept": 1000, "first": 0.5, "last": 0.15},
    "cpcd": {"kept": 1000, "first": 1.0, "last": 0.3},
    "taskmaster-4": {"kept": 1000, "first": 0.3, "last": 0.1},
    "schema-guided-dialogue": {"kept": 500, "first": 0.25, "last": 0.05},
    "public-domain-fiction": {"kept": 700, "first": 0.35, "last": 0.1},
}


def draw(*keys):
    """A number 0..999 that depends on the keys alone."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, keys)).encode()).digest()[:8], "big") % 1000


def context_lines(dialogue):
    """{"Scenario": ..., "Person 1": ..., "Person 2": ...}; a missing line is an empty text."""
    lines = dict(line.split(": ", 1) for line in (dialogue.get("context") or "").split("\n") if ": " in line)
    return {name: lines.get(name, "").strip() for name in ("Scenario", "Person 1", "Person 2")}


def twin_key(source, dialogue):
    """Dialogues with the same key must not be parted by the split: one book, or one opening."""
    if source == "public-domain-fiction":
        return context_lines(dialogue)["Scenario"]
    return (dialogue.get("context") or "") + "\n" + dialogue["turns"][0]["text"]


def is_held_out(source, dialogue):
    return draw("held-out", source, twin_key(source, dialogue)) < HELD_OUT_PER_MILLE


def is_kept(source, dialogue, number):
    """Thin the source, thin dialogues of long turns, drop those that shout or have unfilled names."""
    text = " ".join(turn["text"] for turn in dialogue["turns"])
    letters = sum(c.isalpha() for c in text)
    if sum(c.isupper() for c in text) > 0.3 * max(1, letters) or UNFILLED_NAME.search(text):
        return False
    if len(text.split()) > LONG_TURN_WORDS * len(dialogue["turns"]) and draw("long", source, number) >= LONG_TURNS_KEPT_PER_MILLE:
        return False
    return draw("kept", source, number) < SOURCES[source]["kept"]


def read_dialogues(folder, source, held_out):
    """Yield (number in the file, dialogue) of one side of the split."""
    with gzip.open(Path(folder, f"{source}.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            dialogue = json.loads(line)
            if is_held_out(source, dialogue) == held_out and is_kept(source, dialogue, number):
                yield number, dialogue
