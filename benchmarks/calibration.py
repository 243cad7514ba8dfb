"""What the machine can do just now, to be set beside what was measured: the ratio says more than either.

Run alone, it prints the calibrations: ``python -m benchmarks.calibration``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

COPIED = 1 << 28  # bytes; no cache holds so many
REST = 0.5  # load


def wait_for_rest(minutes: float = 30.0, below: float = REST) -> float | None:
    """Wait until the load is below that, for so long at most; return it, None where it is not known."""
    if not hasattr(os, "getloadavg"):
        return None
    ends = time.monotonic() + 60 * minutes
    while os.getloadavg()[0] >= below and time.monotonic() < ends:
        time.sleep(5)
    return round(os.getloadavg()[0], 2)


def milliseconds(work: Callable[[int], Any], times: int, unheeded: int = 0) -> float:
    """Return the median time of some work, called with 0, 1, …; the first calls are not counted."""
    took = []
    for number in range(-unheeded, times):
        begun = time.perf_counter()
        work(number)
        took.append(time.perf_counter() - begun)
    return 1e3 * median(took[unheeded:])


def memory_bandwidth(times: int = 5) -> float:
    """Return how many gigabytes a second are read and written by a plain copy, in one thread."""
    source = np.ones(COPIED // 8)
    target = np.empty_like(source)
    return 2 * COPIED / 1e6 / milliseconds(lambda _: np.copyto(target, source), times, 1)


def scan(vectors: npt.NDArray[np.float32], times: int = 20) -> float:
    """Return the milliseconds of one float32 scan: all products of the rows with one of them."""
    rows = np.linspace(0, len(vectors) - 1, times).astype(int).tolist()
    return milliseconds(lambda number: vectors @ vectors[rows[number]], times, 3)


if __name__ == "__main__":
    random = np.random.default_rng(0)
    print(f"load {wait_for_rest(0)}")
    print(f"memory {memory_bandwidth():.1f} GB/s")
    for n, d in ((8_677, 1_280), (100_000, 1_280), (1_000_000, 128)):
        print(f"a scan of {n:,} × {d:,}: {scan(random.random((n, d), np.float32)):.2f} ms")
