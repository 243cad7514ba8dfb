"""What is in the clusters of a collection, of the images that are there now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lookalike.collection.places import make_hit
from lookalike.collection.resources import Resources
from lookalike.collection.shown import shown_by
from lookalike.collection.stored.clusterings import NOISE, StoredClustering, StoredClusterings
from lookalike.collection.stored.named_folders import read_each
from lookalike.embed import Model
from lookalike.evaluate import ClusteringScores, compare_with_labels
from lookalike.results.clusterings import Cluster, Clustering, ClusteringInfo
from lookalike.types import Hit, Ids, ImageId, choose_label

_EXAMPLES = 12


def summarize_clusterings(
    clusterings: StoredClusterings, there: Ids
) -> tuple[tuple[ClusteringInfo, ...], dict[str, str]]:
    """Return the clusterings that can be read, and what is wrong with the others."""
    found, damaged = read_each(clusterings.names(), lambda name: _summarize(clusterings.read(name), there))
    return tuple(found), damaged


def _summarize(stored: StoredClustering, there: Ids) -> ClusteringInfo:
    """Say in short what a clustering holds of the images that are there."""
    numbers = stored.clusters[np.isin(stored.ids, there)]
    is_noise = numbers == NOISE
    return ClusteringInfo(
        name=stored.name,
        model=stored.model,
        algorithm=stored.algorithm,
        n_clusters=len(np.unique(numbers[~is_noise])),
        n_images=len(numbers),
        n_noise=int(is_noise.sum()),
        named=tuple(name for _, name in sorted(stored.names.items())),
    )


def describe_clustering(resources: Resources, stored: StoredClustering, model: Model) -> Clustering:
    """Say what a clustering holds of the images that are there now."""
    locations, lookup = resources.places.of_images(), resources.places.lookup()
    # Its own names would agree with it.
    labels = {
        image: choose_label(found[0].given_label, found[0].clusters, without=stored.name)
        for image, found in locations.items()
    }
    embedded = resources.embedded_of(locations, model)
    kept = np.isin(stored.ids, embedded)
    ids, numbers = stored.ids[kept], stored.clusters[kept]
    distances, margins = stored.distances[kept], stored.margins[kept]
    shown = shown_by(resources.places.snapshot, stored.model)

    def hits(rows: npt.NDArray[np.intp]) -> tuple[Hit, ...]:
        return tuple(
            make_hit(
                rank,
                ImageId(image),
                distance,
                1 - distance if model.metric == "cosine" else None,
                locations[image],
                lookup,
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
            tags=() if shown is None or number == NOISE else shown.tags_of_many(ids[rows]),
            lookup=lookup,
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
        lookup=lookup,
    )


def agreement(numbers: npt.NDArray[np.int32], labels: Sequence[str | None]) -> ClusteringScores | None:
    """Compare clusters with the labels of those images that have one, if these differ."""
    rows = [row for row, label in enumerate(labels) if label is not None]
    known = [label for label in labels if label is not None]
    return compare_with_labels(numbers[rows], known) if len(set(known)) > 1 else None


def read_clustering(resources: Resources, name: str) -> Clustering:
    """Return a clustering that is kept; see `Clusterings.get`."""
    stored = resources.clusterings.read(name)
    return describe_clustering(resources, stored, resources.model(stored.model))
