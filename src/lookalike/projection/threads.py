"""Threads that share out rows, in parts that do not depend on how many threads there are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from lookalike.system.cores import usable_cores

_PARTS = 32
_LEAST_ROWS = 512  # a part


class Threads:
    """A pool of threads, to be used in a ``with``; None is one for each core."""

    def __init__(self, n_jobs: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(n_jobs or usable_cores())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def start(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Start one piece of work beside what comes."""
        return self._pool.submit(work, *arguments)

    def each_part(self, n: int, work: Callable[[int, int], Any]) -> list[Any]:
        """Call `work` with the begin and the end of each part of n rows; return what it returns, in order."""
        length = max(_LEAST_ROWS, -(-n // _PARTS))
        begins = range(0, n, length)
        return list(self._pool.map(work, begins, (min(begin + length, n) for begin in begins)))
