"""How compiled kernels are called: arrays of one kind, and queries shared among threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.system.cores import usable_cores
from lookalike.system.progress import UNWATCHED, Watch

_QUERIES_A_THREAD = 16


def sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array as the kernels want it: plain, contiguous, read-only. It is not copied if it can be."""
    plain = np.ascontiguousarray(array).view(np.ndarray)[...]
    plain.setflags(write=False)
    return plain


def share(n: int, n_jobs: int | None, answer: Callable[[slice], int], watch: Watch = UNWATCHED) -> int:
    """Let threads answer parts of n queries; return the worst of what they say.

    Parameters
    ----------
    n_jobs : int, optional
        Threads; all cores by default.
    watch : Watch
        Asked after every part whether to go on.
    """
    n_threads = n_jobs or usable_cores()
    n_parts = min(4 * n_threads, n // _QUERIES_A_THREAD)
    if n_threads == 1 or n_parts < 2:
        return answer(slice(0, n))
    edges = np.linspace(0, n, n_parts + 1).astype(int).tolist()
    # A pool of its own: it costs 0.1 ms, and neither forks nor other callers can disturb it.
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            return max(watch.each(pool.map(answer, map(slice, edges[:-1], edges[1:]))))
        finally:
            pool.shutdown(cancel_futures=True)
