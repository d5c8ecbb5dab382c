"""What is published: every pair of layers fitted anew, in the features."""
import time

import numpy as np
import torch

from .clock import wait

PAIR_SECONDS = 7.5  # a sample of pairs stops here, in each precision


def published_r2(source, target, train, test, alpha, dtype):
    """Gram of the source with a column of ones, linear solve, R2 of the test rows; the intercept is not penalised."""

    def augmented(rows):
        x = source.index_select(0, rows).to(dtype)
        return torch.cat([x, torch.ones(len(x), 1, dtype=dtype, device=x.device)], 1)

    x, y = augmented(train), target.index_select(0, train).to(dtype)
    gram = x.T @ x
    gram.diagonal()[:-1].add_(alpha)
    beta = torch.linalg.solve(gram, x.T @ y)
    truth = target.index_select(0, test).to(dtype)
    error = ((truth - augmented(test) @ beta) ** 2).sum(0)
    total = ((truth - truth.mean(0)) ** 2).sum(0)
    return (1 - error / total).mean()


def published_work(n, dims, splits):
    """Multiplications and additions of one pair, on average."""
    test = np.mean([len(test) for _, test in splits])
    d = dims + 1
    return 2 * (n - test) * d * (d + dims) + 2 / 3 * d**3 + 2 * d * d * dims + 2 * test * d * dims


def time_published(a, b, splits, sample, alpha, dtype):
    """Seconds and R2 of the sampled pairs, after one that is not counted."""
    seconds, values, device = [], [], a.device
    published_r2(a[0], b[0], *splits[0], alpha, dtype)
    began = time.perf_counter()
    for split, i, j in sample:
        wait(device)
        started = time.perf_counter()
        value = published_r2(a[i], b[j], *splits[split], alpha, dtype)
        wait(device)
        seconds.append(time.perf_counter() - started)
        values.append(float(value))
        if time.perf_counter() - began > PAIR_SECONDS:
            break
    return seconds, values
