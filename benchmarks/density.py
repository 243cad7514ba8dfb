"""How much faster are DBSCAN and HDBSCAN on our own neighbours than scikit-learn alone, at the same labels?

All 60,000 photos of CIFAR-10, their `lite0` vectors (unit rows) projected to 64 principal axes and not made
unit again; euclidean. `eps` is what `suggest_eps` says, its time given apart. Ours and scikit-learn's run in
turn in one process, on all cores. Both the time on the clock and that of the processor (of all threads
together) are given: other programs disturb the second less.

scikit-learn breaks ties by the order of rows, and there are many: every edge of an image that is shorter than
its core distance weighs the same. So HDBSCAN is also compared with itself on the same rows in another order,
up to so many rows: its own agreement is as much as can be asked for.

``python -m benchmarks.density 10000`` runs one size only, and leaves the figures of the others.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import cluster
from sklearn.metrics import adjusted_rand_score

from benchmarks import report
from benchmarks.features import index
from lookalike import Collection
from lookalike.cluster import DBSCAN, HDBSCAN, suggest_eps
from lookalike.pca import PCA
from lookalike.system.cache import cache_folder

SIZES = (10_000, 20_000, 60_000)
MIN_SAMPLES = 10
MIN_CLUSTER_SIZE = 50
REORDERED = 20_000  # up to so many rows, HDBSCAN is compared with itself


def main(*sizes: str) -> None:
    home = cache_folder() / "benchmarks" / "cifar-10"
    if not home.is_dir():
        index("cifar-10", "lite0", home)
    _, vectors = Collection.open(home).vectors("lite0")
    reduced = PCA(64).fit_transform(vectors)
    order = np.random.default_rng(0).permutation(len(reduced))
    HDBSCAN().fit(reduced[:500])  # loads what it needs
    DBSCAN(0.4).fit(reduced[:500])
    file = report.FOLDER / "density.json"
    figures: dict[str, Any] = (
        json.loads(file.read_text("utf-8"))["vectors"] if sizes and file.exists() else {}
    )
    for size in [int(size) for size in sizes] or SIZES:
        figures[str(size)] = compare(np.ascontiguousarray(reduced[np.sort(order[:size])]))
        report.save(
            "density",
            {"min_samples": MIN_SAMPLES, "min_cluster_size": MIN_CLUSTER_SIZE, "vectors": figures},
        )


def compare(rows: npt.NDArray[np.float32]) -> dict[str, Any]:
    suggested, seconds = report.timed(lambda: suggest_eps(rows, MIN_SAMPLES))
    eps = suggested.eps
    figures: dict[str, Any] = {"eps": round(eps, 4), "suggesting": seconds}
    pairs = {
        "dbscan": (
            DBSCAN(eps, MIN_SAMPLES),
            cluster.DBSCAN(eps=eps, min_samples=MIN_SAMPLES, n_jobs=-1),
        ),
        "hdbscan": (
            HDBSCAN(MIN_CLUSTER_SIZE, MIN_SAMPLES),
            cluster.HDBSCAN(MIN_CLUSTER_SIZE, min_samples=MIN_SAMPLES, n_jobs=-1, copy=True),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        before, first = report.timed(lambda ours=ours: ours.fit(rows).labels_)
        labels, alone = report.timed(lambda theirs=theirs: theirs.fit(rows).labels_)
        after, second = report.timed(lambda ours=ours: ours.fit(rows).labels_)
        assert (before == after).all()
        mean = {unit: round((first[unit] + second[unit]) / 2, 2) for unit in first}
        figures[name] = {
            "lookalike": mean,
            "scikit-learn": alone,
            "times_faster": {unit: round(alone[unit] / mean[unit], 1) for unit in mean},
            "adjusted_rand": round(float(adjusted_rand_score(labels, after)), 4),
            "clusters": int(after.max()) + 1,
            "noise": round(float((after < 0).mean()), 3),
            "largest": round(float(np.bincount(after[after >= 0]).max(initial=0) / len(rows)), 3),
        }
        if name == "hdbscan" and len(rows) <= REORDERED:
            order = np.random.default_rng(1).permutation(len(rows))
            again = np.empty_like(labels)
            again[order] = theirs.fit(rows[order]).labels_
            agreement = adjusted_rand_score(labels, again)
            figures[name]["scikit-learn_with_itself_reordered"] = round(float(agreement), 4)
        print(len(rows), name, figures[name], file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    main(*sys.argv[1:])
