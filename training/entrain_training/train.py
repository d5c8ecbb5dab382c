"""Train one member of the family on one CPU thread or one GPU, in bfloat16; stops and goes on where it was.

The learning rate rises, stays, and falls linearly to nothing over the last part, when the mixture changes to
persona- and goal-driven talk. Progress is tokens seen over tokens planned (or, with --minutes, the larger of
that and the time used, so that a busy machine still ends in time). The plan shrinks when held-out talk is no longer
learned: held_out.py.
"""
import argparse
import json
import os
import signal
import time
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

from .batches import Mixture, batches, made_ahead
from .family import read_member
from .fused import fused_loss, load_kernels
from .held_out import Patience, held_out_loss, read_watched
from .model import LlamaLm, Shape, count_parameters
from .optimizer import make_optimizers
from .views import load_side

WARMUP_STEPS = 60
DECAY_SHARE = 0.35
CHECKPOINT_EVERY_S = 240
LOG_EVERY_STEPS = 25


def warmth(step, progress):
    """Factor on the learning rates."""
    return min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, (1 - progress) / DECAY_SHARE)


def talk_loss(model, ids, learned, device, kernels=None):
    """Sum of nats over the learned positions, and their count; ids and learned [B, T+1], on the CPU."""
    ids, learned = torch.as_tensor(ids), torch.as_tensor(learned)[:, 1:]
    if kernels:
        return fused_loss(kernels, model, ids, learned), int(learned.sum())
    places = learned.flatten().nonzero()[:, 0]  # counted before they go to the device: nothing here waits for it
    targets = ids[:, 1:].flatten()[places].to(device, non_blocking=True)
    with torch.autocast(device, torch.bfloat16):
        logits = model.logits_at(ids[:, :-1].to(device, non_blocking=True), places.to(device, non_blocking=True))
    return F.cross_entropy(logits.float(), targets, reduction="sum"), len(places)


class Run:
    """All that a checkpoint holds: weights, optimizers, counters, and how far the stream was read."""

    def __init__(self, member, folder, device, optimizers=make_optimizers):
        torch.manual_seed(member["seed"])
        self.member, self.path, self.device = member, Path(folder, "checkpoint.pt"), device
        dropout = member.get("dropout", 0)
        self.kernels = load_kernels() if device == "cpu" and not dropout else None
        self.model = LlamaLm(Shape(**member["shape"])).to(device)
        for layer in self.model.model.layers:
            layer.dropout = dropout
        self.optimizers = optimizers(self.model, *[member[rate] for rate in ("matrix_rate", "other_rate")])
        self.rates = [[group["lr"] for group in one.param_groups] for one in self.optimizers]
        self.seen = {"step": 0, "tokens": 0, "talk": 0, "seconds": 0.0, "segment": 0, "planned": member["tokens"]}
        self.patience, self.best = Patience(), None
        if self.path.exists():
            saved = torch.load(self.path, map_location=device)
            self.model.load_state_dict(saved["model"])
            for one, state in zip(self.optimizers, saved["optimizers"]):
                one.load_state_dict(state)
            self.seen = {"planned": member["tokens"], **saved["seen"]}
            self.seen["segment"] += 1
            self.patience, self.best = Patience(saved.get("patience")), saved.get("best")

    def save(self):
        state = {"model": self.model.state_dict(), "optimizers": [one.state_dict() for one in self.optimizers],
                 "seen": self.seen, "shape": self.member["shape"], "patience": self.patience.state, "best": self.best}
        torch.save(state, self.path.with_suffix(".new"))
        os.replace(self.path.with_suffix(".new"), self.path)

    def step(self, stream, factor):
        """One update over member["batch_tokens"] places; returns the mean loss in nats per token, still on the device."""
        total, talk, places = 0.0, 0, 0
        while places < self.member["batch_tokens"]:
            ids, learned = next(stream)
            loss, count = talk_loss(self.model, ids, learned, self.device, self.kernels)
            (loss / 1000).backward()  # keeps sums small; the step divides by the true count
            total, talk, places = total + loss.detach(), talk + count, places + ids.shape[0] * ids.shape[1]
        for weight in self.model.parameters():
            weight.grad.mul_(1000 / talk)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for one, rates in zip(self.optimizers, self.rates):
            for group, rate in zip(one.param_groups, rates):
                group["lr"] = rate * factor
            one.step()
            one.zero_grad(set_to_none=True)
        self.seen["step"] += 1
        self.seen["tokens"] += places
        self.seen["talk"] += talk
        return total / talk

    def check(self, watched):
        """Held-out loss; keeps the weights if there were none better."""
        self.model.eval()
        score = lambda ids, learned: talk_loss(self.model, ids, learned, self.device, self.kernels)[0]
        loss = held_out_loss(watched, score, self.member["micro_tokens"])
        self.model.train()
        if self.patience.take(loss, self.seen["tokens"]):
            self.best = {name: weight.detach().cpu().clone() for name, weight in self.model.state_dict().items()}
        return loss

    def progress(self, budget_s):
        return max(self.seen["tokens"] / self.seen["planned"], self.seen["seconds"] / budget_s)

    def shorten(self):
        """The fall begins here."""
        self.seen["planned"] = self.seen["tokens"] / (1 - DECAY_SHARE)
        self.patience.again(self.seen["tokens"])


def write_entry(path, entry):
    entry = {key: round(value, 4) if isinstance(value, float) else value for key, value in entry.items()}
    with open(path, "a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def train(run, store, minutes, log_path):
    """Train to the end of the plan or of what held-out talk gains, or until SIGTERM asks to save and go."""
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    side, watched = load_side(store, "train"), read_watched(store)
    budget_s = minutes * 60 if minutes else float("inf")
    started, saved_at, phase, losses = time.time() - run.seen["seconds"], time.time(), None, []
    while not stopping:
        progress = run.progress(budget_s)
        if progress >= 1:
            break
        wanted = "first" if progress < 1 - DECAY_SHARE else "last"
        if wanted != phase:
            phase = wanted
            rng = numpy.random.default_rng([run.member["seed"], run.seen["segment"], phase == "last"])
            stream = batches(Mixture(side, phase, rng), run.member["micro_tokens"])
            if run.device == "cuda":
                stream = made_ahead(stream)
        losses.append(run.step(stream, warmth(run.seen["step"], progress)))
        run.seen["seconds"] = time.time() - started
        if run.seen["step"] % LOG_EVERY_STEPS == 0:
            write_entry(log_path, {**run.seen, "progress": progress, "loss": float(sum(losses)) / len(losses)})
            losses = []
        if run.seen["step"] % run.member["check_steps"] == 0:
            write_entry(log_path, {**run.seen, "progress": progress, "held_out": run.check(watched)})
            is_out = run.patience.is_out(run.seen["tokens"])
            if is_out and phase == "last":
                break
            if is_out:
                run.shorten()
        if time.time() - saved_at > CHECKPOINT_EVERY_S:
            run.save()
            saved_at = time.time()
    if not stopping:
        write_entry(log_path, {**run.seen, "progress": run.progress(budget_s), "held_out": run.check(watched)})
    run.save()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("member")
    parser.add_argument("--work", required=True, help="folder of the store and the checkpoints")
    parser.add_argument("--minutes", type=float, help="end within this time, over all pieces")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(1)
    folder = Path(options.work, options.member)
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(read_member(options.member), folder, device)
    print(f"{options.member}: {count_parameters(run.model)} parameters on {device}, from step {run.seen['step']}", flush=True)
    train(run, Path(options.work, "store"), options.minutes, folder / "loss.jsonl")


if __name__ == "__main__":
    main()
