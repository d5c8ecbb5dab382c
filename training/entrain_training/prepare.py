"""From the text sources to a tokenizer and a store of token sequences in the work folder."""
import argparse
from pathlib import Path

from .briefing import brief
from .corpus import SOURCES, read_dialogues
from .tokenizer import Tokens, train_tokenizer
from .views import build_store

VOCAB = 2048
CONTEXT_TOKENS = 1024
SEED = 1
# Large sources are cut for the tokenizer, so that none of them sets its words alone; characters.
MOST_CHARACTERS = {"self-dialogue": 5_000_000, "topical-chat": 2_500_000, "star": 800_000, "taskmaster-4": 60_000,
                   "schema-guided-dialogue": 700_000, "public-domain-fiction": 1_500_000}


def tokenizer_lines(corpora):
    """Yield briefing lines and turns of the training side."""
    for source in SOURCES:
        left = MOST_CHARACTERS.get(source, 10**9)
        for number, dialogue in read_dialogues(corpora, source, held_out=False):
            lines = brief(source, number, dialogue, number % 2).split("\n") + [turn["text"] for turn in dialogue["turns"]]
            yield from (" ".join(line.split()) for line in lines)
            left -= sum(map(len, lines))
            if left < 0:
                break


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", default="../shared/corpora")
    parser.add_argument("--work", required=True)
    options = parser.parse_args()
    work = Path(options.work)
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "tokenizer.model").exists():
        train_tokenizer(tokenizer_lines(options.corpora), work / "tokenizer", VOCAB, SEED)
    build_store(Tokens(work / "tokenizer.model"), options.corpora, work / "store", CONTEXT_TOKENS)


if __name__ == "__main__":
    main()
