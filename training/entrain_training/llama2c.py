"""Turn a llama2.c checkpoint ("version 0" .bin) and its tokenizer into a folder as found on the hub.

The rotary pairing differs: llama2.c rotates neighbours (x[2c], x[2c+1]), the hub's Llama the halves
(x[c], x[c + C/2]); the rows of the query and key matrices are put in the other order, which changes nothing else.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy
import torch

from .chat import BOS
from .export import write_configs, write_onnx
from .model import LlamaLm, Shape
from .tokenizer import SPACE, UNKNOWN, bpe_json, write_tokenizer_files

EOS = "</s>"
BOS_ID, EOS_ID, FIRST_BYTE, BYTES = 1, 2, 3, 256
# These models only go on with a text: what was said before, turn by turn.
TEMPLATE = "{{ bos_token }}{% for message in messages %}{{ message['content'] + ' ' }}{% endfor %}"


def read_checkpoint(path):
    """(Shape, {name: float32 array}) of a legacy llama2.c file."""
    data = Path(path).read_bytes()
    width, ff, layers, heads, kv_heads, vocab, context = struct.unpack("<7i", data[:28])
    if vocab < 0:
        raise SystemExit(f"{path}: expected a classifier tied to the embedding, got a separate one")
    kv = width // heads * kv_heads
    sizes = [("embed", (vocab, width)), ("norm1", (layers, width)), ("q", (layers, width, width)), ("k", (layers, kv, width)),
             ("v", (layers, kv, width)), ("o", (layers, width, width)), ("norm2", (layers, width)), ("gate", (layers, ff, width)),
             ("down", (layers, width, ff)), ("up", (layers, ff, width)), ("norm", (width,))]
    numbers, at, arrays = numpy.frombuffer(data, "<f4", offset=28), 0, {}
    for name, size in sizes:
        count = int(numpy.prod(size))
        arrays[name] = numbers[at:at + count].reshape(size)
        at += count
    return Shape(vocab, width, layers, heads, kv_heads, ff, context), arrays


def halves_order(matrix, head_dim):
    """Rows [heads * C, D] of neighbouring pairs, reordered per head to even rows, then odd rows."""
    heads = matrix.reshape(-1, head_dim // 2, 2, matrix.shape[1])
    return heads.transpose(0, 2, 1, 3).reshape(matrix.shape)


def build_model(shape, arrays):
    head_dim = shape.width // shape.heads
    state = {"model.embed_tokens.weight": arrays["embed"], "model.norm.weight": arrays["norm"]}
    for index in range(shape.layers):
        part = {name: values[index] for name, values in arrays.items() if name not in ("embed", "norm")}
        qkv = [halves_order(part["q"], head_dim), halves_order(part["k"], head_dim), part["v"]]
        state |= {f"model.layers.{index}.{name}": values for name, values in {
            "input_layernorm.weight": part["norm1"], "post_attention_layernorm.weight": part["norm2"],
            "self_attn.qkv_proj.weight": numpy.concatenate(qkv), "self_attn.o_proj.weight": part["o"],
            "mlp.gate_up_proj.weight": numpy.concatenate([part["gate"], part["up"]]), "mlp.down_proj.weight": part["down"]}.items()}
    model = LlamaLm(shape)
    model.load_state_dict({name: torch.from_numpy(values.copy()) for name, values in state.items()})
    return model.eval()


def read_pieces(path, vocab):
    """Pieces by id, spaces as the hub writes them: from tokenizer .bin, or .vocab (piece, tab, score)."""
    if Path(path).suffix == ".vocab":
        pieces = [line.split("\t")[0] for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
    else:
        data, at, pieces = Path(path).read_bytes(), 4, []
        for _ in range(vocab):
            length = struct.unpack_from("<i", data, at + 4)[0]
            pieces.append(data[at + 8:at + 8 + length].decode("utf-8").replace(" ", SPACE))
            at += 8 + length
    return [UNKNOWN, BOS, EOS, *pieces[3:]]


def tokenizer_of(pieces):
    has_bytes = pieces[FIRST_BYTE] == "<0x00>"
    aside = set(range(FIRST_BYTE + (BYTES if has_bytes else 0)))
    return bpe_json(pieces, aside, [BOS, EOS], byte_fallback=has_bytes, leading_space=True)


@torch.no_grad()
def greedy(model, ids, count):
    logits, pasts = model(torch.tensor([ids]))
    spoken = [int(logits[0, -1].argmax())]
    while len(spoken) < count:
        logits, pasts = model(torch.tensor([spoken[-1:]]), pasts=pasts)
        spoken.append(int(logits[0, -1].argmax()))
    return spoken


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="the .bin file")
    parser.add_argument("folder", help="where the model folder goes")
    parser.add_argument("--tokenizer", help="tok*.bin or *.vocab; default: the only one beside the checkpoint")
    options = parser.parse_args()
    beside = Path(options.checkpoint).parent
    tokenizer = options.tokenizer or next(iter([*beside.glob("tok*.bin"), *beside.glob("*.vocab")]))
    shape, arrays = read_checkpoint(options.checkpoint)
    model = build_model(shape, arrays)
    write_onnx(model, options.folder)
    write_configs(shape, options.folder, BOS_ID, [BOS_ID, EOS_ID])
    write_tokenizer_files(tokenizer_of(read_pieces(tokenizer, shape.vocab)), options.folder, shape.context, TEMPLATE, EOS)
    print(f"{options.folder}: {shape}")
    if (beside / "reference.json").exists():
        report_reference(model, json.loads((beside / "reference.json").read_text(encoding="utf-8")))


def report_reference(model, reference):
    """Say whether greedy decoding gives the ids of a reference file."""
    wanted = reference["greedy_ids"][len(reference["prompt_ids"]):]
    same = greedy(model, reference["prompt_ids"], len(wanted)) == wanted
    print(f"greedy ids of reference.json ({len(wanted)}): {'the same' if same else 'DIFFERENT'}")


if __name__ == "__main__":
    main()
