"""One thread for the matrix library, where its own would only wait for one another.

OpenBLAS's threads spin until all have done their part of a step. A factorization has thousands of steps:
beside any other program a thread that is not running holds up the others in each, and what takes 15 ms takes
seconds. So whatever factorizes does it on one thread, and whoever has threads of their own keeps the library
from starting more. One large product is a step, and keeps its threads; so does a factorization so large that
two threads are worth their waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import numpy.typing as npt

_FEW = 3_000
"""Rows and columns of a matrix that one thread factorizes."""

Doubles = npt.NDArray[np.float64]

_lock = threading.Lock()
_n_inside = 0
_found: dict[str, int] = {}


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have matrix libraries use one thread within, in the whole process; several callers may be inside.

    Whoever enters second takes one thread for what was there before, and would leave it behind: so the last
    one out puts back what the first one found.
    """
    global _n_inside
    from threadpoolctl import threadpool_info, threadpool_limits

    with _lock:
        if not _n_inside:
            _found.update((each["filepath"], each["num_threads"]) for each in threadpool_info())
        _n_inside += 1
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        with _lock:
            _n_inside -= 1
            if not _n_inside:
                threadpool_limits(_found)
                with threadpool_limits():
                    pass  # it gives up the control that the line above has taken for this thread
                _found.clear()


def qr(matrix: Doubles) -> Doubles:
    """Return orthonormal columns that span those of a matrix: (m, n) to (m, min(m, n))."""
    with _threads_for(matrix):
        return np.linalg.qr(matrix)[0]


def eigh(matrix: Doubles) -> tuple[Doubles, Doubles]:
    """Return the eigenvalues of a symmetric matrix, (n,) rising, and its eigenvectors, (n, n) in columns."""
    with _threads_for(matrix):
        values, vectors = np.linalg.eigh(matrix)
        return values, vectors


def _threads_for(matrix: Doubles) -> AbstractContextManager[None]:
    return one_blas_thread() if min(matrix.shape) < _FEW else nullcontext()
