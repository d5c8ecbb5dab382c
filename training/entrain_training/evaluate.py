"""Figures of one published member: held-out loss, listening, and whether the ONNX file says the same as PyTorch."""
import argparse
import json
import tempfile
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

from .batches import pad
from .corpus import SOURCES
from .export import export_float32
from .meetings import MEETINGS
from .measure import FEW_VIEWS, MOST_VIEWS, all_reply_rows, held_out_views, learned_count, listening, losses
from .model import count_parameters
from .publish import MODELS, load_trained
from .sample import converse
from .shipped import LOGS, score_onnx
from .tokenizer import Tokens
from .views import TALK_BIT, load_side

LOGIT_TOLERANCE = 1e-3
SHIPPED_LOSS_TOLERANCE = 0.02


def torch_scorer(model):
    """score(views) of measure.py by PyTorch."""
    @torch.no_grad()
    def score_view(view):
        ids, learned = map(torch.from_numpy, pad([view]))
        logits, _ = model(ids[:, :-1])
        each = F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        return float((each * learned[:, 1:]).sum())

    return lambda views: [score_view(view) for view in views]


def compare_files(model, shipped, views):
    """Loss and logits of the float32 graph and of the shipped file beside PyTorch's; nats per token."""
    count = sum(map(learned_count, views))
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        plain = Path(folder, "float32.onnx")
        export_float32(model, plain)
        exact, exact_logits = score_onnx(plain, views)
        stored, stored_logits = score_onnx(shipped, views)
        ids = torch.from_numpy((views[0][:-1] & ~numpy.uint16(TALK_BIT)).astype(numpy.int64))[None]
        true_logits = model(ids)[0].numpy().ravel()
    return {"float32Loss": sum(exact["nats"]) / count, "shippedLoss": sum(stored["nats"]) / count,
            "float32LogitError": float(abs(exact_logits - true_logits).max()),
            "shippedLogitError": float(abs(stored_logits - true_logits).max()),
            "tokensPerSecond": stored["tokensPerSecond"], "megabytes": stored["megabytes"]}


def evaluate(member, work, corpora, models):
    model, seen = load_trained(work, member)
    tokens = Tokens(Path(work, "tokenizer.model"))
    side = load_side(Path(work, "store"), "held-out")
    score = torch_scorer(model)
    loss, loss_all = losses(score, {source: held_out_views(side[source], MOST_VIEWS) for source in SOURCES})
    some = [view for source in SOURCES for view in held_out_views(side[source], FEW_VIEWS)]
    shipped = Path(models, member, "onnx", "model.onnx")
    return {"member": member, "parameters": count_parameters(model), "bytes": shipped.stat().st_size, "seen": seen,
            "loss": loss, "lossAll": loss_all,
            "listening": listening(score, all_reply_rows(tokens, corpora, MOST_VIEWS)),
            "file": compare_files(model, shipped, some),
            "samples": [converse(model, tokens, meeting, seed) for seed, meeting in enumerate(MEETINGS)]}


def check(figures):
    """The promises, by name: whether each is held."""
    file = figures["file"]
    return {"float32 logits within 1e-3": file["float32LogitError"] <= LOGIT_TOLERANCE,
            "shipped loss within 2 %": abs(file["shippedLoss"] / file["float32Loss"] - 1) <= SHIPPED_LOSS_TOLERANCE,
            "listening is positive": figures["listening"]["mean"] > 2 * figures["listening"]["error"]}


def write_log(path, figures):
    LOGS.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("members", nargs="+")
    parser.add_argument("--work", required=True)
    parser.add_argument("--corpora", default="../shared/corpora")
    parser.add_argument("--models", default=MODELS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = True
    for member in options.members:
        figures = evaluate(member, options.work, options.corpora, options.models)
        write_log(LOGS / f"{member}.evaluation.json", figures)
        print(f"{member}: loss {figures['lossAll']:.3f}, listening {figures['listening']['mean']:.4f} +- {figures['listening']['error']:.4f} nats/token, "
              f"{figures['file']['tokensPerSecond']:.0f} tokens/s")
        for promise, held in check(figures).items():
            print(f"  {'held' if held else 'BROKEN'}: {promise}")
            kept = kept and held
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
