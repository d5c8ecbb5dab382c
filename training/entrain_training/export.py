"""From weights to a folder as found on the hub: config.json, generation_config.json, onnx/model.onnx.

The graph is traced in float32; weights.py says how its matrices are stored.
"""
import json
import warnings
from pathlib import Path

import numpy
import onnx
import torch
from onnx import helper, numpy_helper

from .model import causal_mask
from .weights import store_matrices

OPSET = 14


class CachedStep(torch.nn.Module):
    """The model with its cache as flat inputs and outputs, the way ONNX wants it."""

    def __init__(self, lm):
        super().__init__()
        self.model = lm.model

    def forward(self, input_ids, attention_mask, position_ids, *cache):
        pasts = list(zip(cache[0::2], cache[1::2]))
        mask = causal_mask(attention_mask, input_ids.shape[1])
        states, presents = self.model(input_ids, position_ids, mask, pasts)
        logits = states @ self.model.embed_tokens.weight.t()
        return (logits, *[tensor for pair in presents for tensor in pair])


def export_float32(lm, path):
    """Trace lm, opset 14; batch, steps and cached steps stay free."""
    shape = lm.model.shape
    past, steps = 3, 2
    head_dim = shape.width // shape.heads
    names = [f"{index}.{part}" for index in range(shape.layers) for part in ("key", "value")]
    ids = torch.ones(1, steps, dtype=torch.int64)
    cache = [torch.zeros(1, shape.kv_heads, past, head_dim) for _ in names]
    arguments = (ids, torch.ones(1, past + steps, dtype=torch.int64), ids + past, *cache)
    axes = {"input_ids": {0: "batch", 1: "steps"}, "attention_mask": {0: "batch", 1: "total"},
            "position_ids": {0: "batch", 1: "steps"}, "logits": {0: "batch", 1: "steps"}}
    for name in names:
        axes[f"past_key_values.{name}"] = {0: "batch", 2: "past"}
        axes[f"present.{name}"] = {0: "batch", 2: "total"}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            CachedStep(lm.eval()), arguments, str(path), opset_version=OPSET, dynamic_axes=axes,
            input_names=["input_ids", "attention_mask", "position_ids"] + [f"past_key_values.{n}" for n in names],
            output_names=["logits"] + [f"present.{n}" for n in names])


def share_output_matrix(graph):
    """Replace the folded transpose of the embedding by a Transpose node, so that it is stored once."""
    stored = {item.name: item for item in graph.initializer}
    embedding = next(item for name, item in stored.items() if name.endswith("embed_tokens.weight"))
    values = numpy_helper.to_array(embedding)
    for item in list(graph.initializer):
        if item.dims == embedding.dims[::-1] and numpy.array_equal(numpy_helper.to_array(item), values.T):
            graph.initializer.remove(item)
            graph.node.insert(0, helper.make_node("Transpose", [embedding.name], [item.name], "/lm_head/Transpose", perm=[1, 0]))


def write_onnx(lm, folder, weights="float16"):
    """folder/onnx/model.onnx, its matrices stored as weights.FORMATS says; returns its size in bytes."""
    path = Path(folder, "onnx", "model.onnx")
    path.parent.mkdir(parents=True, exist_ok=True)
    export_float32(lm, path)
    proto = onnx.load(str(path))
    share_output_matrix(proto.graph)
    store_matrices(proto.graph, weights)
    onnx.checker.check_model(proto)
    onnx.save(proto, str(path))
    return path.stat().st_size


def write_configs(shape, folder, bos_id, eos_ids):
    """config.json and generation_config.json of a Llama with these sizes and stop tokens."""
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": shape.vocab,
              "hidden_size": shape.width, "intermediate_size": shape.ff, "num_hidden_layers": shape.layers,
              "num_attention_heads": shape.heads, "num_key_value_heads": shape.kv_heads,
              "head_dim": shape.width // shape.heads, "hidden_act": "silu", "max_position_embeddings": shape.context,
              "rms_norm_eps": shape.norm_eps, "rope_theta": shape.rope_theta, "rope_scaling": None,
              "attention_bias": False, "mlp_bias": False, "tie_word_embeddings": True, "torch_dtype": "float32",
              "use_cache": True, "bos_token_id": bos_id, "eos_token_id": eos_ids}
    generation = {"bos_token_id": bos_id, "eos_token_id": eos_ids, "do_sample": True, "temperature": 0.8, "top_p": 0.95}
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        Path(folder, name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
