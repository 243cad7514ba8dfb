"""How well do clusterings find the classes? Every algorithm, at the true number of them, on three data sets.

MNIST: its pixels, all 70,000. CIFAR-10 and Caltech-101: `lite0` vectors, unit rows, all 60,000 and 8,677. All
are projected to 64 principal axes. Both k-means, spectral and agglomerative clustering are told the number of
classes; DBSCAN takes the suggested `eps`; HDBSCAN is not told either. Noise counts as one more cluster.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import report
from benchmarks.features import index
from lookalike import Collection, datasets
from lookalike.cluster import (
    DBSCAN,
    HDBSCAN,
    AgglomerativeClustering,
    HierarchicalKMeans,
    KMeans,
    SpectralClustering,
    suggest_eps,
)
from lookalike.evaluate import compare_with_labels, silhouette
from lookalike.pca import PCA
from lookalike.system.cache import cache_folder

SETS = ("caltech-101", "cifar-10", "mnist")
MIN_SAMPLES = 10

Labels = npt.NDArray[np.str_]


def main(*names: str) -> None:
    figures: dict[str, Any] = {}
    for name in names or SETS:
        vectors, labels = load(name)
        reduced = PCA(min(64, vectors.shape[1])).fit_transform(vectors)
        n_classes = len(np.unique(labels))
        figures[name] = {"images": len(labels), "classes": n_classes, "algorithms": {}}
        for algorithm, estimator in estimators(reduced, n_classes, len(labels)).items():
            started, processor = time.perf_counter(), time.process_time()
            found = estimator.fit(reduced).labels_
            seconds = time.perf_counter() - started
            scores = compare_with_labels(found, labels)
            row = {
                "nmi": round(scores.nmi, 4),
                "ari": round(scores.ari, 4),
                "purity": round(scores.purity, 4),
                "clusters": scores.n_clusters,
                "noise": round(scores.noise, 3),
                "silhouette": round(silhouette(reduced, found), 4) if scores.n_clusters > 1 else None,
                "seconds": round(seconds, 1),
                "processor_seconds": round(time.process_time() - processor, 1),
            }
            print(name, algorithm, row, file=sys.stderr, flush=True)
            figures[name]["algorithms"][algorithm] = row
            report.save("clusterings", {"sets": figures})


def load(name: str) -> tuple[npt.NDArray[np.float32], Labels]:
    """Return vectors (n, d) and labels (n,)."""
    if name == "mnist":
        train, train_labels, test, test_labels = datasets.load(name)
        pixels = np.concatenate([train, test])
        labels = np.concatenate([train_labels, test_labels])
        return pixels.reshape(len(pixels), -1).astype(np.float32), labels.astype(str)
    home = cache_folder() / "benchmarks" / name
    if not home.is_dir():
        index(name, "lite0", home)
    images, vectors = Collection.open(home).vectors("lite0")
    return vectors, np.array([image.label for image in images])


def estimators(rows: npt.NDArray[np.float32], n_classes: int, n: int) -> dict[str, Any]:
    """Return each algorithm, the cheap ones first."""
    return {
        "k-means": KMeans(n_classes, random_state=0),
        "hierarchical k-means": HierarchicalKMeans(n_classes),
        "dbscan": DBSCAN(suggest_eps(rows, MIN_SAMPLES).eps, MIN_SAMPLES),
        "hdbscan": HDBSCAN(max(5, n // (50 * n_classes)), MIN_SAMPLES),
        "spectral": SpectralClustering(n_classes),
        "agglomerative, ward": AgglomerativeClustering(n_classes),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
