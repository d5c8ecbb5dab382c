"""Milliseconds of one pair of layers in one split by the published arithmetic in PyTorch: a mean over six, for every line that comes in.

    python3 bench/published-pair.py --threads N

1000 turn pairs of which 200 are the test part, 768 dims, float64, as bench/synchrony.bench.ts has them.
"""
import argparse
import sys
import time

import torch

from paper_size.published import published_r2

ROWS, TEST_EVERY, DIMS, ALPHA, PAIRS = 1000, 5, 768, 0.1, 6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, required=True)
    torch.set_num_threads(parser.parse_args().threads)
    torch.manual_seed(1)
    a, b = (torch.randn(ROWS, DIMS, dtype=torch.float64) for _ in range(2))
    rows = torch.arange(ROWS)
    train, test = rows[rows % TEST_EVERY != 0], rows[rows % TEST_EVERY == 0]
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(PAIRS):
            published_r2(a, b, train, test, ALPHA, torch.float64)
        print(1e3 * (time.perf_counter() - started) / PAIRS, flush=True)


main()
