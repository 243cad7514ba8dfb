"""How much faster is our t-SNE than openTSNE, and is its map as good?

``maps``: the 60,000 training digits of MNIST, their pixels on 50 principal axes (found beforehand, for both),
mapped by openTSNE with its defaults, but on all cores, and by `project` with its own. Both maps are judged by
the Kullback-Leibler divergence from openTSNE's affinities, computed over all pairs in float64, and by how
many of the 10 nearest points on the map have the same label.

``placing``: of 20,000 of them, both make a map, and place the 10,000 test digits on their own. How many of
the 10 nearest of the map's points have the digit's label?

``python -m benchmarks.tsne maps`` runs one part only, and leaves the other's figures.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import metadata
from typing import Any

import numpy as np

from benchmarks import report
from lookalike.datasets import load
from lookalike.pca import PCA
from lookalike.projection import place, project
from lookalike.system.cores import usable_cores
from lookalike.system.progress import Progress

N_AXES = 50
PLACED_ON = 20_000
NEAREST = 10
BLOCK = 256


def main(*parts: str) -> None:
    train, labels, test, test_labels = load("mnist")
    pca = PCA(N_AXES).fit(train.reshape(len(train), -1))
    rows, new = (pca.transform(images.reshape(len(images), -1)) for images in (train, test))
    project(rows[:6_000])  # loads what it needs
    figures = {key: value for key, value in report.read("tsne").items() if key in ("maps", "placing")}
    if not parts or "maps" in parts:
        figures["maps"] = compare_maps(rows, labels) | {"load": os.getloadavg()}
        save(figures)
    if not parts or "placing" in parts:
        found = compare_placing(rows[:PLACED_ON], labels[:PLACED_ON], new, test_labels)
        figures["placing"] = found | {"load": os.getloadavg()}
        save(figures)


def save(figures: dict[str, Any]) -> None:
    report.save("tsne", {"openTSNE": metadata.version("openTSNE"), **figures})


def compare_maps(rows: Any, labels: Any) -> dict[str, Any]:
    begun, arranging = time.perf_counter(), []

    def told(progress: Progress) -> None:
        if progress.phase == "arranging" and not arranging:
            arranging.append(round(time.perf_counter() - begun, 2))

    ours, our_times = report.timed(lambda: project(rows, report=told))
    theirs, their_times = report.timed(lambda: open_tsne(rows))
    affinities, points, neighbours = theirs
    found: dict[str, Any] = {"rows": list(rows.shape)}
    judged = {"lookalike": (ours.points, our_times), "openTSNE": (points, their_times)}
    for name, (each, times) in judged.items():
        found[name] = {
            **times,
            "kl_divergence": round(divergence(affinities, np.asarray(each, np.float64)), 4),
            "label_agreement": round(agreement(each, labels, each, labels, skip=1), 4),
        }
    found["lookalike"]["neighbour_seconds"] = arranging[0]
    found["openTSNE"]["neighbour_seconds"] = neighbours
    found["share_of_time"] = round(our_times["seconds"] / their_times["seconds"], 3)
    return found


def open_tsne(rows: Any) -> tuple[Any, Any, float]:
    """Return openTSNE's affinities, its map, and the seconds that the affinities took."""
    import openTSNE

    begun = time.perf_counter()
    common = {"n_jobs": usable_cores(), "random_state": 0}
    affinities = openTSNE.affinity.PerplexityBasedNN(rows, **common)
    spent = round(time.perf_counter() - begun, 2)
    start = openTSNE.initialization.pca(rows, random_state=0)
    return affinities.P, openTSNE.TSNE(**common).fit(affinities=affinities, initialization=start), spent


def compare_placing(rows: Any, labels: Any, new: Any, new_labels: Any) -> dict[str, Any]:
    import openTSNE

    ours = project(rows)
    theirs = openTSNE.TSNE(n_jobs=usable_cores(), random_state=0).fit(rows)
    placed, our_times = report.timed(lambda: place(new, rows, ours))
    transformed, their_times = report.timed(lambda: theirs.transform(new))
    return {
        "rows": list(rows.shape),
        "new": len(new),
        "lookalike": {
            **our_times,
            "label_agreement": round(agreement(ours.points, labels, placed, new_labels), 4),
        },
        "openTSNE": {
            **their_times,
            "label_agreement": round(agreement(theirs, labels, transformed, new_labels), 4),
        },
    }


def divergence(affinities: Any, points: Any) -> float:
    """Return the Kullback-Leibler divergence of affinities, (n, n) sparse, from a map, over all pairs."""
    pairs = affinities.tocoo()
    squares = np.square(points[pairs.row] - points[pairs.col]).sum(axis=1)
    total = 0.0
    for start in range(0, len(points), BLOCK):
        block, later = points[start : start + BLOCK], points[start:]
        near = 1 + np.square(block[:, :1] - later[:, 0]) + np.square(block[:, 1:] - later[:, 1])
        # Pairs within the block are there twice, and each point with itself.
        near = 1 / near
        own = near[:, : len(block)]
        total += 2 * (near.sum() - own.sum()) + own.sum() - len(block)
    p = pairs.data.astype(np.float64)
    return float((p * np.log(p * (1 + squares))).sum() + np.log(total) * p.sum())


def agreement(points: Any, labels: Any, queries: Any, query_labels: Any, skip: int = 0) -> float:
    """Return the share of the nearest points of queries, without the first `skip`, that have their label."""
    from scipy.spatial import KDTree

    ranks = range(1 + skip, 1 + skip + NEAREST)
    _, nearest = KDTree(np.asarray(points)).query(np.asarray(queries), k=list(ranks), workers=-1)
    return float((labels[nearest] == query_labels[:, None]).mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
