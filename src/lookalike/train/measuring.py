"""How well models find images of the same class, before and after: each test image asks for the others."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lookalike.embed import Embedder
from lookalike.errors import ImageError
from lookalike.evaluate import rank_others
from lookalike.evaluate.measures import DEFAULT_KS
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.train.images import TrainingImages
from lookalike.train.split import Rows
from lookalike.types import Vectors

_PORTION = 16


@dataclass(frozen=True, slots=True)
class Measured:
    """How well models find images of the same class.

    Attributes
    ----------
    values : dict of str to dict of str to float
        P@1, P@10 and mAP, as far as there are so many images, by model.
    queries : int
        How many images the values are means of.
    """

    values: dict[str, dict[str, float]] = field(default_factory=dict)
    queries: int = 0


def measure_models(
    images: TrainingImages,
    rows: Rows,
    classes: npt.NDArray[np.int64],
    embedders: Sequence[Embedder],
    jobs: int,
    watch: Watch = UNWATCHED,
) -> Measured:
    """Rank images of some rows for each other by several models.

    Parameters
    ----------
    images : TrainingImages
    rows : (n,) int64
        The test images. Those that cannot be read are passed over; those alone in their class ask nothing.
    classes : (n,) int64
        Of each.
    embedders : sequence of Embedder
    jobs : int
        Threads.
    watch : Watch

    Returns
    -------
    Measured
        Without values if no two images are of one class.
    """
    vectors, there = _embed(images, rows, embedders, jobs, watch)
    known = classes[there]
    if len(known) == len(np.unique(known)):
        return Measured()
    ks = [k for k in DEFAULT_KS if k < len(known)]
    found, n_queries = {}, 0
    for embedder, each in zip(embedders, vectors, strict=True):
        ranked = rank_others(each, known, ks, embedder.model.metric, **watch.quiet().told)
        means, n_queries = ranked.means(), int(ranked.counts.sum())
        found[embedder.model.name] = {name: means[name] for name in [*(f"P@{k}" for k in ks), "mAP"]}
    return Measured(found, n_queries)


def _embed(
    images: TrainingImages, rows: Rows, embedders: Sequence[Embedder], jobs: int, watch: Watch
) -> tuple[list[Vectors], npt.NDArray[np.bool_]]:
    """Return the vectors of each model, and which rows could be read."""
    side = max(embedder.model.decode_side for embedder in embedders)

    def embed(portion: Rows) -> tuple[list[Vectors], list[bool]]:
        opened, there = [], []
        for row in portion.tolist():
            try:
                opened.append(images.open(row, side))
                there.append(True)
            except ImageError:
                there.append(False)
        return [
            embedder.embed(np.stack([embedder.prepare(image) for image in opened]))
            if opened
            else np.empty((0, embedder.model.dimension), np.float32)
            for embedder in embedders
        ], there

    portions = [rows[start : start + _PORTION] for start in range(0, len(rows), _PORTION)]
    done = []
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for found in pool.map(embed, portions):
                done.append(found)
                watch(Progress("measuring", len(done), len(portions), "measuring what it has learned"))
        finally:
            pool.shutdown(cancel_futures=True)
    vectors = [np.concatenate([found[i] for found, _ in done]) for i in range(len(embedders))]
    return vectors, np.concatenate([there for _, there in done])
