"""Task success of a member over held-out scenarios, live and in monologue, and how often a talk keeps to its topic.

    python3 -m entrain_training.tasks.evaluate MEMBER --work WORK [--episodes N]
"""
import argparse
import json
import statistics
from pathlib import Path

import torch

from ..bpe import FolderBpe
from ..from_onnx import load_folder
from ..model import LlamaLm, Shape
from ..shipped import LOGS, MODELS
from .scenario import FAMILIES, make_scenario
from .score import on_topic, score
from .self_play import Sampling, play

BATCH = 112
CONDITIONS = ("live", "monologue")


def load_member(member, work):
    """The weights of the member's checkpoint, or without a work folder those that are published."""
    if work is None:
        return load_folder(MODELS / member).eval()
    saved = torch.load(Path(work, member, "checkpoint.pt"), map_location="cpu")
    model = LlamaLm(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model.eval()


def play_all(model, tokens, episodes, condition, sampling):
    """{family: [(scenario, turns)]} of the held-out scenarios."""
    scenarios = [make_scenario(family, "heldOut", seed) for seed in range(episodes) for family in FAMILIES]
    talks = {family: [] for family in FAMILIES}
    for start in range(0, len(scenarios), BATCH):
        some = scenarios[start:start + BATCH]
        for scenario, turns in zip(some, play(model, tokens, some, condition, sampling)):
            talks[scenario["family"]].append((scenario, turns))
    return talks


def summary(talks):
    """{"success", "error", "topic", "chance", "turns"}; chance is the topic of the next scenario of the family."""
    scores = [score(scenario, turns) for scenario, turns in talks]
    strangers = [scenario for scenario, _ in talks[1:]] + [talks[0][0]]
    figures = {"topic": statistics.fmean(on_topic(scenario, turns) for scenario, turns in talks),
               "chance": statistics.fmean(on_topic(scenario, turns) for scenario, (_, turns) in zip(strangers, talks)),
               "turns": statistics.fmean(len(turns) for _, turns in talks), "episodes": len(talks)}
    if None in scores:
        return figures
    return {"success": statistics.fmean(scores), "error": statistics.stdev(scores) / len(scores) ** 0.5, **figures}


def evaluate(model, tokens, episodes, sampling):
    """{condition: {family: summary}}, and a few talks of each."""
    figures, samples = {}, {}
    for condition in CONDITIONS:
        talks = play_all(model, tokens, episodes, condition, sampling)
        figures[condition] = {family: summary(some) for family, some in talks.items()}
        samples[condition] = {family: [{"people": scenario["people"], "facts": scenario["facts"], "turns": turns} for scenario, turns in some[:3]]
                              for family, some in talks.items()}
    return figures, samples


def print_table(member, figures):
    print(f"{member}: family, success live and in monologue, a topic word live (chance), turns")
    for family, live in figures["live"].items():
        alone = figures["monologue"][family]
        success = f"{live['success']:6.1%} ± {live['error']:4.1%} {alone['success']:6.1%}" if "success" in live else " " * 21
        print(f"  {family:8} {success}   {live['topic']:6.1%} ({live['chance']:.1%})   {live['turns']:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("members", nargs="+")
    parser.add_argument("--work", help="take checkpoints from here; without it the published weights are taken")
    parser.add_argument("--episodes", type=int, default=128, help="of each family and condition")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--repetition-penalty", type=float, default=1.1)
    parser.add_argument("--most-turns", type=int, default=12)
    parser.add_argument("--log", default=LOGS, help="folder of MEMBER.tasks.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sampling = Sampling(temperature=options.temperature, repetition_penalty=options.repetition_penalty, most_turns=options.most_turns)
    tokens = FolderBpe(MODELS / "entrain-dialogue-8m")
    for member in options.members:
        figures, samples = evaluate(load_member(member, options.work), tokens, options.episodes, sampling)
        print_table(member, figures)
        log = {"member": member, "sampling": vars(sampling), "figures": figures, "samples": samples}
        Path(options.log, f"{member}.tasks.json").write_text(json.dumps(log, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
