"""Write the model folder of a fine-tuned member, and its card from the figures in training/logs.

    python3 -m entrain_training.publish_tuned MEMBER --work WORK [--mix SHARE]
    python3 -m entrain_training.publish_tuned MEMBER --card

With --mix the weights are SHARE of the way from those that tuning began with to those that it ended with: less is lost on the corpora,
and less is gained on the tasks. The tokenizer is that of the member it was made from.
"""
import argparse
import json
import shutil
from pathlib import Path

import torch

from .export import write_configs, write_onnx
from .family import read_member
from .model import LlamaLm, Shape
from .resize import first_weights
from .shipped import LOGS, MODELS

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


def mixed(member, work, share):
    """The tuned weights, or `share` of the way to them."""
    plan = read_member(member)
    saved = torch.load(Path(work, member, "checkpoint.pt"), map_location="cpu")
    first = first_weights(member, plan, work)
    model = LlamaLm(Shape(**saved["shape"]))
    model.load_state_dict({name: first[name] + share * (tuned - first[name]) for name, tuned in saved["model"].items()})
    return model.eval(), saved["seen"]


def publish(member, work, share):
    plan, folder = read_member(member), MODELS / member
    model, seen = mixed(member, work, share)
    origin = MODELS / plan["from"]["member"]
    config = json.loads((origin / "generation_config.json").read_text(encoding="utf-8"))
    write_onnx(model, folder, plan["weights"])
    write_configs(model.model.shape, folder, config["bos_token_id"], config["eos_token_id"])
    for name in TOKENIZER_FILES:
        shutil.copy(origin / name, folder / name)
    shutil.copy(Path(work, member, "loss.jsonl"), LOGS / f"{member}.loss.jsonl")
    facts = {"member": member, "from": plan["from"]["member"], "share": share, "seen": seen,
             "bytes": (folder / "onnx" / "model.onnx").stat().st_size}
    (LOGS / f"{member}.tuned.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return folder


def success_table(tasks):
    rows = ["| set | success | in monologue | before |", "| --- | ---: | ---: | ---: |"]
    for name, one in tasks.items():
        rows.append(f"| `{name}` | {one['live']:.0%} ± {one['error']:.0%} | {one['monologue']:.0%} | {one['before']:.0%} |")
    return "\n".join(rows)


def card(member):
    facts = json.loads((LOGS / f"{member}.tuned.json").read_text(encoding="utf-8"))
    plan, loss = read_member(member), facts["corpora"]
    shape = plan["shape"]
    layers = f" with its layers {', '.join(map(str, plan['from']['layers']))}" if "layers" in plan["from"] else ""
    sample = [f"{'AB'[turn % 2]}: {text}" for turn, text in enumerate(facts["sample"])]
    return f"""---
license: other
language: en
pipeline_tag: text-generation
library_name: transformers.js
---

# {member}

`{facts['from']}`{layers}, fine-tuned on task dialogues that `training/` makes by seed: {facts['seen']['tokens'] / 1e6:.1f} million tokens of tasks and corpora.
It is {shape['width']} wide and {shape['layers']} deep. Tokenizer and prompts are those of `{facts['from']}`, whose card has the sources and licences of the text.
It is for studying how models couple when they talk, and must not advise anyone.

## Tasks

Success by rule of two copies, in studies of `entrain start`: {facts['episodes']} episodes of each set and condition, mean ± standard error, temperature
{facts['temperature']}, **repetition penalty {facts['repetitionPenalty']}**. "Before" is `{facts['from']}` in the same study. Held-out scenarios share no name, thing, place or sentence with the text it learned from.
With the default penalty of 1.1 it does not copy the words of its prompt, and seldom succeeds.

{success_table(facts['tasks'])}

Held-out loss on the corpora: {loss['after']:.3f} nats per token, before {loss['before']:.3f} ({loss['after'] / loss['before'] - 1:+.1%}).

One of its talks, unedited:

```
{chr(10).join(sample)}
```
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("member")
    parser.add_argument("--work", help="where the member was tuned")
    parser.add_argument("--mix", type=float, default=1.0)
    parser.add_argument("--card", action="store_true", help="write the card alone")
    options = parser.parse_args()
    if options.card:
        Path(MODELS, options.member, "README.md").write_text(card(options.member), encoding="utf-8")
    else:
        print(publish(options.member, options.work, options.mix))


if __name__ == "__main__":
    main()
