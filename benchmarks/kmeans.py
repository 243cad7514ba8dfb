"""How fast is k-means, and how good are its clusters, next to faiss and scikit-learn?

Fashion-MNIST, 60,000 × 784, 25 rounds, seeding included, three seeds; the contenders take turns in one
process. faiss starts from random rows, as it does by default, with all rows in use; scikit-learn from greedy
k-means++, with one seed only, since it takes minutes. Distortion is measured again in
float64 for everyone. From the same initial centres, our labels are compared with those of the plain algorithm
in float64.

Processor time counts all cores, and is what tells on a busy machine; set OMP_WAIT_POLICY=passive there, so
that the peers' idle threads are not counted. Peers that are not installed are left
out.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import report
from lookalike.cluster import KMeans
from lookalike.datasets import load

N_ROUNDS = 25
SEEDS = (0, 1, 2)
ALL = ("lookalike", "faiss", "scikit-learn")
STAGES = (
    (100, ALL[:2], SEEDS),
    (1_000, ALL[:2], SEEDS),
    (100, ALL[2:], SEEDS[:1]),
    (1_000, ALL[2:], SEEDS[:1]),
)
PLAIN_ROUNDS = {100: 25, 1_000: 5}

Contender = Callable[[Any, int, int], Any]  # rows, k, seed → centres


def main() -> None:
    train = next(iter(load("fashion-mnist")))
    rows = np.ascontiguousarray(train.reshape(len(train), -1), np.float32)
    ours(rows[:2_000], 20, 0)  # loads what it needs
    figures: dict[str, Any] = {"rows": list(rows.shape), "rounds": N_ROUNDS}
    for k, names, seeds in STAGES:
        measured = figures.setdefault(f"k={k}", {})
        if not measured:
            measured["labels_unlike_plain"] = count_unlike_plain(rows, k, PLAIN_ROUNDS[k])
        measured |= compare(rows, k, names, seeds)
        report.save("kmeans", figures | {"load": os.getloadavg()})


def compare(rows: Any, k: int, names: tuple[str, ...], seeds: tuple[int, ...]) -> dict[str, Any]:
    runs: dict[str, list[tuple[float, float, float]]] = {}
    for seed in seeds:
        for name, contender in contenders().items():
            if name in names:
                started, started_cpu = time.perf_counter(), time.process_time()
                centres = contender(rows, k, seed)
                spent, spent_cpu = time.perf_counter() - started, time.process_time() - started_cpu
                runs.setdefault(name, []).append((spent, spent_cpu, distortion(rows, centres)))
                print(k, name, seed, runs[name][-1], flush=True)
    figures = {}
    for name, values in runs.items():
        spent, spent_cpu, inertia = np.array(values).T
        figures[name] = {
            "seconds": [round(value, 2) for value in spent],
            "processor_seconds": [round(value, 2) for value in spent_cpu],
            "inertia": [float(f"{value:.5g}") for value in inertia],
            "mean_inertia": float(f"{inertia.mean():.5g}"),
        }
    return figures


def contenders() -> dict[str, Contender]:
    found: dict[str, Contender] = {"lookalike": ours}
    if importlib.util.find_spec("faiss"):
        found["faiss"] = faiss
    return found | {"scikit-learn": scikit_learn}


def ours(rows: Any, k: int, seed: int) -> Any:
    return KMeans(k, max_iter=N_ROUNDS, tol=0, random_state=seed).fit(rows).cluster_centers_


def faiss(rows: Any, k: int, seed: int) -> Any:
    import faiss

    model = faiss.Kmeans(rows.shape[1], k, niter=N_ROUNDS, seed=seed, max_points_per_centroid=len(rows))
    model.train(rows)
    return model.centroids


def scikit_learn(rows: Any, k: int, seed: int) -> Any:
    from sklearn import cluster

    return cluster.KMeans(k, n_init=1, max_iter=N_ROUNDS, tol=0, random_state=seed).fit(rows).cluster_centers_


def distortion(rows: Any, centres: Any) -> float:
    total, centres = 0.0, centres.astype(np.float64)
    for start in range(0, len(rows), 4_096):
        total += squared(rows[start : start + 4_096], centres).min(axis=1).sum()
    return total


def squared(block: Any, centres: Any) -> Any:
    block = block.astype(np.float64)
    return np.square(block).sum(axis=1)[:, None] + np.square(centres).sum(axis=1) - 2 * block @ centres.T


def count_unlike_plain(rows: Any, k: int, n_rounds: int) -> int:
    """Return how many labels differ from the plain algorithm's, from the same random rows."""
    first = rows[np.random.default_rng(0).choice(len(rows), k, replace=False)]
    labels = KMeans(k, init=first, max_iter=n_rounds, tol=0).fit(rows).labels_
    centres = first.astype(np.float64)
    for turn in range(n_rounds + 1):
        plain = np.concatenate(
            [
                squared(rows[start : start + 4_096], centres).argmin(axis=1)
                for start in range(0, len(rows), 4_096)
            ]
        )
        if turn < n_rounds:
            members = np.argsort(plain, kind="stable")
            parts = np.split(members, np.cumsum(np.bincount(plain, minlength=k))[:-1])
            assert all(len(part) for part in parts), "a centre lost all its rows"
            centres = np.array([rows[part].mean(axis=0, dtype=np.float64) for part in parts])
    return int((labels != plain).sum())
