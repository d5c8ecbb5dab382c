"""Figures of one published member: held-out loss, listening, and whether the ONNX file says the same as PyTorch."""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy
import torch

from .corpus import SOURCES
from .export import export_float32
from .measure import held_out_views, listening, mean_nats, view_nats
from .model import count_parameters
from .publish import MODELS, load_trained
from .sample import MEETINGS, converse
from .tokenizer import Tokens
from .views import TALK_BIT, load_side

SCORER = Path(__file__).resolve().parents[1] / "score-onnx.mjs"
LOGS = Path(__file__).resolve().parents[1] / "logs"
LOGIT_TOLERANCE = 1e-3
SHIPPED_LOSS_TOLERANCE = 0.02
MOST_VIEWS = 40  # of each source
SHIPPED_VIEWS = 6  # of each source, through the ONNX files


def score_onnx(path, views, folder):
    """The scorer's answer for views, and the first view's logits as float32 numbers."""
    rows = [{"ids": (view & ~numpy.uint16(TALK_BIT)).tolist(), "learned": (view >= TALK_BIT).astype(int).tolist()} for view in views]
    rows_path, logits_path = Path(folder, "rows.json"), Path(folder, "logits.bin")
    rows_path.write_text(json.dumps(rows), encoding="utf-8")
    done = subprocess.run(["node", str(SCORER), str(path), str(rows_path), str(logits_path)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout), numpy.fromfile(logits_path, numpy.float32)


def compare_files(model, shipped, views):
    """Loss and logits of the float32 graph and of the shipped file beside PyTorch's; nats per token."""
    counts = [int((view[1:] >= TALK_BIT).sum()) for view in views]
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        plain = Path(folder, "float32.onnx")
        export_float32(model, plain)
        exact, exact_logits = score_onnx(plain, views, folder)
        stored, stored_logits = score_onnx(shipped, views, folder)
        ids = torch.from_numpy((views[0][:-1] & ~numpy.uint16(TALK_BIT)).astype(numpy.int64))[None]
        true_logits = model(ids)[0].numpy().ravel()
    return {"float32Loss": sum(exact["nats"]) / sum(counts), "shippedLoss": sum(stored["nats"]) / sum(counts),
            "float32LogitError": float(abs(exact_logits - true_logits).max()),
            "shippedLogitError": float(abs(stored_logits - true_logits).max()),
            "tokensPerSecond": stored["tokensPerSecond"], "megabytes": stored["megabytes"]}


def evaluate(member, work, corpora, models):
    model, seen = load_trained(work, member)
    tokens = Tokens(Path(work, "tokenizer.model"))
    side = load_side(Path(work, "store"), "held-out")
    scored = {source: view_nats(model, held_out_views(side, source, MOST_VIEWS)) for source in SOURCES}
    some = [view for source in SOURCES for view in held_out_views(side, source, SHIPPED_VIEWS)]
    shipped = Path(models, member, "onnx", "model.onnx")
    return {"member": member, "parameters": count_parameters(model), "bytes": shipped.stat().st_size, "seen": seen,
            "loss": {source: mean_nats(pairs) for source, pairs in scored.items()},
            "lossAll": mean_nats([pair for pairs in scored.values() for pair in pairs]),
            "listening": listening(model, tokens, corpora, MOST_VIEWS),
            "file": compare_files(model, shipped, some),
            "samples": [converse(model, tokens, meeting, seed) for seed, meeting in enumerate(MEETINGS)]}


def check(figures):
    """The promises, by name: whether each is held."""
    file = figures["file"]
    return {"float32 logits within 1e-3": file["float32LogitError"] <= LOGIT_TOLERANCE,
            "shipped loss within 2 %": abs(file["shippedLoss"] / file["float32Loss"] - 1) <= SHIPPED_LOSS_TOLERANCE,
            "listening is positive": figures["listening"]["mean"] > 2 * figures["listening"]["error"]}


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
        LOGS.mkdir(exist_ok=True)
        (LOGS / f"{member}.evaluation.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(f"{member}: loss {figures['lossAll']:.3f}, listening {figures['listening']['mean']:.4f} +- {figures['listening']['error']:.4f} nats/token, "
              f"{figures['file']['tokensPerSecond']:.0f} tokens/s")
        for promise, held in check(figures).items():
            print(f"  {'held' if held else 'BROKEN'}: {promise}")
            kept = kept and held
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
