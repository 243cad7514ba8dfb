"""Collections of vectors in clusters, written in a minute, for what takes long to embed.

The vectors are unit rows: centers in 64 directions, around each of them some fifty rows. Images and files
have rows as any others have; there are neither pictures nor thumbnails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from lookalike import Collection
from lookalike.types import Ids, Vectors

_DIRECTIONS, _ROWS_A_CLUSTER = 64, 50
_FITTED_ON = 500
_BLOCK_ROWS = 50_000
_LABELS = 100


def make_collection(folder: Path, n: int, dimension: int | None = None, random_state: int = 0) -> str:
    """Make a collection of n images in a folder; return the name of the model that they have vectors of.

    Parameters
    ----------
    dimension : int, optional
        That of a reduced model; the default model's own by default.
    """
    random = np.random.default_rng(random_state)
    collection = Collection.create(folder, with_root=False, check_model=False)
    store, model = collection._store, collection.models.get()
    ids = np.unique(random.integers(0, 2**63, n))
    random.shuffle(ids)
    _write_images(collection, ids, random)
    whole = store.vectors(model.name, model.dimension)
    if dimension is not None:
        some = ids[:_FITTED_ON]
        store.write_vectors(some, next(_clustered(len(some), model.dimension, random)), whole)
        model = collection.models.get(collection.models.reduce(dimension))
    table, start = store.vectors(model.name, model.dimension), 0
    there = table.read(["id"])["id"].to_numpy() if table.exists() else np.empty(0, np.int64)
    for vectors in _clustered(n, model.dimension, random):
        rows = np.arange(start, start + len(vectors))
        start += len(vectors)
        is_new = ~np.isin(ids[rows], there)
        store.write_vectors(ids[rows[is_new]], vectors[is_new], table)
    store.maintain()
    return model.name


def _write_images(collection: Collection, ids: Ids, random: np.random.Generator) -> None:
    n = len(ids)
    labels = [f"label-{number:02}" for number in random.integers(0, _LABELS, n)]
    paths = [f"added:{label}/{number // 1000:03}/{number:07}.jpg" for number, label in enumerate(labels)]
    columns = {
        "path": pa.array(paths),
        "id": ids,
        "size": random.integers(1_000, 100_000, n),
        "mtime_ns": np.zeros(n, np.int64),
        "label": pa.array(labels),
    }
    collection._store.files.upsert(columns)
    collection._store.images.upsert(
        {
            "id": ids,
            "sha256": pa.array([int(image).to_bytes(32) for image in ids], pa.binary(32)),
            "format": pa.array(["JPEG"] * n),
            "width": random.integers(100, 4_000, n).astype(np.int32),
            "height": random.integers(100, 4_000, n).astype(np.int32),
            "phash": random.integers(0, 2**63, n).astype(np.uint64),
            "sharpness": random.random(n, np.float32),
            "taken": random.integers(0, 1_700_000_000_000_000, n).astype("datetime64[us]"),
        }
    )


def _clustered(n: int, dimension: int, random: np.random.Generator) -> Iterator[Vectors]:
    """Give n unit rows, some thousand at a time."""
    directions = random.normal(size=(_DIRECTIONS, dimension)).astype(np.float32) / _DIRECTIONS**0.5
    centers = random.normal(size=(max(1, n // _ROWS_A_CLUSTER), _DIRECTIONS)).astype(np.float32)
    for start in range(0, n, _BLOCK_ROWS):
        m = min(_BLOCK_ROWS, n - start)
        inner = centers[random.integers(0, len(centers), m)]
        inner = inner + 0.5 * random.standard_normal((m, _DIRECTIONS), np.float32)
        rows = inner @ directions + 0.2 * random.standard_normal((m, dimension), np.float32)
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True)
