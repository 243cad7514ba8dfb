"""Photos in one folder: indexed, reduced by PCA, clustered, and searched inside the query's cluster.

    python examples/photos_in_a_folder.py [FOLDER]

FOLDER is a folder of photos; they are only read. Without one, they are all 8,677 of Caltech-101 and 14,237 of
CIFAR-10's, laid in photos-example/photos without labels: what a photo shows is used only to say how good the
clusters are. Printed are the time of each step and the most memory that the process has had so far. Saved in
FOLDER-lookalike in the current folder, or in photos-example, beside the collection itself, are the 40 largest
clusters, six queries with what was found everywhere and in the query's cluster, and maps:

    photos-clusters.png        photos-search.png        photos-map.png        photos-tiles.png

Run again, it goes on with the photos, the vectors and the clusters that are there.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from lookalike import Collection, Progress, datasets
from lookalike.drawing import draw_clusters, draw_map, group_by_cluster
from lookalike.evaluate import compare_with_labels
from lookalike.plots import SheetRow, contact_sheet, save_figure
from lookalike.types import Hit

PHOTOS = 22_914
CLUSTERS = 100
VARIANCE = 0.95
QUERIES, QUERIES_DRAWN, HITS = 200, 6, 10
CLUSTERING = "photos"
LEAST = 12  # photos


def main(given: Path | None) -> None:
    out = Path(f"{given.resolve().name}-lookalike" if given else "photos-example").absolute()
    photos = given.resolve() if given else out / "photos"
    if given and photos in (Path.cwd().resolve(), *Path.cwd().resolve().parents):
        sys.exit(f"Nothing is written into {photos}: go to a folder outside of it, and run this there.")
    if not given:
        with step("photos laid in one folder"):
            lay_photos(photos)
    print(f"The collection and the pictures come to {out}.")
    with step("indexed"):
        collection = Collection.open_or_create([photos], out, labels="none")
        collection.sync(report=tell)
    if len(collection) < LEAST:
        sys.exit(f"{photos} holds {len(collection)} photos that can be read; take one with {LEAST} or more.")
    reduced = next((model for model in collection.info().models if "+pca" in model), None)
    with step(f"reduced to {VARIANCE:.0%} of the variance"):
        reduced = reduced or collection.models.reduce(VARIANCE)
    k = None if given else CLUSTERS  # by default as suits the number of photos
    with step("clustered by k-means"):
        clustering = collection.clusterings.make("kmeans", k, name=CLUSTERING, model=reduced, report=tell)

    images, vectors = collection.vectors(reduced)
    print(
        f"\n{len(images):,} photos, {vectors.shape[1]} of {collection.vectors()[1].shape[1]:,} numbers each;"
        f" {len(clustering.clusters)} clusters of {clustering.clusters[-1].size} to"
        f" {clustering.clusters[0].size} photos"
    )
    if not given:
        number = dict(zip(clustering.ids.tolist(), clustering.numbers.tolist(), strict=True))
        scores = compare_with_labels([number[each.id] for each in images], [what_it_shows(x) for x in images])
        print(f"purity {scores.purity:.3f}, NMI {scores.nmi:.3f}")
    n = min(QUERIES, len(images))
    queries = [images[row] for row in np.random.default_rng(0).choice(len(images), n, replace=False)]
    found: dict[str, list[tuple[Hit, ...]]] = {}
    with step(f"{n} searches everywhere"):
        found["everywhere"] = [collection.search(query.path, k=HITS, model=reduced).hits for query in queries]
    with step(f"{n} searches in the query's cluster"):
        found["in its cluster"] = [
            collection.search(query.path, k=HITS, same_cluster=CLUSTERING).hits for query in queries
        ]
    for where, hits in found.items() if not given else ():
        right = [
            what_it_shows(hit) == what_it_shows(query)
            for query, near in zip(queries, hits, strict=True)
            for hit in near
        ]
        print(f"of the {HITS} nearest {where}, {np.mean(right):.1%} show what the query shows")
    with step("map by t-SNE"):
        image_map = collection.maps.make(model=reduced, report=tell)
    with step("pictures drawn"):
        figures = {
            "clusters": draw_clusters(collection, clustering),
            "search": draw_searches(collection, queries, found, has_classes=not given),
            "map": draw_map(collection, image_map, group_by_cluster(image_map, clustering)),
            "tiles": draw_map(collection, image_map, style="tiles"),
        }
        for name, figure in figures.items():
            save_figure(figure, out / f"photos-{name}.png")


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
    collection: Collection, queries: list[Hit], found: dict[str, list[tuple[Hit, ...]]], has_classes: bool
) -> Figure:
    drawn = queries[:QUERIES_DRAWN]
    shown = [(query, *hits[row]) for row, query in enumerate(drawn) for hits in found.values()]
    jpegs = collection.thumbnails({image.id for images in shown for image in images})
    headings = [(query, where) for query in drawn for where in found]
    rows = []
    for (query, where), (_, *hits) in zip(headings, shown, strict=True):
        right = sum(what_it_shows(hit) == what_it_shows(query) for hit in hits)
        title = f"{what_it_shows(query)}, {where}" if has_classes else where
        note = f"{right} of {HITS} show the same" if has_classes else Path(query.path).name
        rows.append(SheetRow(title, note, [jpegs[query.id], *(jpegs[hit.id] for hit in hits)], [True]))
    return contact_sheet(rows, f"Queries, framed, and their {HITS} nearest", HITS + 1)


def tell(progress: Progress) -> None:
    """Say on the terminal what is being done, over what was said before."""
    if sys.stderr.isatty():
        far = f"{progress.done:,} of {progress.total:,}" if progress.total else ""
        print(f"\r  {progress.words} {far:30}", end="\r", file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say that a step begins; when it has ended, how long it took, and the most memory there has been."""
    is_seen = sys.stdout.isatty()
    print(f"{name} …", end="\r" if is_seen else "\n", flush=True)
    started = time.perf_counter()
    yield
    print(f"{name:40} {time.perf_counter() - started:7.1f} s  {most_memory()}", flush=True)


def most_memory() -> str:
    """Return the most memory that this process has had, in words, where the system counts it."""
    try:
        import resource
    except ImportError:  # Windows
        return ""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20:7,.0f} MiB at most"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
