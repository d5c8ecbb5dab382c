"""Write the model folder of a trained member: graph, configurations, tokenizer."""
import argparse
from pathlib import Path

import torch

from .chat import BOS, END, LEAVE
from .export import write_configs, write_onnx
from .family import read_member
from .model import LlamaLm, Shape
from .tokenizer import Tokens, sentencepiece_json, write_tokenizer_files

MODELS = Path(__file__).resolve().parents[2] / "models"


def load_trained(work, member):
    """(model in float32, counters of the run) from the member's checkpoint: the weights of the lowest held-out loss."""
    saved = torch.load(Path(work, member, "checkpoint.pt"), map_location="cpu")
    model = LlamaLm(Shape(**saved["shape"]))
    model.load_state_dict(saved.get("best") or saved["model"])
    return model.eval(), saved["seen"]


def publish(work, member, models=MODELS):
    """models/MEMBER, ready to be loaded, its weights stored as family.json says; returns the folder."""
    folder = Path(models, member)
    model, _ = load_trained(work, member)
    tokens = Tokens(Path(work, "tokenizer.model"))
    write_onnx(model, folder, read_member(member)["weights"])
    write_configs(model.model.shape, folder, tokens.id_of(BOS), [tokens.id_of(END), tokens.id_of(LEAVE)])
    write_tokenizer_files(sentencepiece_json(tokens), folder, model.model.shape.context)
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("member")
    parser.add_argument("--work", required=True)
    parser.add_argument("--models", default=MODELS)
    options = parser.parse_args()
    print(publish(options.work, options.member, options.models))


if __name__ == "__main__":
    main()
