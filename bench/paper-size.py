"""The layer x layer R2 map at the paper's size, whole, on one device, beside the published arithmetic per pair of layers.

    python3 bench/paper-size.py --golden FOLDER --out FILE.json

32 source x 32 target layers, 4,096 dims, 6,500 turn pairs, 3 splits of whole episodes, penalty 0.1, one direction. The map is that of
src/synchrony/syncr2/paper-mode.ts in float64; what is published fits every pair of layers anew, and is timed over a sample of pairs and multiplied.
It needs PyTorch (1.13 or later) and numpy, and knows nothing of agents or runs: its states are drawn, with coupling planted in them.
"""
import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from paper_size.checks import run_checks
from paper_size.clock import Clock, wait
from paper_size.published import published_work, time_published
from paper_size.r2_map import WAYS, map_work, r2_maps, source_gram
from paper_size.states import draw_splits, planted_states, sides_of

ALPHA = 0.1


def show(line):
    print(line, flush=True)


def peak_gib(device):
    return torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else None


def faster_way(a, splits):
    """Seconds that one source layer takes each way, the second time; the names of the ways by seconds."""
    k, seconds = source_gram(a[0]), {}
    for way, weights in WAYS.items():
        for _ in range(2):
            clock = Clock(a.device)
            with clock.phase(way):
                for _ in weights(k, splits, ALPHA):
                    pass
        seconds[way] = clock.seconds[way]
    return seconds, min(seconds, key=seconds.get)


def measure_map(a, b, splits, result):
    """The map twice over: the second run is the one that counts, as kernels are loaded and memory is reserved in the first."""
    device = a.device
    result["seconds_of_one_source_layer"], way = faster_way(a, splits)
    result["way"] = way
    runs = []
    for _ in range(2):
        clock = Clock(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        wait(device)
        started = time.perf_counter()
        maps = r2_maps(a, b, splits, ALPHA, way, clock)
        runs.append({"total_s": time.perf_counter() - started, "phases_s": clock.seconds})
    result["map_runs"], result["map_peak_gib"] = runs, peak_gib(device)
    work = map_work(len(a), a.shape[1], a.shape[2], splits, way)
    result["map_tflop"] = {name: value / 1e12 for name, value in work.items()}
    best = maps.mean(0).max(1)
    result["sync_r2"], result["best_target_layer"] = float(best.values.clamp(min=0).mean()), best.indices.tolist()
    result["r2_mean"] = maps.mean(0).tolist()
    show_map(result)
    return maps


def show_map(result):
    last, tflop = result["map_runs"][-1], result["map_tflop"]
    show("\none source layer: " + ", ".join(f"{w} {s:.3f} s" for w, s in result["seconds_of_one_source_layer"].items()))
    show(f"{'phase':<22}{'seconds':>9}{'TFLOP':>9}{'TFLOP/s':>9}")
    for name, seconds in last["phases_s"].items():
        work = tflop.get(name, 0)
        show(f"{name:<22}{seconds:>9.3f}{work:>9.2f}{work / seconds:>9.1f}")
    total = sum(tflop.values())
    show(f"{'the whole map':<22}{last['total_s']:>9.3f}{total:>9.2f}{total / last['total_s']:>9.1f}")
    show(f"first run {result['map_runs'][0]['total_s']:.3f} s; {result['way']}; SyncR2 {result['sync_r2']:.4f}")
    if result["map_peak_gib"] is not None:
        show(f"largest memory of the map, states included: {result['map_peak_gib']:.1f} GiB")


def measure_published(a, b, splits, maps, result):
    """Both precisions over the same pairs, each with its distance from the map."""
    random, (_, sources, targets) = np.random.default_rng(11), maps.shape
    sample = [tuple(int(random.integers(size)) for size in maps.shape) for _ in range(result["size"]["sample"])]
    pairs = len(splits) * sources * targets
    map_s = result["map_runs"][-1]["total_s"]
    work = published_work(a.shape[1], a.shape[2], splits)
    result["published"] = {}
    show("\nper pair of layers, as published")
    for dtype in (torch.float64, torch.float32):
        name = str(dtype).replace("torch.", "")
        try:
            seconds, values = time_published(a, b, splits, sample, ALPHA, dtype)
        except RuntimeError as error:
            result["published"][name] = {"failed": str(error)}
            show(f"{name}: failed: {error}")
            continue
        mean = float(np.mean(seconds))
        apart = float(np.max([abs(value - float(maps[at])) for value, at in zip(values, sample)]))
        result["published"][name] = {
            "pairs_timed": len(seconds), "pair_s": mean, "pair_s_all": seconds, "pair_tflop": work / 1e12,
            "all_pairs": pairs, "all_pairs_s_multiplied": mean * pairs, "ratio": mean * pairs / map_s,
            "largest_r2_difference": apart if np.isfinite(apart) else None}
        show(f"{name}: {1e3 * mean:.1f} ms ({1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f}) over {len(seconds)} pairs, "
             f"{work / 1e12 / mean:.1f} TFLOP/s; by {pairs} pairs, multiplied: {mean * pairs:.0f} s, "
             f"{mean * pairs / map_s:.1f} x the map; R2 differs from the map's by up to {apart:.1e}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("n", 6500), ("layers", 32), ("dims", 4096), ("splits", 3), ("sample", 12), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--golden", type=Path, nargs="*", default=[], help="folders with A.npy, B.npy, episode.npy, expected.json")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def main():
    began = time.perf_counter()
    options = parse_arguments()
    torch.set_grad_enabled(False)
    torch.set_float32_matmul_precision("highest")
    device = torch.device(options.device)
    cuda = device.type == "cuda"
    result = {"device": torch.cuda.get_device_name(device) if cuda else "cpu", "torch": torch.__version__,
              "cuda": torch.version.cuda if cuda else None, "alpha": ALPHA,
              "size": {name: getattr(options, name) for name in ("n", "layers", "dims", "splits", "sample", "seed")}}
    show(f"{result['device']}, torch {result['torch']}; " + ", ".join(f"{k} {v}" for k, v in result["size"].items()))

    def save():
        result["seconds_in_all"] = time.perf_counter() - began
        if options.out:
            options.out.write_text(json.dumps(result, indent=1) + "\n")

    result["checks"] = run_checks(device, options.golden)
    for check in result["checks"]:
        show(f"check against {check['against']}: {check['largest']:.1e}, allowed {check['allowed']:.0e}")
    clock = Clock(device)
    with clock.phase("states"):
        a, b, episode = planted_states(options.n, options.layers, options.dims, device, options.seed)
    result["states_s"] = clock.seconds["states"]
    splits = [sides_of(episode, drawn, device) for drawn in draw_splits(episode, options.splits, options.seed)]
    result["test_rows"] = [len(test) for _, test in splits]
    save()
    maps = measure_map(a, b, splits, result)
    save()
    measure_published(a, b, splits, maps, result)
    save()
    show(f"\n{result['seconds_in_all']:.1f} s in all, states {result['states_s']:.1f} s")
    apart = result["published"]["float64"].get("largest_r2_difference")
    sound = all(check["largest"] <= check["allowed"] for check in result["checks"]) and apart is not None and apart < 1e-6
    if not sound:
        raise SystemExit("a check failed")


if __name__ == "__main__":
    main()
