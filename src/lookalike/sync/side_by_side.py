"""Work on many things by a few threads, which take some at a time."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from lookalike.system.progress import UNWATCHED, Watch

PORTION = 16  # things that a thread takes at a time
_ASKED_AGAIN = 0.2  # seconds that are waited before it is asked whether to go on
_PORTIONS_AHEAD = 32  # handed to the threads ahead of the one that writes, so that a commit stops nobody

_Thing = TypeVar("_Thing")
_Result = TypeVar("_Result")


def side_by_side(
    work: Callable[[Sequence[_Thing]], Sequence[_Result]],
    things: deque[_Thing],
    jobs: int,
    portion: int = PORTION,
    watch: Watch = UNWATCHED,
) -> Iterator[_Result]:
    """Yield what the work makes of the things, as it comes, `jobs` at a time; `things` is emptied.

    Where the watch says stop, threads end what they have in hand, and what they have not begun is left.
    """
    if not things:
        return
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="lookalike")
    finished: queue.SimpleQueue[Future[Sequence[_Result]]] = queue.SimpleQueue()
    size = min(max(PORTION, portion), -(-len(things) // jobs))  # with few, some for every thread

    def hand_out(count: int) -> int:
        handed = 0
        while things and handed < count:
            some = [things.popleft() for _ in range(min(size, len(things)))]
            pool.submit(work, some).add_done_callback(finished.put)
            handed += 1
        return handed

    try:
        running = hand_out(_PORTIONS_AHEAD + jobs)
        while running:
            try:
                portion_done = finished.get(timeout=_ASKED_AGAIN)
            except queue.Empty:
                watch.check()
                continue
            yield from portion_done.result()
            running += hand_out(1) - 1
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
