"""Seconds per phase on a device that works behind the caller’s back."""
import time
from contextlib import contextmanager

import torch


class Clock:
    """Seconds per phase, the device waited for on either side."""

    def __init__(self, device):
        self.device, self.seconds = device, {}

    @contextmanager
    def phase(self, name):
        wait(self.device)
        started = time.perf_counter()
        yield
        wait(self.device)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


def wait(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)
