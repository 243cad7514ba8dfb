"""Codes of 32 numbers against PCA to 32, on MNIST and Fashion-MNIST: neighbours and clusters by class.

Both learn from the train images alone; test images are queries among the train images. The training is one
``lookalike train autoencoder`` in a collection that is kept below the cache: an interrupted one goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import report
from lookalike import Collection
from lookalike.cluster import KMeans
from lookalike.embed import unit_rows
from lookalike.evaluate import compare_with_labels, precision_of_neighbors
from lookalike.index import Exact
from lookalike.pca import PCA
from lookalike.system.cache import cache_folder
from lookalike.types import Vectors

SETS = ("mnist", "fashion-mnist")
PIXELS = "pixels-28-grey"
DIMENSION = 32
K = 10


def main(options: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks autoencoder", description=__doc__)
    parser.add_argument("--set", action="append", choices=SETS, dest="sets")
    parser.add_argument("--epochs", type=int, default=50)
    chosen = parser.parse_args(options)
    figures = dict(report.read("autoencoder").get("sets", {}))
    for name in chosen.sets or SETS:
        figures[name] = measure(name, chosen.epochs)
        report.save("autoencoder", {"dimension": DIMENSION, "sets": figures})


def measure(name: str, epochs: int) -> dict[str, Any]:
    home = cache_folder() / "benchmarks" / f"{name}-autoencoder"
    run("index", "--dataset", name, "-c", str(home), "--model", PIXELS)
    called = f"{DIMENSION}x{epochs}"
    model = f"autoencoder-{called}"
    card = home / ".lookalike" / "models" / f"{model}.card.json"
    if not card.exists():
        size = ["--dimension", str(DIMENSION), "--epochs", str(epochs)]
        run("train", "autoencoder", "--name", called, "-c", str(home), *size)
    facts = json.loads(card.read_text(encoding="utf-8"))
    collection = Collection.open(home)
    images, codes = collection.vectors(model)
    pixel_images, pixels = collection.vectors(PIXELS)
    assert [image.id for image in images] == [image.id for image in pixel_images]
    labels = np.array([image.label for image in images])
    is_train, is_test = (
        np.array([any(f":{part}/" in path for path in image.paths) for image in images])
        for part in ("train", "test")
    )
    reduced = PCA(DIMENSION).fit(pixels[is_train]).transform(pixels)
    spaces = {
        "codes, cosine": codes,  # unit rows already, as the model gives them
        "PCA, euclidean": reduced,
        "PCA, cosine": unit_rows(reduced),
        "pixels, euclidean": pixels,
    }
    return {
        "queries": int(is_test.sum()),
        **{
            key: facts[key]
            for key in ("made_with", "settings", "images", "seconds", "best_epoch", "held_out_loss")
        },
        **{each: _scores(rows, labels, is_train, is_test) for each, rows in spaces.items()},
    }


def _scores(rows: Vectors, labels: Any, is_train: Any, is_test: Any) -> dict[str, float]:
    """Return P@10, and the NMI of ten clusters of the train images with their classes."""
    index = Exact("euclidean").build(rows[is_train])
    found = precision_of_neighbors(index.search(rows[is_test], k=K), labels[is_train], labels[is_test])
    clusters = KMeans(n_clusters=len(np.unique(labels)), random_state=0).fit(rows[is_train]).labels_
    agreement = compare_with_labels(clusters, labels[is_train])
    return {f"P@{K}": round(float(found.mean()), 4), "k-means NMI": round(float(agreement.nmi), 4)}


def run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lookalike", *words], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
