"""What a collection holds, what it knows of one image, and what is in its clusters."""

from __future__ import annotations

import contextlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lookalike.answers import Cluster, Clustering, ClusteringInfo, ImageInfo, ImageMap, Info, RootInfo
from lookalike.collection.embedded import vector_table
from lookalike.collection.places import Places
from lookalike.collection.searching import make_hit
from lookalike.collection.stored.cluster_names import NO_CLUSTERS
from lookalike.collection.stored.clusterings import NOISE, StoredClustering, StoredClusterings
from lookalike.collection.stored.maps import StoredMap
from lookalike.embed import Model
from lookalike.errors import CollectionError, LookalikeError, QueryInputError, QueryNotFoundError
from lookalike.evaluate import ClusteringScores, compare_with_labels
from lookalike.images.finding.scan import unescape
from lookalike.images.finding.spelling import composed
from lookalike.images.own import OWN
from lookalike.query.appearance import name_colors, summarise
from lookalike.query.facts import SAID_COLUMNS, metadata_of, summarise_facts
from lookalike.system.wording import frequencies
from lookalike.types import Hit, Ids, ImageId, choose_label

_EXAMPLES = 12


def describe(places: Places) -> Info:
    """Say what a collection holds."""
    store, model = places.store, places.manifest.model
    files = store.files.read(["id", "label"])
    labels = [label and composed(label) for label in files["label"].to_pylist()]
    clusterings, damaged = _summarise_clusterings(places.clusterings, files["id"].to_numpy())
    formats = store.images.read(["format"])["format"].to_pylist()
    tables = store.vector_tables()
    names = sorted(tables, key=lambda name: (name != model, name))
    return Info(
        folder=store.folder,
        roots=tuple(place for _, place in places.of_roots()),
        datasets=places.datasets,
        files=len(labels),
        images=len(formats),
        models={name: tables[name].count() for name in names},
        model=model,
        formats=frequencies(formats),
        labels=frequencies(label for label in labels if label is not None),
        failures=places.failures(),
        size=_size_of(store.folder),
        appearance=summarise(store),
        clusterings=clusterings,
        damaged=damaged,
        facts=summarise_facts(store),
        notes=places.notes(),
    )


def describe_roots(places: Places) -> tuple[RootInfo, ...]:
    """Say what a collection is made of."""
    files = places.store.files.read(["path", "id"])
    names = [path.partition(":")[0] for path in files["path"].to_pylist()]
    images: dict[str, set[int]] = defaultdict(set)
    for name, image in zip(names, files["id"].to_pylist(), strict=True):
        images[name].add(image)
    folders = {root.name: folder for root, folder in places.of_roots()}
    return tuple(
        RootInfo(
            name=unescape(root.name),
            folder=folders.get(root.name),
            dataset=root.dataset,
            images=len(images[root.name]),
            is_there=root.dataset is not None or os.path.isdir(folders[root.name]),
            labels=root.labels,
            exclude=root.exclude,
        )
        for root in places.manifest.roots
    )


def _summarise_clusterings(
    clusterings: StoredClusterings, there: Ids
) -> tuple[tuple[ClusteringInfo, ...], dict[str, str]]:
    """Return the clusterings that can be read, and what is wrong with the others."""
    found: list[ClusteringInfo] = []
    damaged: dict[str, str] = {}
    for name in clusterings.names():
        try:
            stored = clusterings.read(name)
        except CollectionError:
            continue  # deleted meanwhile
        except LookalikeError as error:
            damaged[name] = error.told
            continue
        numbers = stored.clusters[np.isin(stored.ids, there)]
        is_noise = numbers == NOISE
        named = tuple(name for _, name in sorted(stored.names.items()))
        found.append(
            ClusteringInfo(
                name=stored.name,
                model=stored.model,
                algorithm=stored.algorithm,
                n_clusters=len(np.unique(numbers[~is_noise])),
                n_images=len(numbers),
                n_noise=int(is_noise.sum()),
                named=named,
            )
        )
    return tuple(found), damaged


def describe_image(places: Places, image: str) -> ImageInfo:
    """Say what a collection knows of one image; see `Collection.image_info`."""
    store = places.store
    found = places.find(image)
    columns = ["format", "width", "height", "colours", "sharpness", "reader", *SAID_COLUMNS]
    rows = store.images.read_where_in("id", [found], columns).to_pylist()
    files = store.files.read_where_in("id", [found], ["path", "label", "split", "note"]).to_pylist()
    if not rows or not files:
        failed = store.failures.read_where_in("path", [places.stored(image)], ["reason"]).to_pylist()
        if failed:
            reason = failed[0]["reason"]
            said = "is passed over" if reason == OWN else "could not be read"
            raise QueryInputError(f"{image} {said}: {reason}")
        raise QueryNotFoundError(f"{image} is not in the collection in {store.folder}", hint="index it first")
    (row,) = rows
    files.sort(key=lambda file: str(file["path"]))
    clusters = places.labels.of_images(np.array([found])).get(found, NO_CLUSTERS)
    labels = (choose_label(file["label"] and composed(file["label"]), clusters) for file in files)
    return ImageInfo(
        id=found,
        paths=tuple(places.absolute(file["path"]) for file in files),
        labels=tuple(dict.fromkeys(label for label in labels if label is not None)),
        splits=tuple(dict.fromkeys(file["split"] for file in files if file["split"] is not None)),
        format=row["format"],
        width=row["width"],
        height=row["height"],
        colors=name_colors(np.reshape(row["colours"] or [], (-1, 4))),
        sharpness=row["sharpness"],
        models=tuple(
            name
            for name, table in store.vector_tables().items()
            if len(table.read_where_in("id", [found], ["id"]))
        ),
        clusters=clusters,
        metadata=metadata_of(row),
        knows_metadata=row["reader"] is not None or row["format"] == "PIXELS",
        note=next((file["note"] for file in files if file["note"] is not None), None),
    )


def _size_of(folder: Path) -> int:
    """Add up the bytes of the files below a folder; those that another process removes meanwhile are none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _embedded(places: Places, model: Model, there: Iterable[int]) -> Ids:
    """Return which images that are there a model has embedded: vectors may outlast their image."""
    embedded = vector_table(places.store, model).read(["id"])["id"].to_numpy()
    found: Ids = embedded[np.isin(embedded, list(there))]
    return found


def describe_map(places: Places, stored: StoredMap, model: Model) -> ImageMap:
    """Say where on a map the images are that are there now."""
    there = places.of_images()
    embedded = _embedded(places, model, there)
    kept = np.isin(stored.ids, embedded)
    return ImageMap(
        name=stored.name,
        model=stored.model,
        method=stored.method,
        metric=model.metric,
        perplexity=stored.perplexity,
        parameters=stored.parameters,
        figures=stored.figures,
        random_state=stored.random_state,
        made=stored.made,
        images=tuple(
            make_hit(0, ImageId(image), 0.0, None, there[image]) for image in stored.ids[kept].tolist()
        ),
        points=stored.points[kept],
        is_placed=stored.is_placed[kept],
        n_unplaced=int((~np.isin(embedded, stored.ids)).sum()),
    )


def describe_clustering(places: Places, stored: StoredClustering, model: Model) -> Clustering:
    """Say what a clustering holds of the images that are there now."""
    there = places.of_images()
    # Its own names would agree with it.
    labels = {
        image: choose_label(found[0].folder_label, found[0].clusters, without=stored.name)
        for image, found in there.items()
    }
    embedded = _embedded(places, model, there)
    kept = np.isin(stored.ids, embedded)
    ids, numbers = stored.ids[kept], stored.clusters[kept]
    distances, margins = stored.distances[kept], stored.margins[kept]

    def hits(rows: npt.NDArray[np.intp]) -> tuple[Hit, ...]:
        return tuple(
            make_hit(
                rank,
                ImageId(image),
                distance,
                1 - distance if model.metric == "cosine" else None,
                there[image],
            )
            for rank, (image, distance) in enumerate(
                zip(ids[rows].tolist(), distances[rows].tolist(), strict=True), start=1
            )
        )

    def cluster(number: int, rows: npt.NDArray[np.intp]) -> Cluster:
        (label, count), *_ = [
            *Counter(labels[image] for image in ids[rows].tolist() if labels[image]).most_common(1),
            (None, 0),
        ]
        mean = float(distances[rows].mean(dtype=np.float64))
        can_doubt = number != NOISE and np.isfinite(margins[rows]).all()
        return Cluster(
            number=number,
            name=stored.names.get(number),
            size=len(rows),
            cohesion=None if number == NOISE else 1 - mean if model.metric == "cosine" else mean,
            label=label,
            label_share=None if label is None else count / len(rows),
            central=hits(rows[np.argsort(distances[rows], kind="stable")[:_EXAMPLES]]),
            doubtful=hits(rows[np.argsort(margins[rows], kind="stable")[:_EXAMPLES]]) if can_doubt else (),
        )

    found, sizes = np.unique(numbers, return_counts=True)
    members = np.split(np.argsort(numbers, kind="stable"), np.cumsum(sizes)[:-1]) if len(found) else []
    clusters = [cluster(int(number), rows) for number, rows in zip(found, members, strict=True)]
    return Clustering(
        name=stored.name,
        model=stored.model,
        algorithm=stored.algorithm,
        metric=model.metric,
        parameters=stored.parameters,
        random_state=stored.random_state,
        made=stored.made,
        is_edited=stored.is_edited,
        clusters=tuple(sorted(clusters, key=lambda each: (each.is_noise, -each.size, each.number))),
        ids=ids,
        numbers=numbers,
        distances=distances,
        margins=margins,
        n_unassigned=int((~np.isin(embedded, stored.ids)).sum()),
        scores=agreement(numbers, [labels[image] for image in ids.tolist()]),
    )


def agreement(numbers: npt.NDArray[np.int32], labels: Sequence[str | None]) -> ClusteringScores | None:
    """Compare clusters with the labels of those images that have one, if these differ."""
    rows = [row for row, label in enumerate(labels) if label is not None]
    known = [label for label in labels if label is not None]
    return compare_with_labels(numbers[rows], known) if len(set(known)) > 1 else None
