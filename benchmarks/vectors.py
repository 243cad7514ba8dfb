"""The four sets that the search benchmarks run on: rows, unseen queries, the true answers.

Fashion-MNIST and MNIST are as ann-benchmarks has them: 60,000 × 784 pixels, euclidean, the 10,000
test images as queries. CIFAR-10 and Caltech-101 are `lite0` embeddings, 1,280 dimensions, cosine: the 10,000
test images of the one, and 1,000 photos held out of the other. They come from the collections that
``python -m benchmarks features`` makes below the cache.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.features import split
from lookalike import Collection
from lookalike.datasets import load
from lookalike.index import Exact
from lookalike.system.cache import cache_folder
from lookalike.types import Metric

SETS = ("fashion-mnist", "mnist", "cifar-10", "caltech-101")
PIXELS = ("fashion-mnist", "mnist")
MODEL = "lite0"
HELD_OUT = 1_000  # of a set without test images
MOST_K = 100


@dataclass(frozen=True, slots=True)
class SearchSet:
    """Rows to search, and what is to be found."""

    name: str
    metric: Metric
    rows: npt.NDArray[np.float32]  # (n, d)
    queries: npt.NDArray[np.float32]  # (n_queries, d)
    distances: npt.NDArray[np.float32]  # (n_queries, MOST_K): the true ones

    def count_right(self, first: int, found: npt.NDArray[Any], k: int) -> int:
        """Count the hits of queries from `first` on; found: (n, k) row numbers.

        Distances are measured again, instead of trusting anyone's, and a hit is right if it is no farther
        than the true k-th: ties are fair.
        """
        hits = 0
        for number, ids in enumerate(found, first):
            rows, query = self.rows[ids].astype(np.float64), self.queries[number].astype(np.float64)
            if self.metric == "cosine":
                distances = 1 - rows @ query / np.linalg.norm(rows, axis=1) / np.linalg.norm(query)
            else:
                distances = np.linalg.norm(rows - query, axis=1)
            hits += int((distances <= self.distances[number, k - 1] * (1 + 1e-6) + 1e-7).sum())
        return hits


def open_set(name: str, kept: Path | None = None) -> SearchSet:
    """Return a set; `kept` is a folder where vectors and true distances are kept for the next run."""
    file = kept / f"{name}.npz" if kept else None
    if file and file.exists():
        arrays = np.load(file)
        rows, queries, distances = arrays["rows"], arrays["queries"], arrays["distances"]
    else:
        rows, queries = _pixels(name) if name in PIXELS else _embeddings(name)
        distances = Exact(_metric(name)).build(rows).search(queries, k=MOST_K).distances
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(file, rows=rows, queries=queries, distances=distances)
    return SearchSet(name, _metric(name), rows, queries, distances)


def _metric(name: str) -> Metric:
    return "euclidean" if name in PIXELS else "cosine"


def _pixels(name: str) -> tuple[Any, Any]:
    train, _, test, _ = load(name)
    rows, queries = (images.reshape(len(images), -1).astype(np.float32) for images in (train, test))
    return rows, queries


def _embeddings(name: str) -> tuple[Any, Any]:
    home = cache_folder() / "benchmarks" / name
    if not home.exists():
        sys.exit(f"there are no vectors of {name}: run python -m benchmarks features first")
    images, vectors = Collection.open(home).vectors(MODEL)
    has_split = any(":test/" in path for image in images for path in image.paths)
    if has_split:
        is_train, is_test = split(images, np.array([image.label for image in images]))
        return vectors[is_train], vectors[is_test & ~is_train]
    order = np.random.default_rng(0).permutation(len(vectors))
    return vectors[np.sort(order[HELD_OUT:])], vectors[order[:HELD_OUT]]
