"""The first weights of a member that is fine-tuned: its published ones, or another member's with layers cut or added.

An added layer is a copy of the one in front whose two output matrices are zero: the model says the same as before.
"""
from pathlib import Path

import torch

from .from_onnx import load_folder
from .shipped import MODELS

OUTPUTS = ("self_attn.o_proj.weight", "mlp.down_proj.weight")


def with_layers(state, layers):
    """state with the layers of these numbers, in this order; a number that comes again is an added layer."""
    chosen = {name: values.clone() for name, values in state.items() if not name.startswith("model.layers.")}
    for place, layer in enumerate(layers):
        added = place > 0 and layers[place - 1] == layer
        prefix = f"model.layers.{layer}."
        for name, values in state.items():
            if name.startswith(prefix):
                part = name[len(prefix):]
                chosen[f"model.layers.{place}.{part}"] = torch.zeros_like(values) if added and part in OUTPUTS else values.clone()
    return chosen


def first_weights(member, plan, work):
    """A state dictionary; "from" names a member, whose checkpoint in the work folder is taken if there is one, and the layers to keep."""
    origin = plan.get("from", {"member": member})
    checkpoint = Path(work, origin["member"], "checkpoint.pt")
    if origin["member"] != member and checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu")["model"]
    else:
        state = load_folder(MODELS / origin["member"]).state_dict()
    return with_layers(state, origin["layers"]) if "layers" in origin else state
