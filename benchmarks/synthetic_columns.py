"""The columns of a collection that is not there: a million images with all that their files may say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lookalike.collection.columns import FileColumns, ImageColumns

N_FOLDERS, N_LABELS, N_CAMERAS, N_KEYWORDS = 3_000, 300, 60, 500
FIRST, LAST = np.datetime64("2005-01-01", "us"), np.datetime64("2024-12-31", "us")


def synthetic_columns(n: int, seed: int = 0) -> tuple[FileColumns, ImageColumns]:
    """Return where n images lie, one in fifty of them twice, and what they are."""
    random = np.random.default_rng(seed)
    ids = np.unique(random.integers(0, 2**63, n + n // 100))[:n]
    random.shuffle(ids)
    return FileColumns(_files(ids, random).select), ImageColumns(_images(ids, random).select)


def _files(ids: np.ndarray, random: np.random.Generator) -> pa.Table:
    held = np.concatenate([ids, random.choice(ids, len(ids) // 50)])
    folders = random.integers(0, N_FOLDERS, len(held))
    paths = [
        f"photos:{2005 + folder % 20}/folder-{folder:04}/IMG_{number:08}.jpg"
        for number, folder in enumerate(folders.tolist())
    ]
    labels = pa.array([f"label-{number:03}" for number in range(N_LABELS)])
    splits = pa.array(["train", "test"]).take(pa.array(random.integers(0, 2, len(held))))
    return pa.table(
        {"path": paths, "id": held, "label": labels.take(pa.array(folders % N_LABELS)), "split": splits}
    )


def _images(ids: np.ndarray, random: np.random.Generator) -> pa.Table:
    n = len(ids)

    def words(prefix: str, n_values: int, n_rows: int = n) -> pa.Array:
        values = pa.array([f"{prefix} {number}" for number in range(n_values)])
        return values.take(pa.array(random.geometric(8 / n_values, n_rows).clip(max=n_values) - 1))

    colors = np.zeros((n, 20), np.float32)
    colors[:, 0] = random.uniform(0, 100, n)
    colors[:, 1:3] = random.normal(0, 30, (n, 2))
    colors[:, 3] = 1
    sizes = random.integers(0, 4, n)  # of keywords
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    span = int((LAST - FIRST).astype(np.int64))
    is_placed = random.random(n) < 0.5
    return pa.table(
        {
            "id": ids,
            "format": pa.array(["JPEG", "PNG", "HEIF", "WEBP"]).take(pa.array(random.integers(0, 4, n))),
            "width": random.integers(200, 8_000, n, np.int32),
            "height": random.integers(200, 8_000, n, np.int32),
            "phash": random.integers(0, 2**64, n, np.uint64),
            "colours": pa.FixedSizeListArray.from_arrays(pa.array(colors.ravel()), 20),
            "sharpness": random.lognormal(6, 1, n).astype(np.float32),
            "taken": pa.array(FIRST + random.integers(0, span, n).astype("timedelta64[us]")),
            "camera": words("Camera", N_CAMERAS),
            "lens": words("Lens", N_CAMERAS),
            "latitude": pa.array(random.uniform(-60, 70, n), mask=~is_placed),
            "longitude": pa.array(random.uniform(-180, 180, n), mask=~is_placed),
            "keywords": pa.ListArray.from_arrays(pa.array(ends), words("keyword", N_KEYWORDS, int(ends[-1]))),
            "rating": pa.array(random.integers(0, 6, n, np.int8), mask=random.random(n) < 0.7),
            "reader": pa.array(np.full(n, 7, np.int16)),
        }
    )
