"""The weights of a published model folder back as a LlamaLm: float16 is widened, int8 multiplied by its scales.

What rounding took away stays lost: int8 weights come back within half a step of the trained ones.
"""
import json
from pathlib import Path

import numpy
import onnx
import torch
from onnx import numpy_helper

from .model import LlamaLm, Shape


def stored_tensors(graph):
    """{name: float32 values}, a matrix under the name that the graph computes it as; weights.py says how they are stored."""
    tensors = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:  # a Cast stands before the Mul that reads it
        if node.op_type in ("Cast", "Identity") and node.input[0] in tensors:
            tensors[node.output[0]] = tensors[node.input[0]].astype(numpy.float32)
        elif node.op_type == "Mul" and all(name in tensors for name in node.input):
            tensors[node.output[0]] = tensors[node.input[0]] * tensors[node.input[1]]
    return tensors


def shape_of(folder):
    config = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
    return Shape(vocab=config["vocab_size"], width=config["hidden_size"], layers=config["num_hidden_layers"],
                 heads=config["num_attention_heads"], kv_heads=config["num_key_value_heads"], ff=config["intermediate_size"],
                 context=config["max_position_embeddings"], rope_theta=config["rope_theta"], norm_eps=config["rms_norm_eps"])


def load_folder(folder):
    """The LlamaLm of a model folder, in float32. A weight is found by the node that uses it: of equal ones one is stored."""
    graph = onnx.load(str(Path(folder, "onnx", "model.onnx"))).graph
    tensors, state = stored_tensors(graph), {}
    for node in graph.node:
        module, _, last = node.name[1:].replace("/", ".").rpartition(".")
        if last == "MatMul" and module.endswith("_proj"):
            state[f"{module}.weight"] = tensors[node.input[1]].T
        elif last == "Mul_1" and module.endswith("norm"):
            state[f"{module}.weight"] = tensors[node.input[1]]
        elif module == "model.embed_tokens":
            state[f"{module}.weight"] = tensors[node.input[0]]
    model = LlamaLm(shape_of(folder))
    model.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in state.items()})
    return model
