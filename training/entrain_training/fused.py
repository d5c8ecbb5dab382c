"""The training loss of a LlamaLm on a CPU with kernels.c: same mathematics as the plain model, about twice as fast.

PyTorch on a CPU spends most of a small model's time on element-wise operations; here each is one pass in
bfloat16, the residual stream stays float32. Needs a C compiler; see `load_kernels`.
"""
import ctypes
import math
import subprocess
import tempfile
from pathlib import Path

import torch
from torch.nn import functional as F

from .model import rotary_tables

BFLOAT = torch.bfloat16
STEADY_ROWS = 128


def load_kernels():
    """The compiled kernels.c, or None where there is no compiler."""
    source = Path(__file__).with_name("kernels.c")
    library = Path(tempfile.mkdtemp(prefix="entrain-kernels-"), "kernels.so")
    command = ["cc", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-shared", "-fPIC", str(source), "-o", str(library), "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    kernels = ctypes.CDLL(str(library))
    kernels.cross_entropy.restype = ctypes.c_double
    return kernels


def call(function, *arguments):
    """Tensors go as addresses, whole numbers as int64, fractions as float32."""
    kinds = {int: ctypes.c_int64, float: ctypes.c_float, type(None): ctypes.c_void_p}
    return function(*[ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else kinds[type(a)](a) for a in arguments])


class AddNorm(torch.autograd.Function):
    """stream [N, D] float32 plus branch [N, D] bfloat16 (or None) -> the new stream, and its norm in bfloat16."""

    @staticmethod
    def forward(ctx, kernels, stream, branch, weight, eps):
        stream = stream.clone()
        normed, scale = torch.empty_like(stream, dtype=BFLOAT), stream.new_empty(len(stream))
        call(kernels.add_norm, stream, branch, weight, normed, scale, *stream.shape, eps)
        ctx.kernels, ctx.has_branch = kernels, branch is not None
        ctx.save_for_backward(stream, weight, scale)
        return stream, normed

    @staticmethod
    def backward(ctx, stream_grad, normed_grad):
        stream, weight, scale = ctx.saved_tensors
        stream_grad = torch.zeros_like(stream) if stream_grad is None else stream_grad.clone()
        branch_grad, weight_grad = torch.empty_like(stream, dtype=BFLOAT), torch.zeros_like(weight)
        call(ctx.kernels.add_norm_back, stream, weight, scale, normed_grad.contiguous(), stream_grad, branch_grad,
             weight_grad, *stream.shape)
        return None, stream_grad, branch_grad if ctx.has_branch else None, weight_grad, None


class CausalAttention(torch.autograd.Function):
    """qkv [B, T, 3, H, C] bfloat16 -> mixed values [B, T, H * C]; tables [T, C] hold cosines, then sines."""

    @staticmethod
    def forward(ctx, kernels, qkv, tables):
        batch, steps, _, heads, dims = qkv.shape
        split = torch.empty(3, batch * heads, steps, dims, dtype=BFLOAT)
        ctx.sizes = (batch, steps, heads, dims)
        call(kernels.rotary, qkv, split, tables, *ctx.sizes, dims ** -0.5, 1.0, 0)
        weights = torch.bmm(split[0], split[1].transpose(1, 2))
        call(kernels.causal_softmax, weights, batch * heads, steps)
        ctx.kernels = kernels
        ctx.save_for_backward(split, weights, tables)
        return torch.bmm(weights, split[2]).view(batch, heads, steps, dims).transpose(1, 2).reshape(batch, steps, -1)

    @staticmethod
    def backward(ctx, mixed_grad):
        (query, key, value), weights, tables = ctx.saved_tensors
        batch, steps, heads, dims = ctx.sizes
        mixed_grad = mixed_grad.view(batch, steps, heads, dims).transpose(1, 2).reshape(batch * heads, steps, dims)
        scores_grad = torch.bmm(mixed_grad, value.transpose(1, 2))
        call(ctx.kernels.causal_softmax_back, weights, scores_grad, batch * heads, steps)
        split = torch.stack([torch.bmm(scores_grad, key), torch.bmm(scores_grad.transpose(1, 2), query),
                             torch.bmm(weights.transpose(1, 2), mixed_grad)])
        qkv_grad = torch.empty(batch, steps, 3, heads, dims, dtype=BFLOAT)
        call(ctx.kernels.rotary, qkv_grad, split, tables, *ctx.sizes, dims ** -0.5, -1.0, 1)
        return None, qkv_grad, None


class SwiGlu(torch.autograd.Function):
    """gate and up side by side [N, 2F] bfloat16 -> [N, F]."""

    @staticmethod
    def forward(ctx, kernels, gate_up):
        out = gate_up.new_empty(len(gate_up), gate_up.shape[1] // 2)
        call(kernels.swiglu, gate_up, out, *out.shape)
        ctx.kernels = kernels
        ctx.save_for_backward(gate_up)
        return out

    @staticmethod
    def backward(ctx, grad):
        grad, gate_up_grad = grad.contiguous(), torch.empty_like(ctx.saved_tensors[0])
        call(ctx.kernels.swiglu_back, ctx.saved_tensors[0], grad, gate_up_grad, *grad.shape)
        return None, gate_up_grad


class OutputLoss(torch.autograd.Function):
    """states [N, D], matrix [V, D] bfloat16, targets [N] int64 -> summed cross-entropy, nats.

    N is filled up with states of zeros: a matrix product of a size not met before costs a CPU a tenth of a second more. Their logits
    are all zero, so each adds ln V to the loss, which is taken off, and nothing to a gradient.
    """

    @staticmethod
    def forward(ctx, kernels, states, matrix, targets):
        ctx.count, extra = len(states), -len(states) % STEADY_ROWS
        states, targets = F.pad(states, (0, 0, 0, extra)), F.pad(targets, (0, extra))
        logits = states @ matrix.t()
        loss = call(kernels.cross_entropy, logits, targets, *logits.shape) - extra * math.log(len(matrix))
        ctx.save_for_backward(states, matrix, logits)
        return torch.tensor(loss, dtype=torch.float32)

    @staticmethod
    def backward(ctx, grad):
        states, matrix, logits_grad = ctx.saved_tensors
        scale = grad.to(BFLOAT)
        return None, (logits_grad @ matrix)[:ctx.count] * scale, (logits_grad.t() @ states) * scale, None


def fused_loss(kernels, model, ids, learned):
    """Sum of nats over learned [B, T] of the tokens that follow ids [B, T+1]."""
    decoder, (batch, steps) = model.model, learned.shape
    shape = decoder.shape
    dims = shape.width // shape.heads
    tables = torch.cat([table[0, 0] for table in rotary_tables(torch.arange(steps)[None], dims, shape.rope_theta)], -1)
    stream, branch = F.embedding(ids[:, :-1], decoder.embed_tokens.weight).view(batch * steps, -1), None
    for layer in decoder.layers:
        attention, mlp = layer.self_attn, layer.mlp
        stream, normed = AddNorm.apply(kernels, stream, branch, layer.input_layernorm.weight, shape.norm_eps)
        qkv = F.linear(normed, attention.qkv_proj.weight.to(BFLOAT)).view(batch, steps, 3, shape.heads, dims)
        mixed = CausalAttention.apply(kernels, qkv, tables).view(batch * steps, -1)
        branch = F.linear(mixed, attention.o_proj.weight.to(BFLOAT))
        stream, normed = AddNorm.apply(kernels, stream, branch, layer.post_attention_layernorm.weight, shape.norm_eps)
        gated = SwiGlu.apply(kernels, F.linear(normed, mlp.gate_up_proj.weight.to(BFLOAT)))
        branch = F.linear(gated, mlp.down_proj.weight.to(BFLOAT))
    _, normed = AddNorm.apply(kernels, stream, branch, decoder.norm.weight, shape.norm_eps)
    return OutputLoss.apply(kernels, normed[learned.reshape(-1)], decoder.embed_tokens.weight.to(BFLOAT), ids[:, 1:][learned])
