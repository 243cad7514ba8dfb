"""22,914 photos in one folder: indexed, reduced by PCA, clustered, and searched inside the query's cluster.

    python examples/photos_in_a_folder.py [FOLDER]

The photos are all 8,677 of Caltech-101 and 14,237 of CIFAR-10's, in FOLDER/photos (in the current folder by
default), without labels: what a photo shows is used only to say how good the clusters are. Printed are the
time of each step and the most memory that the process has had so far. Saved in FOLDER are the 40 largest
clusters, and six queries with what was found everywhere and in the query's cluster:

    photos-clusters.png        photos-search.png

Run again, it goes on with the photos, the vectors and the clusters that are there.
"""

from __future__ import annotations

import resource
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lookalike import Collection, datasets
from lookalike.drawing import draw_clusters, draw_map, group_by_cluster
from lookalike.evaluate import compare_with_labels
from lookalike.plots import SheetRow, contact_sheet, save_figure
from lookalike.types import Hit

PHOTOS = 22_914
CLUSTERS = 100
VARIANCE = 0.95
QUERIES, QUERIES_DRAWN, HITS = 200, 6, 10
CLUSTERING = "photos"


def main(folder: Path) -> None:
    photos = folder / "photos"
    with step("photos laid in one folder"):
        lay_photos(photos)
    with step("indexed"):
        if Collection.find(photos, above=False):
            collection = Collection.open(photos, above=False)
        else:
            collection = Collection.create(photos, labels="none")
        collection.sync()
    reduced = next((model for model in collection.info().models if "+pca" in model), None)
    with step(f"reduced to {VARIANCE:.0%} of the variance"):
        reduced = reduced or collection.models.reduce(VARIANCE)
    with step(f"clustered by k-means, k = {CLUSTERS}"):
        clustering = collection.clusterings.make("kmeans", CLUSTERS, name=CLUSTERING, model=reduced)

    images, vectors = collection.vectors(reduced)
    shows = [what_it_shows(image) for image in images]
    number = dict(zip(clustering.ids.tolist(), clustering.numbers.tolist(), strict=True))
    scores = compare_with_labels([number[image.id] for image in images], shows)
    print(
        f"\n{len(images):,} photos, {vectors.shape[1]} of {collection.vectors()[1].shape[1]:,} numbers each;"
        f" clusters of {clustering.clusters[-1].size} to {clustering.clusters[0].size} photos, purity"
        f" {scores.purity:.3f}, NMI {scores.nmi:.3f}"
    )
    queries = [images[row] for row in np.random.default_rng(0).choice(len(images), QUERIES, replace=False)]
    found: dict[str, list[tuple[Hit, ...]]] = {}
    with step(f"{QUERIES} searches everywhere"):
        found["everywhere"] = [collection.search(query.path, k=HITS, model=reduced).hits for query in queries]
    with step(f"{QUERIES} searches in the query's cluster"):
        found["in its cluster"] = [
            collection.search(query.path, k=HITS, same_cluster=CLUSTERING).hits for query in queries
        ]
    for where, hits in found.items():
        right = [
            what_it_shows(hit) == what_it_shows(query)
            for query, near in zip(queries, hits, strict=True)
            for hit in near
        ]
        print(f"of the {HITS} nearest {where}, {np.mean(right):.1%} show what the query shows")
    with step("map by t-SNE"):
        image_map = collection.maps.make(model=reduced)
    with step("pictures"):
        figures = {
            "clusters": draw_clusters(collection, clustering),
            "search": draw_searches(collection, queries, found),
            "map": draw_map(collection, image_map, group_by_cluster(image_map, clustering)),
            "tiles": draw_map(collection, image_map, style="tiles"),
        }
        for name, figure in figures.items():
            save_figure(figure, folder / f"photos-{name}.png")


def lay_photos(folder: Path) -> None:
    """Lay the photos of Caltech-101, and enough of CIFAR-10's, in one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for file in folder.iterdir() if file.is_file()) == PHOTOS:
        return
    caltech = datasets.load("caltech-101")
    for row, (file, label) in enumerate(zip(caltech.train_X.paths, caltech.train_y, strict=True)):
        shutil.copyfile(file, folder / f"{caltech.class_names[label]}.{row:05}{file.suffix}")
    cifar = datasets.load("cifar-10")
    rows = np.random.default_rng(0).choice(len(cifar.train_X), PHOTOS - len(caltech.train_X), replace=False)
    for row in rows:
        name = f"{cifar.class_names[cifar.train_y[row]]}.{row:05}.png"
        Image.fromarray(cifar.train_X[row]).save(folder / name)


def what_it_shows(image: Hit) -> str:
    return Path(image.path).name.partition(".")[0]


def draw_searches(
    collection: Collection, queries: list[Hit], found: dict[str, list[tuple[Hit, ...]]]
) -> Figure:
    drawn = queries[:QUERIES_DRAWN]
    shown = [(query, *hits[row]) for row, query in enumerate(drawn) for hits in found.values()]
    jpegs = collection.thumbnails({image.id for images in shown for image in images})
    headings = [(query, where) for query in drawn for where in found]
    rows = [
        SheetRow(
            f"{what_it_shows(query)}, {where}",
            f"{sum(what_it_shows(hit) == what_it_shows(query) for hit in hits)} of {HITS} show the same",
            [jpegs[query.id], *(jpegs[hit.id] for hit in hits)],
            [True],
        )
        for (query, where), (_, *hits) in zip(headings, shown, strict=True)
    ]
    return contact_sheet(rows, f"Queries, framed, and their {HITS} nearest", HITS + 1)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Print how long a step took, and the most memory that the process has had."""
    started = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB, on Linux
    print(f"{name:40} {time.perf_counter() - started:7.1f} s  {peak:7,.0f} MiB at most", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
