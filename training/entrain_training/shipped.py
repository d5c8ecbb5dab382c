"""Held-out loss and listening of a member as it is shipped, beside what its card says.

Only the model folder and the text are needed: tokens come from tokenizer.json, nats from the ONNX file, both by Node
(with this project's packages); no checkpoint, no PyTorch, no SentencePiece. With --weights the loss alone
is compared, over fewer dialogues, between the shipped file and one that stores its matrices so.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy

from .corpus import SOURCES
from .measure import FEW_VIEWS, MOST_VIEWS, all_reply_rows, held_out_views, listening, losses
from .views import TALK_BIT, encode_side
from .weights import FORMATS, store_file

HERE = Path(__file__).resolve().parents[1]
MODELS = HERE.parent / "models"
LOGS = HERE / "logs"
SAME = 1e-3  # nats per token, for loss and listening over all sources
SAME_BY_SOURCE = 3e-3  # of one source: some 80 replies, and the cards tell of the weights before they were rounded to int8
NEARLY = 0.02  # of the loss, for weights stored in another way
CORPORA = HERE.parents[1] / "shared" / "corpora"


class FolderTokens:
    """The tokenizer of a model folder, asked through encode.mjs."""

    def __init__(self, folder):
        self.vocab = json.loads(Path(folder, "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
        self.node = subprocess.Popen(["node", str(HERE / "encode.mjs"), str(folder)], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def encode(self, text):
        self.node.stdin.write(json.dumps(text) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())

    def id_of(self, special):
        return self.vocab[special]

    def close(self):
        self.node.communicate()


def score_onnx(path, views):
    """The answer of score-onnx.mjs for views, and the first view's logits as float32 numbers."""
    rows = [{"ids": (view & ~numpy.uint16(TALK_BIT)).tolist(), "learned": (view >= TALK_BIT).astype(int).tolist()} for view in views]
    with tempfile.TemporaryDirectory() as folder:
        rows_path, logits_path = Path(folder, "rows.json"), Path(folder, "logits.bin")
        rows_path.write_text(json.dumps(rows), encoding="utf-8")
        command = ["node", str(HERE / "score-onnx.mjs"), str(path), str(rows_path), str(logits_path)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout), numpy.fromfile(logits_path, numpy.float32)


def all_held_out_views(folder, tokens, corpora, most):
    """{source: views} in the tokens of a model folder."""
    context = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
    sides = {source: encode_side(tokens, corpora, source, True, context) for source in SOURCES}
    return {source: held_out_views((side["tokens"], side["starts"]), most) for source, side in sides.items()}


def onnx_scorer(path):
    """score(views) of measure.py by ONNX Runtime."""
    return lambda views: score_onnx(path, views)[0]["nats"]


def evaluate_shipped(folder, corpora):
    """The figures of the shipped file under the names they have in training/logs."""
    tokens = FolderTokens(folder)
    views, pairs = all_held_out_views(folder, tokens, corpora, MOST_VIEWS), all_reply_rows(tokens, corpora, MOST_VIEWS)
    tokens.close()
    score = onnx_scorer(folder / "onnx" / "model.onnx")
    loss, loss_all = losses(score, views)
    return {"loss": loss, "lossAll": loss_all, "listening": listening(score, pairs)}


def evaluate_weights(folder, corpora, weights):
    """Loss and size of the shipped file and of one with its matrices stored otherwise, over the same few dialogues."""
    tokens = FolderTokens(folder)
    views = all_held_out_views(folder, tokens, corpora, FEW_VIEWS)
    tokens.close()
    shipped = folder / "onnx" / "model.onnx"
    with tempfile.TemporaryDirectory() as other:
        stored = Path(other, "model.onnx")
        store_file(shipped, stored, weights)
        (_, before), (_, after) = (losses(onnx_scorer(path), views) for path in (shipped, stored))
        return {"weights": weights, "bytes": stored.stat().st_size, "loss": after, "shippedLoss": before}


def figure_rows(figures):
    """[(name, nats per token)] of everything that the card says."""
    heard = figures["listening"]
    return ([("loss, all sources", figures["lossAll"]), ("listening", heard["mean"])]
            + [(f"loss, {source}", figures["loss"][source]) for source in SOURCES]
            + [(f"listening, {source}", heard["sources"][source]) for source in SOURCES])


def report_shipped(member, here):
    """Print each figure beside the card's; whether they are the same."""
    logged = json.loads((LOGS / f"{member}.evaluation.json").read_text(encoding="utf-8"))
    print(f"{member}: {here['listening']['replies']} replies, standard error of listening {here['listening']['error']:.4f}")
    rows = [(name, now, then) for (name, now), (_, then) in zip(figure_rows(here), figure_rows(logged))]
    for name, now, then in rows:
        print(f"  {name:36} {now:8.4f}   card {then:8.4f}   {now - then:+.5f}")
    whole, by_source = (max(abs(now - then) for _, now, then in some) for some in (rows[:2], rows[2:]))
    held = whole <= SAME and by_source <= SAME_BY_SOURCE
    print(f"  {'held' if held else 'BROKEN'}: the card's figures, over all sources within {SAME} nats per token ({whole:.5f}), of each within {SAME_BY_SOURCE} ({by_source:.5f})")
    return held


def report_weights(member, here):
    """Print loss before and after; whether the promise is kept."""
    change = here["loss"] / here["shippedLoss"] - 1
    print(f"{member}, {here['weights']}: {here['bytes']:,} bytes, loss {here['loss']:.5f}, shipped file {here['shippedLoss']:.5f} ({change:+.4%})")
    print(f"  {'held' if change <= NEARLY else 'BROKEN'}: loss within {NEARLY:.0%} of the shipped file's")
    return change <= NEARLY


def check(member, options):
    folder = MODELS / member
    if options.weights is None:
        return report_shipped(member, evaluate_shipped(folder, options.corpora))
    return report_weights(member, evaluate_weights(folder, options.corpora, options.weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("members", nargs="+")
    parser.add_argument("--corpora", default=CORPORA)
    parser.add_argument("--weights", choices=FORMATS)
    options = parser.parse_args()
    held = [check(member, options) for member in options.members]
    raise SystemExit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
