"""Fine-tune a published member on task dialogues mixed with the corpora, until its minutes of processor time are over.

    python3 -m entrain_training.tune MEMBER --corpora DIR --work WORK --minutes N [--published]

The weights come out of models/ (from_onnx.py), or out of another member's, grown or cut as "from" in family.json says.
The learning rate rises over a few steps, stays, and falls linearly to nothing over the last part. Held-out talk of the
corpora is scored on the way. Checkpoints as in train.py: stopped and started again it goes on, within its minutes.
With --published it begins with the tuned weights in models/, whose checkpoint is gone, and counts tokens on from theirs.
Processor time, not the clock: on a busy machine a rate that falls by the clock is gone before anything is learnt.
"""
import argparse
import json
import os
import signal
import time
from pathlib import Path

import numpy
import torch

from .batches import Mixture, steady_batches
from .bpe import FolderBpe
from .corpus import SOURCES
from .family import read_member
from .from_onnx import load_folder
from .held_out import held_out_loss
from .measure import FEW_VIEWS, held_out_views, learned_count
from .resize import first_weights
from .shipped import LOGS, MODELS
from .tasks.views import encode_tasks
from .train import CHECKPOINT_EVERY_S, Run, talk_loss, write_entry
from .views import encode_side

CONTEXT_TOKENS = 1024
CORPORA_PER_MILLE = 200  # of the dialogues: more than a few hours on a CPU can read
TASK_DIALOGUES = 40_000
WATCHED_DIALOGUES = 400
WARMUP_STEPS = 20
FALL_SHARE = 0.6
LOG_EVERY_STEPS = 10


def build_store(corpora, store):
    """SOURCE.{train,held-out}.npz and tasks.{train,held-out}.npz, whatever is missing."""
    store.mkdir(parents=True, exist_ok=True)
    tokens = FolderBpe(MODELS / "entrain-dialogue-8m")  # all members have the same tokenizer
    makers = {("tasks", "train"): lambda: encode_tasks(tokens, "train", TASK_DIALOGUES),
              ("tasks", "held-out"): lambda: encode_tasks(tokens, "heldOut", WATCHED_DIALOGUES)}
    for source in SOURCES:
        makers[source, "train"] = lambda source=source: encode_side(tokens, corpora, source, False, CONTEXT_TOKENS, CORPORA_PER_MILLE)
        makers[source, "held-out"] = lambda source=source: encode_side(tokens, corpora, source, True, CONTEXT_TOKENS)
    for (source, side), make in makers.items():
        path = store / f"{source}.{side}.npz"
        if not path.exists():
            arrays = make()
            numpy.savez(path, **arrays)
            print(f"{path.name}: {len(arrays['starts']) - 1} views, {len(arrays['tokens'])} tokens", flush=True)


def load_side(store, side):
    loaded = {}
    for source in [*SOURCES, "tasks"]:
        with numpy.load(store / f"{source}.{side}.npz") as arrays:
            loaded[source] = (arrays["tokens"], arrays["starts"])
    return loaded


class TaskMixture(Mixture):
    """The corpora in the mixture of their stable phase, and a share of tokens of task dialogues."""

    def __init__(self, side, task_share, rng):
        super().__init__({source: side[source] for source in SOURCES}, "first", rng)
        self.side = side
        lengths = numpy.array([len(side[name][0]) / (len(side[name][1]) - 1) for name in self.names])
        views_a_token = self.shares.sum() / (self.shares * lengths).sum()
        task_length = len(side["tasks"][0]) / (len(side["tasks"][1]) - 1)
        corpora, tasks = (1 - task_share) * views_a_token, task_share / task_length
        self.shares = numpy.append(self.shares * corpora, tasks) / (corpora + tasks)
        self.names.append("tasks")
        self.waiting["tasks"] = []


def gentle_optimizers(model, _, rate):
    """AdamW alone. Muon moves every direction of a matrix as far, also those that a few million tokens say nothing about: it lost 10 % on the corpora."""
    return [torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.99), weight_decay=0.0)]


def warmth(step, progress):
    return min(1.0, (step + 1) / WARMUP_STEPS) * min(1.0, (1 - progress) / FALL_SHARE)


class Watch:
    """Held-out loss of the corpora and of the tasks, nats per token."""

    def __init__(self, side, run):
        self.run = run
        self.views = {"held_out": [view for source in SOURCES for view in held_out_views(side[source], FEW_VIEWS) if learned_count(view)],
                      "held_out_tasks": held_out_views(side["tasks"], 120)}

    def entry(self):
        run = self.run
        score = lambda ids, learned: talk_loss(run.model, ids, learned, run.device, run.kernels)[0]
        return {name: held_out_loss(views, score, run.member["micro_tokens"]) for name, views in self.views.items()}


def tune(run, store, minutes, log_path):
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    watch = Watch(load_side(store, "held-out"), run)
    rng = numpy.random.default_rng([run.member["seed"], run.seen["segment"]])
    stream = steady_batches(TaskMixture(load_side(store, "train"), run.member["task_share"], rng), run.member["micro_tokens"])
    first_step = run.seen.setdefault("first_step", run.seen["step"])
    started, saved_at, losses = time.process_time() - run.seen["seconds"], time.time(), []
    if run.seen["step"] == first_step:
        write_entry(log_path, {**run.seen, **watch.entry()})
    while not stopping:
        run.seen["seconds"] = time.process_time() - started
        progress = run.seen["seconds"] / (60 * minutes)
        if progress >= 1:
            break
        losses.append(float(run.step(stream, warmth(run.seen["step"] - first_step, progress))))
        if run.seen["step"] % LOG_EVERY_STEPS == 0:
            write_entry(log_path, {**run.seen, "progress": progress, "loss": sum(losses) / len(losses)})
            losses = []
        if run.seen["step"] % run.member["check_steps"] == 0:
            write_entry(log_path, {**run.seen, "progress": progress, **watch.entry()})
        if time.time() - saved_at > CHECKPOINT_EVERY_S:
            run.save()
            saved_at = time.time()
    run.seen["seconds"] = time.process_time() - started
    run.save()
    if not stopping:
        write_entry(log_path, {**run.seen, **watch.entry()})


def take_published(run, member, log_path):
    """The tuned weights of models/, with the log and the counts of what they have seen."""
    run.model.load_state_dict(load_folder(MODELS / member).state_dict())
    seen = json.loads((LOGS / f"{member}.tuned.json").read_text(encoding="utf-8"))["seen"]
    run.seen.update({**seen, "seconds": 0.0, "segment": seen["segment"] + 1, "first_step": seen["step"]})
    log_path.write_bytes((LOGS / f"{member}.loss.jsonl").read_bytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("member")
    parser.add_argument("--corpora", default="../shared/corpora")
    parser.add_argument("--work", required=True, help="folder of the store and the checkpoints")
    parser.add_argument("--minutes", type=float, required=True, help="processor time in which it ends, over all pieces")
    parser.add_argument("--published", action="store_true", help="begin with the tuned weights in models/")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    work, plan = Path(options.work), read_member(options.member)
    build_store(options.corpora, work / "store")
    folder = work / options.member
    folder.mkdir(parents=True, exist_ok=True)
    is_new = not (folder / "checkpoint.pt").exists()
    run = Run({**plan, **plan["tune"]}, folder, "cpu", gentle_optimizers)
    if is_new and options.published:
        take_published(run, options.member, folder / "loss.jsonl")
    elif is_new:
        run.model.load_state_dict(first_weights(options.member, plan, work))
    tune(run, work / "store", options.minutes, folder / "loss.jsonl")


if __name__ == "__main__":
    main()
