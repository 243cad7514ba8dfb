"""Batches of images, decoded by threads ahead of the network, and never more than three in memory."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lookalike.errors import ImageError, ModelConflictError
from lookalike.train.images import TrainingImages
from lookalike.train.split import Rows
from lookalike.types import PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image

_AHEAD = 2  # batches in work while the network has one


@dataclass(frozen=True, slots=True)
class Batch:
    """Some images as a network takes them.

    Attributes
    ----------
    rows : (b,) int64
        Those that could be read.
    pixels : (b, side, side, 3) uint8
    failed : tuple of str
        The others, with the reasons.
    """

    rows: Rows
    pixels: PixelArray
    failed: tuple[str, ...] = ()


def read_batches(
    images: TrainingImages,
    order: Rows,
    batch_size: int,
    prepare: Callable[[Image, int], PixelArray],
    shorter_side: int,
    jobs: int = 1,
) -> Generator[Batch]:
    """Yield the images of some rows, batch by batch, in their order.

    Parameters
    ----------
    images : TrainingImages
    order : (n,) int64
        Rows.
    batch_size : int
    prepare : callable
        Cuts an image, of that row, to what the network sees.
    shorter_side : int
        How many pixels `prepare` needs.
    jobs : int
        Threads.

    Yields
    ------
    Batch
        An image that cannot be read is missing from its batch, which may even be empty.
    """

    def read(rows: Rows) -> list[tuple[int, PixelArray | str]]:
        made: list[tuple[int, PixelArray | str]] = []
        for row in rows.tolist():
            try:
                made.append((row, prepare(images.open(row, shorter_side), row)))
            except ImageError as error:
                made.append((row, str(error)))
        return made

    portion = max(1, -(-batch_size // jobs))
    starts = iter(range(0, len(order), batch_size))
    waiting: deque[list[Future[list[tuple[int, PixelArray | str]]]]] = deque()
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="lookalike-train")

    def hand_out() -> None:
        start = next(starts, None)
        if start is not None:
            rows = order[start : start + batch_size]
            portions = [rows[at : at + portion] for at in range(0, len(rows), portion)]
            waiting.append([pool.submit(read, each) for each in portions])

    try:
        for _ in range(_AHEAD):
            hand_out()
        while waiting:
            done = [one for future in waiting.popleft() for one in future.result()]
            hand_out()
            read_well = [(row, pixels) for row, pixels in done if not isinstance(pixels, str)]
            yield Batch(
                np.array([row for row, _ in read_well], np.int64),
                np.stack([pixels for _, pixels in read_well])
                if read_well
                else np.empty((0, 0, 0, 3), np.uint8),
                tuple(pixels for _, pixels in done if isinstance(pixels, str)),
            )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def first_pixels(batches: Generator[Batch], n: int) -> PixelArray:
    """Return the first `n` images that can be read: (at most n, side, side, 3) uint8.

    Raises
    ------
    ModelError
        If there is none.
    """
    found: list[PixelArray] = []
    reason = ""
    with contextlib.closing(batches):
        for batch in batches:
            found.extend(batch.pixels)
            reason = reason or next(iter(batch.failed), "")
            if len(found) >= n:
                break
    if not found:
        raise ModelConflictError(
            f"none of the images that the network is to be tried on can be read: {reason}; the same command"
            " goes on once they are there again"
        )
    return np.stack(found[:n])
