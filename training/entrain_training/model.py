"""A Llama-architecture decoder: RMSNorm, rotary positions, SwiGLU, tied embeddings.

The module tree (model.layers.{i}.self_attn, .mlp, ...) is the one the exporters of the hub use, so the
ONNX graph calls the residual stream after layer i `/model/layers.{i}/Add_1_output_0`.

Shapes: B sequences, T new tokens, P cached tokens, D hidden width, H heads, K key/value heads, C = D / H.
This file knows nothing about text, training or files.
"""
import math
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """Sizes of one model; all counts, no units."""

    vocab: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    ff: int
    context: int = 1024
    rope_theta: float = 10000.0
    norm_eps: float = 1e-5

    def as_dict(self):
        return asdict(self)


class RmsNorm(nn.Module):
    """x / rms(x) * weight over the last axis; the mean of squares is taken in float32."""

    def __init__(self, width, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x):
        wide = x.float()
        return wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


def rotary_tables(position_ids, head_dim, theta):
    """cos and sin, each [B, 1, T, C/2], for position_ids [B, T]."""
    rates = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32, device=position_ids.device) / head_dim)
    angles = position_ids[:, None, :, None].float() * rates
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Rotate the pairs (x[c], x[c + C/2]) of x [B, H, T, C]: the half-split pairing of the hub's Llama."""
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


class Attention(nn.Module):
    """Causal self-attention; one fused projection gives queries, keys and values in this order."""

    def __init__(self, shape):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = shape.heads, shape.kv_heads, shape.width // shape.heads
        self.qkv_proj = nn.Linear(shape.width, (shape.heads + 2 * shape.kv_heads) * self.head_dim, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x, rotary, mask, past=None):
        """x [B, T, D], mask [B|1, 1, T, P+T] added to the scores, past a pair of [B, K, P, C] -> (y, present).

        Without a mask every position sees those before it, by PyTorch's own kernel (PyTorch 2).
        """
        batch, steps = x.shape[0], x.shape[1]
        groups = self.qkv_proj(x).view(batch, steps, -1, self.head_dim).transpose(1, 2)
        query, key, value = groups.split([self.heads, self.kv_heads, self.kv_heads], 1)
        query, key = rotate(query, *rotary), rotate(key, *rotary)
        if past is not None:
            key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
        present = (key, value)
        if self.kv_heads != self.heads:
            repeats = self.heads // self.kv_heads
            key, value = (t.repeat_interleave(repeats, 1) for t in present)
        if mask is None:
            mixed = F.scaled_dot_product_attention(query.to(value.dtype), key.to(value.dtype), value, is_causal=True)
        else:
            scores = (query * (1 / math.sqrt(self.head_dim))) @ key.transpose(-1, -2) + mask
            mixed = scores.softmax(-1).to(value.dtype) @ value
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, steps, -1)), present


class SwiGlu(nn.Module):
    """down(silu(gate(x)) * up(x)); gate and up are one projection."""

    def __init__(self, shape):
        super().__init__()
        self.gate_up_proj = nn.Linear(shape.width, 2 * shape.ff, bias=False)
        self.down_proj = nn.Linear(shape.ff, shape.width, bias=False)

    def forward(self, x):
        gate, up = self.gate_up_proj(x).chunk(2, -1)
        return self.down_proj(F.silu(gate) * up)


class Layer(nn.Module):
    """Two residual additions: attention, then feed-forward; in training a share `dropout` of each is left out."""

    def __init__(self, shape):
        super().__init__()
        self.dropout = 0.0
        self.input_layernorm = RmsNorm(shape.width, shape.norm_eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RmsNorm(shape.width, shape.norm_eps)
        self.mlp = SwiGlu(shape)

    def forward(self, x, rotary, mask, past=None):
        attended, present = self.self_attn(self.input_layernorm(x), rotary, mask, past)
        x = x + self.thinned(attended)
        x = x + self.thinned(self.mlp(self.post_attention_layernorm(x)))
        return x, present

    def thinned(self, branch):
        return F.dropout(branch, self.dropout) if self.training and self.dropout else branch


class Decoder(nn.Module):
    """Token ids to normalised states."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RmsNorm(shape.width, shape.norm_eps)

    def forward(self, input_ids, position_ids, mask, pasts=None):
        """input_ids, position_ids [B, T] -> states [B, T, D] and the present pair of each layer."""
        x = self.embed_tokens(input_ids)
        rotary = rotary_tables(position_ids, self.shape.width // self.shape.heads, self.shape.rope_theta)
        presents = []
        for index, layer in enumerate(self.layers):
            x, present = layer(x, rotary, mask, None if pasts is None else pasts[index])
            presents.append(present)
        return self.norm(x), presents


class LlamaLm(nn.Module):
    """Decoder with the embedding matrix as output layer."""

    def __init__(self, shape):
        super().__init__()
        self.model = Decoder(shape)
        for name, weight in self.named_parameters():
            if weight.dim() > 1:
                into_stream = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(weight, std=0.02 / math.sqrt(2 * shape.layers) if into_stream else 0.02)

    def forward(self, input_ids, attention_mask=None, position_ids=None, pasts=None):
        """attention_mask [B, P+T] of ones and zeros -> logits [B, T, V] and the presents."""
        if attention_mask is None:
            past = 0 if pasts is None else pasts[0][0].shape[2]
            attention_mask = input_ids.new_ones(input_ids.shape[0], past + input_ids.shape[1])
        if position_ids is None:
            position_ids = (attention_mask.cumsum(-1) - 1).clamp(min=0)[:, -input_ids.shape[1]:]
        mask = causal_mask(attention_mask, input_ids.shape[1])
        states, presents = self.model(input_ids, position_ids, mask, pasts)
        return states @ self.model.embed_tokens.weight.t(), presents

    def logits_at(self, input_ids, chosen):
        """[N, V] logits at the N places `chosen` of input_ids [B, T] laid end to end; rows start at position 0."""
        steps = input_ids.shape[1]
        positions = torch.arange(steps, device=input_ids.device)[None]
        mask = None if input_ids.is_cuda else causal_mask(torch.ones_like(positions), steps)
        states, _ = self.model(input_ids, positions, mask)
        return states.flatten(0, 1)[chosen] @ self.model.embed_tokens.weight.t()


def causal_mask(attention_mask, steps):
    """[B, 1, T, P+T]: 0 where the last `steps` positions may look, a large negative number elsewhere."""
    total = attention_mask.shape[1]
    places = torch.arange(total, device=attention_mask.device)
    queries = total - steps + torch.arange(steps, device=attention_mask.device)
    seen = (places[None, :] <= queries[:, None])[None, None] & (attention_mask[:, None, None, :] > 0)
    return (1.0 - seen.float()) * -1e9


def count_parameters(model):
    return sum(weight.numel() for weight in model.parameters())
