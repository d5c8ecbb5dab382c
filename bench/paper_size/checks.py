"""The map against the published arithmetic and against scikit-learn’s figures, before it is timed."""
import json

import numpy as np
import torch

from .clock import Clock
from .published import published_r2
from .r2_map import WAYS, r2_maps
from .states import draw_splits, planted_states, sides_of

ALPHA = 0.1


def check_small(device, n, layers, dims):
    """Largest difference of the map, either way, from the published arithmetic in float64."""
    a, b, episode = planted_states(n, layers, dims, device, seed=7)
    splits = [sides_of(episode, drawn, device) for drawn in draw_splits(episode, 2, seed=7)]
    want = torch.tensor(
        [[[float(published_r2(x, y, *split, ALPHA, torch.float64)) for y in b] for x in a] for split in splits],
        dtype=torch.float64)
    return max(float((r2_maps(a, b, splits, ALPHA, way, Clock(device)) - want).abs().max()) for way in WAYS)


def check_golden(folder, device):
    """Largest difference of the map, either way, from scikit-learn's figures."""
    a, b = (torch.from_numpy(np.load(folder / f"{side}.npy").transpose(1, 0, 2).copy()).to(device) for side in "AB")
    episode, expected = np.load(folder / "episode.npy"), json.loads((folder / "expected.json").read_text())
    splits = [sides_of(episode, drawn, device) for drawn in expected["test_episodes"]]
    want = torch.tensor(expected["r2_per_split"], dtype=torch.float64)
    return max(
        float((r2_maps(a, b, splits, expected["alpha"], way, Clock(device)) - want).abs().max()) for way in WAYS)


def float32_product_error(device):
    """Relative; about 1e-6 in full float32, 1e-3 where products are rounded to TF32."""
    x = torch.randn(512, 512, generator=torch.Generator(device=device).manual_seed(1), device=device)
    exact = x.double() @ x.double()
    return float(((x @ x).double() - exact).abs().max() / exact.abs().max())


def run_checks(device, golden):
    checks = []
    for size in ((260, 3, 64), (130, 3, 200)):
        name = "published arithmetic, n {}, layers {}, dims {}".format(*size)
        checks.append({"against": name, "largest": check_small(device, *size), "allowed": 1e-9})
    for folder in golden:
        name = f"scikit-learn, {folder.name}"
        checks.append({"against": name, "largest": check_golden(folder, device), "allowed": 1e-6})
    checks.append({"against": "a float64 product, in float32", "largest": float32_product_error(device), "allowed": 1e-5})
    return checks
