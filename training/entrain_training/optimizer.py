"""Muon for the matrices inside the layers, AdamW for the embedding and the norms.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers") replaces the momentum of a matrix by the
nearest orthogonal one, found with five Newton-Schulz steps. Here it reached a given loss in fewer tokens.
"""
import torch

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # quintic iteration of the paper: fast, ends near 1, not at it


def orthogonalise(matrix, rounds=5):
    """The near-orthogonal factor of matrix [out, in], in bfloat16."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.bfloat16().t() if tall else matrix.bfloat16()
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        gram = x @ x.t()
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.t() if tall else x


class Muon(torch.optim.Optimizer):
    """`parts` of a weight are matrices stacked along its rows, each made orthogonal on its own."""

    def __init__(self, named, rate, decay):
        groups = [{"params": [weight], "parts": parts} for weight, parts in named]
        super().__init__(groups, {"lr": rate, "decay": decay, "parts": 1})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            weight = group["params"][0]
            state = self.state[weight]
            speed = state.setdefault("speed", torch.zeros_like(weight))
            speed.lerp_(weight.grad, 1 - MOMENTUM)
            ahead = weight.grad.lerp(speed, MOMENTUM)
            weight.mul_(1 - group["lr"] * group["decay"])
            for place, push in zip(weight.chunk(group["parts"]), ahead.chunk(group["parts"])):
                stretch = max(1, push.shape[0] / push.shape[1]) ** 0.5
                place.sub_(orthogonalise(push).to(place.dtype), alpha=group["lr"] * stretch)


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
