"""Which model finds the right class? P@10 of test images among train images, on four data sets.

Each data set is indexed by one ``lookalike index`` for each model, in a collection that is kept below the
cache, so that a run that was interrupted goes on, and a second one only measures. Caltech-101 has no split of
its own: the first 30 images of a class, in a seeded order, are searched, and the others are queries.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import report
from lookalike import Collection, datasets
from lookalike.evaluate import precision_of_neighbors
from lookalike.index import Exact
from lookalike.system.cache import cache_folder
from lookalike.types import Hit

PIXELS = {
    "mnist": "pixels-28-grey",
    "fashion-mnist": "pixels-28-grey",
    "cifar-10": "pixels-32-rgb",
    "caltech-101": "pixels-32-rgb",
}
NETWORKS = ("lite0-int8", "lite0", "lite2")
REDUCED = {"pixels": 64, "lite0-int8": 128}
TRAIN_PER_CLASS = 30  # of Caltech-101, as is usual with it
K = 10


def main() -> None:
    here = {found.row.name for found in datasets.find_all() if found.root is not None}
    missing = [name for name in PIXELS if name not in here]
    if missing:
        sys.exit(f"this benchmark needs {', '.join(missing)}: set LOOKALIKE_DATA to folders that hold them")
    figures: dict[str, dict[str, object]] = {name: {} for name in PIXELS}
    # The cheap ones of all sets first: a run that is cut short has something of each.
    for model in ("pixels", *NETWORKS):
        for name in PIXELS:
            actual = PIXELS[name] if model == "pixels" else model
            home = cache_folder() / "benchmarks" / name
            index(name, actual, home)
            collection = Collection.open(home)
            figures[name][actual] = measure(collection, actual)
            save(figures)
            if model in REDUCED:
                reduced = f"{actual}+pca{REDUCED[model]}"
                if reduced not in collection.info().models:
                    collection.models.reduce(REDUCED[model], actual)
                figures[name][reduced] = measure(collection, reduced)
                save(figures)


def save(figures: dict[str, dict[str, object]]) -> None:
    """Write what has been measured so far: the whole takes an hour."""
    report.save("features", {"measure": f"P@{K}, test images among train images, exact", "sets": figures})


def index(name: str, model: str, home: Path) -> None:
    """Run ``lookalike index`` as a user would; it only embeds what is lacking."""
    words = ["index", "--dataset", name, "-c", str(home), "--model", model, "--quiet"]
    subprocess.run([sys.executable, "-m", "lookalike", *words], check=True)


def measure(collection: Collection, model: str) -> dict[str, float]:
    """Return P@10, with how many images were searched and how many were queries."""
    images, vectors = collection.vectors(model)
    labels = np.array([image.label for image in images])
    is_train, is_test = split(images, labels)
    index = Exact("euclidean" if model.startswith("pixels") else "cosine").build(vectors[is_train])
    precision = precision_of_neighbors(index.search(vectors[is_test], k=K), labels[is_train], labels[is_test])
    figures = {"P@10": round(float(precision.mean()), 4), "gallery": int(is_train.sum())}
    print(collection.folder.parent.name, model, figures, file=sys.stderr, flush=True)
    return {**figures, "queries": len(precision)}


def split(
    images: list[Hit], labels: npt.NDArray[np.str_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Tell which images are searched and which are queries: (n,) each. Copies may be both."""
    is_train, is_test = (
        np.array([any(f":{part}/" in path for path in image.paths) for image in images])
        for part in ("train", "test")
    )
    if not is_train.any():
        order = np.random.default_rng(0).permutation(len(images))
        for label in np.unique(labels):
            is_train[order[labels[order] == label][:TRAIN_PER_CLASS]] = True
        is_test = ~is_train
    return is_train, is_test
