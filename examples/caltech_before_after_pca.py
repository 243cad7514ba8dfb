"""Caltech-101 by exact k-NN, ANNOY and the k-means tree, before PCA and after.

    pip install 'lookalike[annoy]'        # in a clone: pip install -e '.[annoy]'
    python examples/caltech_before_after_pca.py [FOLDER]

The 8,677 photos are embedded by the default network, which gives 1,280 numbers each; PCA leaves 128 of them.
Each photo is a query against all others. Printed, before and after: the share of the ten nearest that are of
the query's class (P@10), how many of the true ten nearest an index finds (recall), and the time of a query.
Saved in FOLDER (the current one by default), beside the collection, are six queries and what was found:

    caltech-exact.png        caltech-annoy.png        caltech-kmeans-tree.png
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.evaluate import precision_of_neighbors
from lookalike.index import Annoy, Exact, Index, KMeansTree
from lookalike.plots import SheetRow, contact_sheet, save_figure
from lookalike.types import Neighbors

K = 10
RECALL = 0.95
DIMENSIONS = 128
QUERIES_DRAWN = 6
KINDS = (Exact, Annoy, KMeansTree)
WARMING = 2_000


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    collection = open_collection(folder)
    models = {"before": collection.model, "after": f"{collection.model}+pca{DIMENSIONS}"}
    if models["after"] not in collection.info().models:
        print(f"fitting PCA, {DIMENSIONS} numbers …", flush=True)
        collection.models.reduce(DIMENSIONS)
    print("building three indexes, and asking each for every photo, before PCA and after …", flush=True)

    found: dict[tuple[str, str], Neighbors] = {}
    print(f"\n{'':24} {'numbers':>8} {'built in':>9} {'P@10':>7} {'recall':>7} {'a query':>9}")
    for when, model in models.items():
        images, vectors = collection.vectors(model)
        labels = np.array([image.label for image in images])
        for kind in KINDS:
            index = kind("cosine")
            kind("cosine").build(vectors[:WARMING]).search(vectors[0], K, recall=RECALL)  # what is done once
            started = time.perf_counter()
            index.build(vectors)
            built = time.perf_counter()
            found[when, index.kind] = others = search_others(index, vectors)
            seconds = time.perf_counter() - built
            precision = precision_of_neighbors(others, labels, labels).mean()
            farthest = found[when, "exact"].distances[:, -1:]
            recall = (others.distances <= farthest + 1e-6).mean()
            print(
                f"{f'{index.kind}, {when} PCA':24} {vectors.shape[1]:8,} {built - started:7.1f} s"
                f" {precision:7.4f} {recall:7.4f} {1e3 * seconds / len(vectors):6.2f} ms"
            )

    random = np.random.default_rng(0)
    queries = random.choice(len(labels), QUERIES_DRAWN, replace=False)
    pictures = collection.thumbnails(image.id for image in images)
    jpegs = [pictures[image.id] for image in images]
    print()
    for kind in (kind.kind for kind in KINDS):
        rows = []
        for query in queries:
            for when in models:
                hits = found[when, kind].ids[query]
                right = np.count_nonzero(labels[hits] == labels[query])
                note = f"{right} of {K} are of the class {labels[query]}"
                images_drawn = [jpegs[query], *(jpegs[hit] for hit in hits)]
                rows.append(SheetRow(f"{when} PCA", note, images_drawn, [True]))
        path = folder / f"caltech-{kind}.png"
        save_figure(contact_sheet(rows, f"Six queries (framed) and their ten nearest by {kind}", K + 1), path)
        print(f"saved {path}")


def open_collection(folder: Path) -> Collection:
    """Index Caltech-101, or go on with what is there."""
    if Collection.find(folder, above=False):
        collection = Collection.open(folder, above=False)
    else:
        collection = Collection.create(folder, with_root=False)
        collection.add_dataset("caltech-101")
    print("indexing 8,677 photos, some minutes where it is the first time …", flush=True)
    print(f"{collection.sync().unchanged:,} photos were indexed already, of {len(collection):,}")
    return collection


def search_others(index: Index, vectors: np.ndarray) -> Neighbors:
    """Find the nearest K of each row among the other rows, one query at a time."""
    ids = np.empty((len(vectors), K), np.int64)
    distances = np.empty((len(vectors), K), np.float32)
    for row, vector in enumerate(vectors):
        near = index.search(vector, K + 1, recall=RECALL)
        # Of exact copies, the row itself may not be the first, or not among them at all.
        keep = np.flatnonzero(near.ids[0] != row)[:K]
        ids[row], distances[row] = near.ids[0][keep], near.distances[0][keep]
    return Neighbors(ids, distances)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
