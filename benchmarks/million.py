"""A million vectors: building's memory, opening, and queries a second, one query a call on one core.

1,000,000 × 128, around 10,000 centres whose spread falls with the dimension as that of embeddings does.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import report
from lookalike.index import KMeansTree

N, DIMENSION, CENTRES = 1_000_000, 128, 10_000
QUERIES, CHECKED = 2_000, 500
RECALLS = (0.9, 0.95, 0.99, 0.999)
K = 10


def main() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        report.save("million", measure(Path(folder) / "index"))


def measure(folder: Path) -> dict[str, Any]:
    rows, queries = make()
    KMeansTree(n_jobs=1).build(rows[:6_000]).search(queries[0], K, recall=0.9)  # loads what it needs
    index = KMeansTree(n_jobs=1)
    started = time.perf_counter()
    peak = peak_of(lambda: index.build(rows))
    figures: dict[str, Any] = {
        "build_seconds": round(time.perf_counter() - started, 1),
        "peak_besides_the_input_over_raw_data": round(peak / rows.nbytes, 2),
    }
    index.save(folder)
    started = time.perf_counter()
    index = KMeansTree.load(folder)
    figures["load_seconds"] = round(time.perf_counter() - started, 4)
    index.n_jobs = 1
    true = index.search(queries[:CHECKED], K, recall=1.0).distances[:, -1]
    for recall in RECALLS:
        index.search(queries[0], K, recall=recall)
        started = time.perf_counter()
        found = [index.search(query, K, recall=recall).distances[0] for query in queries]
        rate = QUERIES / (time.perf_counter() - started)
        measured = float((np.array(found[:CHECKED]) <= true[:, None]).mean())
        figures[f"recall={recall}"] = {"recall": round(measured, 4), "queries_per_second": round(rate)}
    return figures


def make() -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    spread = (3 / np.sqrt(np.arange(1, DIMENSION + 1))).astype(np.float32)
    centres = random.standard_normal((CENTRES, DIMENSION), np.float32) * spread
    made = []
    for n in (N, QUERIES):
        rows = random.standard_normal((n, DIMENSION), np.float32)
        rows *= np.float32(0.5)
        rows += centres[random.integers(0, CENTRES, n)]
        made.append(rows)
    return made[0], made[1]


def peak_of(work: Any) -> int:
    """Return how many bytes more than before the process held at most while it worked."""

    def held() -> int:
        pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    before, peak, done = held(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, held())

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    return peak - before
