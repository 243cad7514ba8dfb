"""How much memory k-means takes in a large collection, whole and in batches, and what that costs.

A collection of 300,000 made vectors of 512 dimensions (0.6 GB; normal clouds, unit rows) and no image files:
``lookalike cluster make -k 100`` clusters it in a process of its own, whose peak of resident memory is the
system's count. The inertia is summed up afterwards, in float64, from what was kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from lookalike import Collection
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.store import Store

N, D, K, N_CLOUDS = 300_000, 512, 100, 400
MODEL = "clip-vit-b32"  # of so many dimensions; it is never loaded
_AT_ONCE = 4_000  # a fragment of the table, as indexing leaves them


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_collection(Path(folder))
        store = Store(Path(folder, ".lookalike"))
        figures: dict[str, Any] = {
            "vectors": [N, D],
            "vectors_mib": round(4 * N * D / 2**20),
            "k": K,
            "without_clustering_mib": run(folder, "list")[1],
        }
        for name, words in {"whole": [], "in_batches": ["--in-batches"]}.items():
            seconds, peak = run(folder, "make", "-k", str(K), "--name", name, *words)
            figures[name] = {"seconds": seconds, "peak_mib": peak, "inertia": inertia(store, name)}
        figures["inertia_ratio"] = round(figures["in_batches"]["inertia"] / figures["whole"]["inertia"], 5)
    report.save("clustering_memory", figures)


def make_collection(home: Path) -> None:
    """Write made vectors, and as many files that are not there, into a new collection."""
    collection = Collection.create(home, model=MODEL, check_model=False)
    root = home.name
    store = Store(collection.folder)
    table = store.vectors(MODEL, D)
    random = np.random.default_rng(0)
    scales = (1 / np.arange(1, D + 1) ** 0.5).astype(np.float32)
    middles = random.standard_normal((N_CLOUDS, D), dtype=np.float32) * scales
    ids = random.permutation(np.arange(1, 4 * N, 4))[:N]
    for start in range(0, N, _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        rows = middles[random.integers(0, N_CLOUDS, len(some))]
        rows += scales * random.standard_normal(rows.shape, dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        store.write_vectors(some, rows, table)
        nothing = [None] * len(some)
        paths = [f"{root}:{number}.jpg" for number in some.tolist()]
        columns: dict[str, Any] = {"path": paths, "id": some, "label": nothing, "split": nothing}
        store.files.upsert(columns | {"size": [1] * len(some), "mtime_ns": [1] * len(some)})


def run(folder: str, command: str, *options: str) -> tuple[float, float]:
    """Run a command of ``lookalike cluster``; return seconds, and the most memory that it had, MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "lookalike", "cluster", command, *options, "-c", folder, "--json"],
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"lookalike cluster failed with status {status}")
    return round(time.perf_counter() - started, 1), round(usage.ru_maxrss / 1024)


def inertia(store: Store, name: str) -> float:
    """Return the sum of squared distances of all vectors to the centres of their clusters."""
    stored = StoredClusterings(store.folder).read(name)
    total = 0.0
    for ids, vectors in store.vectors(MODEL, D).vector_blocks():
        clusters = stored.clusters[np.searchsorted(stored.ids, ids)]
        total += float(np.square(vectors.astype(np.float64) - stored.centres[clusters]).sum())
    return round(total, 2)
