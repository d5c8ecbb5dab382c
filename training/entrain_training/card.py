"""The model card of a published member, from its evaluation in training/logs; no figure is typed by hand."""
import argparse
import json
import shutil
from pathlib import Path

from .corpus import SOURCES
from .family import read_member
from .meetings import MEETINGS, MOST_TOKENS, TEMPERATURE, TOP_P
from .shipped import LOGS, MODELS

ATTRIBUTION = {
    "synthetic-persona-chat": "Google Research, Synthetic-Persona-Chat (Jandaghi et al. 2023), CC-BY-4.0",
    "casino": "CaSiNo (Chawla et al. 2021), CC-BY-4.0",
    "persuasion-for-good": "Persuasion for Good (Wang et al. 2019), Apache-2.0",
    "topical-chat": "Amazon, Topical-Chat (Gopalakrishnan et al. 2019), CDLA-Sharing-1.0",
    "self-dialogue": "Self-dialogue Corpus (Fainberg et al. 2018), BSD-3-Clause",
    "star": "Rasa, STAR (Mosig et al. 2020), MIT",
    "cpcd": "Google Research, Conversational Playlist Curation Dataset, CC-BY-4.0",
    "taskmaster-4": "Google, Taskmaster-4 (Byrne, Ganesh), CC-BY-4.0",
    "schema-guided-dialogue": "Google Research, Schema-Guided Dialogue (Rastogi et al. 2020), CC-BY-SA-4.0",
    "public-domain-fiction": "dialogue from novels and plays on Project Gutenberg, authors dead before 1955, public domain",
}

PROMPT = """```
<s><|system|>Scenario: Two people meet for the first time.
You: I am a nurse. I have two dogs.
Goal: Get to know the other person.
Secret: I am afraid of flying.<|end|><|user|>Hi! How are you?<|end|><|assistant|>
```"""

STORED = {"float16": "float16 weights", "int8": "int8 weights, one scale per output channel"}

MISSING = """The time on the GPU ended before the loss stopped falling: every member was still learning when its learning rate had to fall, and none
was stopped by held-out talk. Members of 15 and 28 million parameters were begun beside these and are not shipped, for they have seen too little
text to listen better than that of 8 million: `training/README.md` has their figures, and says what more time would be spent on."""


def loss_table(figures):
    rows = [f"| {source} | {figures['loss'][source]:.3f} | {figures['listening']['sources'][source]:+.3f} | {ATTRIBUTION[source]} |"
            for source in SOURCES]
    return "\n".join(["| source | loss | listening | text and licence |", "| --- | ---: | ---: | --- |", *rows])


def sample_text(figures):
    parts = []
    for meeting, texts in zip(MEETINGS, figures["samples"]):
        scenario, briefings = meeting
        told = [f"*{name}* is told: {briefing}".replace("\n", " ") for name, briefing in zip("AB", briefings)]
        talk = [f"{'AB'[turn % 2]}: {text}" for turn, text in enumerate(texts)]
        parts.append("\n".join([f"**{scenario}** {' '.join(told)}", "", "```", *talk, "```"]))
    return "\n\n".join(parts)


def card(figures, plan):
    seen, file, shape, listening = figures["seen"], figures["file"], plan["shape"], figures["listening"]
    return f"""---
license: other
language: en
pipeline_tag: text-generation
library_name: transformers.js
---

# {figures['member']}

A small conversational language model of entrain's own family, made by `training/` so that agents can talk on any machine.
{figures['parameters']:,} parameters, Llama architecture ({shape['width']} wide, {shape['layers']} deep, {shape['heads']} heads, SwiGLU {shape['ff']},
vocabulary {shape['vocab']:,}, tied embeddings, context 1,024 tokens). It has seen {seen['tokens'] / 1e6:.1f} million tokens in {seen['step']:,} steps.
It is for studying how models couple when they talk. It knows next to nothing, makes things up and must not advise anyone.

## Speaking to it

{PROMPT}

Any line of the system text may be missing. A turn ends in `<|end|>`; `<|leave|>` ends it and the talk: the speaker goes.

## Figures

Held-out dialogues, never trained on; nats per token of the talk. The loss over all sources is **{figures['lossAll']:.3f}**.
Listening is the mean log-likelihood of a true reply after its own history minus after another dialogue's, the own briefing kept:
**{listening['mean']:+.4f} ± {listening['error']:.4f}** nats per token ({listening['replies']} replies, standard error).

{loss_table(figures)}

| file | loss | largest difference of a logit from PyTorch |
| --- | ---: | ---: |
| float32 export (not shipped) | {file['float32Loss']:.5f} | {file['float32LogitError']:.1e} |
| `onnx/model.onnx`: {STORED[plan['weights']]}, float32 arithmetic, {figures['bytes'] / 1e6:.1f} MB | {file['shippedLoss']:.5f} | {file['shippedLogitError']:.1e} |

The losses are over the same smaller set of held-out dialogues. One thread of ONNX Runtime
speaks {file['tokensPerSecond']:.0f} tokens per second (the fastest of 12 pieces of 24 tokens, past token 64) and takes {file['megabytes']:.0f} MB with its runtime.

`training/evaluate-shipped {figures['member']}` measures loss and listening anew, from this folder and the text alone.

## What is missing

{MISSING}

## Five dialogues, unedited

Two copies of the model, each told its own lines only; temperature {TEMPERATURE}, top-p {TOP_P}, at most {MOST_TOKENS} tokens a turn.

{sample_text(figures)}

## Text it learned from

The sources and their licences are in the table above; the text was cleaned, cut into two-person dialogues and given briefings.
None of it is in this repository. Schema-Guided Dialogue is share-alike (CC-BY-SA-4.0), Topical-Chat under CDLA-Sharing-1.0.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("member")
    parser.add_argument("--work", help="where the member was trained: its loss over tokens is then copied to training/logs")
    options = parser.parse_args()
    if options.work:
        shutil.copy(Path(options.work, options.member, "loss.jsonl"), LOGS / f"{options.member}.loss.jsonl")
    figures = json.loads((LOGS / f"{options.member}.evaluation.json").read_text(encoding="utf-8"))
    Path(MODELS, options.member, "README.md").write_text(card(figures, read_member(options.member)), encoding="utf-8")


if __name__ == "__main__":
    main()
