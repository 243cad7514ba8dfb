"""k-means with many centres: 1,000,000 × 128 vectors, k = 10,000, and how much memory that takes.

The vectors are made: 4,000 normal clouds, with axes of falling variance as image features have. Three rounds
of ours, seeding included, and one of faiss. The memory is the process's peak, the vectors included (0.5 GB).
"""

from __future__ import annotations

import importlib.util
import os
import resource
import time
from typing import Any

import numpy as np

from benchmarks import report
from lookalike.cluster import KMeans

N, D, K, N_CLOUDS = 1_000_000, 128, 10_000, 4_000
N_ROUNDS = 3


def main() -> None:
    rows = make_rows()
    started, started_cpu = time.perf_counter(), time.process_time()
    model = KMeans(K, max_iter=N_ROUNDS, tol=0).fit(rows)
    figures: dict[str, Any] = {
        "rows": [N, D],
        "k": K,
        "rounds": N_ROUNDS,
        "seconds": round(time.perf_counter() - started, 1),
        "processor_seconds": round(time.process_time() - started_cpu, 1),
        "inertias": [round(value) for value in model.inertia_history_],
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }
    if importlib.util.find_spec("faiss"):
        import faiss

        started, started_cpu = time.perf_counter(), time.process_time()
        peer = faiss.Kmeans(D, K, niter=1, max_points_per_centroid=N, seed=0)
        peer.train(rows)
        figures["faiss"] = {
            "rounds": 1,
            "seconds": round(time.perf_counter() - started, 1),
            "processor_seconds": round(time.process_time() - started_cpu, 1),
            "inertias": [round(value) for value in peer.obj],
        }
    report.save("kmeans_large", figures | {"load": os.getloadavg()})


def make_rows() -> Any:
    random = np.random.default_rng(0)
    scales = (1 / np.arange(1, D + 1) ** 0.5).astype(np.float32)
    middles = random.standard_normal((N_CLOUDS, D), dtype=np.float32) * scales
    rows = np.empty((N, D), np.float32)
    for start in range(0, N, 50_000):
        part = random.integers(0, N_CLOUDS, 50_000)
        noise = random.standard_normal((50_000, D), dtype=np.float32)
        rows[start : start + 50_000] = middles[part] + 0.6 * scales * noise
    return rows
