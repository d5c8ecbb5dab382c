"""Muon for the matrices inside the layers, AdamW for the embedding and the norms.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers") replaces the momentum of a matrix by the
nearest orthogonal one, found with five Newton-Schulz steps. Here it reached a given loss in fewer tokens.
"""
import torch

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # quintic iteration of the paper: fast, ends near 1, not at it


def orthogonalise(matrices, rounds=5):
    """The near-orthogonal factors of matrices [..., out, in], in bfloat16."""
    a, b, c = COEFFICIENTS
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.bfloat16().transpose(-2, -1) if tall else matrices.bfloat16()
    x = x / (x.float().square().sum((-2, -1), keepdim=True).sqrt() + 1e-7).bfloat16()
    for _ in range(rounds):
        gram = x @ x.transpose(-2, -1)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.transpose(-2, -1) if tall else x


class Muon(torch.optim.Optimizer):
    """`parts` of a weight are matrices stacked along its rows, each made orthogonal on its own.

    Matrices of one shape are made orthogonal together: one by one, a GPU would wait for Python.
    """

    def __init__(self, named, rate, decay):
        groups = [{"params": [weight], "parts": parts} for weight, parts in named]
        super().__init__(groups, {"lr": rate, "decay": decay, "parts": 1})

    @torch.no_grad()
    def step(self):
        for pushes in self.pushes_by_shape().values():
            stretch = max(1, pushes[0][1].shape[0] / pushes[0][1].shape[1]) ** 0.5
            factors = orthogonalise(torch.stack([push for _, push, _ in pushes]))
            for (place, _, rate), factor in zip(pushes, factors):
                place.sub_(factor.to(place.dtype), alpha=rate * stretch)

    def pushes_by_shape(self):
        """{shape: [(place in the weights, its momentum, learning rate)]}; the weights have decayed."""
        pushes = {}
        for group in self.param_groups:
            weight = group["params"][0]
            speed = self.state[weight].setdefault("speed", torch.zeros_like(weight))
            speed.lerp_(weight.grad, 1 - MOMENTUM)
            ahead = weight.grad.lerp(speed, MOMENTUM)
            weight.mul_(1 - group["lr"] * group["decay"])
            for place, push in zip(weight.chunk(group["parts"]), ahead.chunk(group["parts"])):
                pushes.setdefault(push.shape, []).append((place, push, group["lr"]))
        return pushes


def make_optimizers(model, matrix_rate, other_rate):
    """[Muon, AdamW] over all weights; rates are per step at full warmth."""
    parts = {"qkv_proj": 3, "gate_up_proj": 2}
    matrices, others = [], []
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "embed" not in name:
            matrices.append((weight, parts.get(name.split(".")[-2], 1)))
        else:
            others.append(weight)
    return [Muon(matrices, matrix_rate, 0.05), torch.optim.AdamW(others, other_rate, betas=(0.9, 0.95), weight_decay=0.01)]
