"""Clusters changed as their user wishes: named, merged, added to, images moved between them."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.cluster.algorithms import get_algorithm
from lookalike.collection.clusterings.centers import measured, nearest_centers, recentered
from lookalike.collection.clusterings.describing import describe_clustering
from lookalike.collection.embedded import Embedded
from lookalike.collection.resources import Resources
from lookalike.collection.stored.clusterings import NOISE, StoredClustering
from lookalike.errors import InvalidInputError, QueryNotFoundError
from lookalike.images.finding.spelling import composed
from lookalike.results.clusterings import Clustering
from lookalike.system.checked_calls import shown
from lookalike.system.progress import Watch
from lookalike.types import Ids, ImageId, Metric, Vectors

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Edits:
    """What is to be changed, in this order; see `Clusterings.edit`."""

    rename: Sequence[tuple[int | str, str]] = ()
    merge: Sequence[Sequence[int | str]] = ()
    move: Sequence[tuple[str | os.PathLike[str], int | str]] = ()
    assign: bool = False


def edit_clustering(resources: Resources, name: str, edits: Edits, watch: Watch) -> tuple[Clustering, int]:
    """Change a clustering that is kept; return how many images were assigned. See `Clusterings.edit`."""
    with resources.clusterings.lock():
        stored = resources.clusterings.read(name)
        model = resources.model(stored.model)
        embedded = resources.embedded(model) if edits.merge or edits.move or edits.assign else None
        moves = [(_image_in(embedded, resources, image), to) for image, to in edits.move]
        stored, n_assigned, notes = _change(stored, embedded, model.metric, edits, moves, watch)
        if edits.rename or edits.merge or edits.move:
            stored = replace(stored, changed=datetime.datetime.now().astimezone().isoformat())
        watch.check()
        resources.clusterings.write(stored)
    return replace(describe_clustering(resources, stored, model), notes=notes), n_assigned


def _image_in(embedded: Embedded | None, resources: Resources, image: str | os.PathLike[str]) -> ImageId:
    found = resources.places.find(os.fspath(image))
    if embedded is None or found not in embedded.ids:
        raise QueryNotFoundError(f"{os.fspath(image)} is not in this collection; index it first")
    return found


def _change(
    stored: StoredClustering,
    embedded: Embedded | None,
    metric: Metric,
    edits: Edits,
    moves: Sequence[tuple[ImageId, int | str]],
    watch: Watch,
) -> tuple[StoredClustering, int, tuple[str, ...]]:
    """Change clusters; return how many images were assigned, and notes, which say which names went.

    `embedded` may be None where clusters are only named; `moves` are those of the edits.
    """
    notes = []
    for cluster, to in edits.rename:
        before, number = stored.names, find_cluster(stored, cluster)
        stored = _rename(stored, number, to)
        if not to:
            had = f"is no longer named {before[number]!r}" if number in before else "had no name to take back"
            notes.append(f"cluster {number} {had}")
    if embedded is None:
        return stored, 0, tuple(notes)
    stored = _without_gone(stored, embedded)
    touched: set[int] = set()
    for clusters in edits.merge:
        before = stored.names
        stored, numbers = _merge(stored, clusters)
        touched.update(numbers)
        gone = _names_gone(before, stored)
        if gone:
            (kept,) = (stored.names[number] for number in numbers if number in stored.names)
            notes.append(f"what was merged is named {kept!r} now, and {gone} went")
    for target in dict.fromkeys(to for _, to in moves):
        before = stored.names
        stored, numbers = _move(stored, [image for image, to in moves if to == target], target)
        touched.update(numbers)
        gone = _names_gone(before, stored)
        if gone:
            notes.append(f"no image is left in {gone}, and the name went")
    stored, n_assigned = recentered(stored, embedded, sorted(touched)), 0
    if edits.assign:
        stored, n_assigned = _assign_new(stored, embedded, metric, watch)
    return measured(stored, embedded, metric), n_assigned, tuple(notes)


def _names_gone(before: Mapping[int, str], stored: StoredClustering) -> str:
    """Return the names that no cluster has any more, for a sentence."""
    return " and ".join(repr(name) for name in before.values() if name not in stored.names.values())


def _assign_new(
    stored: StoredClustering, embedded: Embedded, metric: Metric, watch: Watch
) -> tuple[StoredClustering, int]:
    """Put images that are in no cluster yet into those that are there; return how many found one."""
    new = np.setdiff1d(embedded.ids, stored.ids)
    if not len(new):
        return stored, 0
    watch.say("assigning", f"assigning {len(new):,} images")
    if not get_algorithm(stored.algorithm).is_by_density:
        clusters = np.full(len(new), NOISE, np.int32)
        for rows, vectors in embedded.blocks(new):
            clusters[rows] = nearest_centers(vectors, stored.centers)[0]
    else:
        clusters = _near_members(stored, embedded.take(stored.ids), embedded.take(new), metric)
    return _with_images(stored, new, clusters), int((clusters != NOISE).sum())


def _near_members(
    stored: StoredClustering, old: Vectors, new: Vectors, metric: Metric
) -> npt.NDArray[np.int32]:
    """Return the cluster of the nearest image that has one, or noise where that is too far.

    For DBSCAN, farther than eps; for HDBSCAN, than any of that cluster's images is from its nearest fellow.
    """
    from lookalike.index import Exact

    found = np.full(len(new), NOISE, np.int32)
    in_cluster = np.flatnonzero(stored.clusters != NOISE)
    if not len(in_cluster):
        return found
    index = Exact(metric)
    index.build(old[in_cluster])
    nearest = index.search(new, k=1)
    clusters = stored.clusters[in_cluster][nearest.ids[:, 0]]
    reach = np.zeros(len(stored.centers), np.float32)
    if "eps" in stored.parameters:
        reach[:] = stored.parameters["eps"]
    else:
        for number in np.unique(clusters):
            members = old[stored.clusters == number]
            if len(members) > 1:
                fellows = Exact(metric)
                fellows.build(members)
                reach[number] = fellows.search(members, k=2).distances[:, 1].max()
    is_near = nearest.distances[:, 0] <= reach[clusters]
    found[is_near] = clusters[is_near]
    return found


def find_cluster(stored: StoredClustering, cluster: int | str, noise: bool = False) -> int:
    """Return the number of a cluster that was named, by its number or the user's name for it.

    Raises
    ------
    InvalidInputError
        If there is none. Noise is one only where it may be.
    """
    by_name = {name: number for number, name in stored.names.items()}
    if isinstance(cluster, str):
        word = composed(cluster.strip())
        number = by_name.get(word, NOISE if word == "noise" else None)
        if number is None and word.removeprefix("-").isdecimal():
            number = int(word)
    else:
        number = cluster if isinstance(cluster, int | np.integer) and not isinstance(cluster, bool) else None
    if number is not None and (number in stored.there or (noise and number == NOISE)):
        return int(number)
    there = stored.there
    names = ", ".join(sorted(by_name)[:10])
    raise InvalidInputError(
        f"there is no cluster {shown(cluster)} in the clustering {stored.name!r}; expected a number"
        f" from {there[0]} to {there[-1]}{f', or a name: {names}' if names else ''}"
        if there
        else f"there is no cluster {shown(cluster)}: the clustering {stored.name!r} is all noise"
    )


def _rename(stored: StoredClustering, cluster: int | str, to: str) -> StoredClustering:
    """Give a cluster a name; an empty one takes it back."""
    number = find_cluster(stored, cluster)
    names = {each: name for each, name in stored.names.items() if each != number}
    if to:
        names[number] = _check_name(to, names)
    return replace(stored, names=names, is_edited=True)


def _check_name(name: str, taken: Mapping[int, str]) -> str:
    """Return a name that can be told from numbers, and be that of a folder."""
    name = composed(name)
    is_number = name.removeprefix("-").isdecimal()
    if (
        not name.isprintable()
        or name != name.strip(" .")
        or len(name) > _LONGEST_NAME
        or set(name) & set('/\\:*?"<>|,=')
        or is_number
        or name.casefold() == "noise"
        or re.fullmatch("cluster[- ][0-9]+", name.casefold())  # what an unnamed one is called
    ):
        raise InvalidInputError(
            f"a cluster cannot be named {name!r}; expected up to {_LONGEST_NAME} characters, none of"
            ' / \\ : * ? " < > | , =, and neither a number nor noise nor cluster-3'
        )
    if name.casefold() in map(str.casefold, taken.values()):
        raise InvalidInputError(
            f"another cluster is named {name!r} already", hint="merge the two, or choose another"
        )
    return name


def _merge(stored: StoredClustering, clusters: Sequence[int | str]) -> tuple[StoredClustering, set[int]]:
    """Make clusters one, of the first one's number and the first name that there is; return their numbers."""
    numbers = list(dict.fromkeys(find_cluster(stored, cluster) for cluster in clusters))
    if len(numbers) < 2:
        raise InvalidInputError(f"there is {len(numbers)} cluster to merge; expected two or more")
    first, *others = numbers
    given = [stored.names[number] for number in numbers if number in stored.names]
    names = {number: name for number, name in stored.names.items() if number not in numbers}
    names |= {first: given[0]} if given else {}
    merged = np.where(np.isin(stored.clusters, others), np.int32(first), stored.clusters)
    return replace(stored, clusters=merged, names=names, is_edited=True), set(numbers)


def _move(
    stored: StoredClustering, images: Sequence[ImageId], to: int | str
) -> tuple[StoredClustering, set[int]]:
    """Put images into another cluster, or among the noise; return the clusters that were touched."""
    target = find_cluster(stored, to, noise=True)
    wanted = np.unique(np.asarray(images, np.int64))
    new = np.setdiff1d(wanted, stored.ids)  # those that came later can be moved, too
    rows = _with_images(stored, new, np.full(len(new), target, np.int32))
    is_moved = np.isin(rows.ids, wanted)
    touched = {target, *rows.clusters[is_moved].tolist()} - {NOISE}
    clusters = np.where(is_moved, np.int32(target), rows.clusters)
    left = set(clusters.tolist())
    names = {number: name for number, name in rows.names.items() if number in left}
    return replace(rows, clusters=clusters, names=names, is_edited=True), touched


def _without_gone(stored: StoredClustering, embedded: Embedded) -> StoredClustering:
    """Leave out images that have left the collection."""
    kept = np.isin(stored.ids, embedded.ids)
    columns = ("ids", "clusters", "distances", "margins")
    return replace(stored, **{name: getattr(stored, name)[kept] for name in columns})


def _with_images(stored: StoredClustering, ids: Ids, clusters: npt.NDArray[np.int32]) -> StoredClustering:
    """Take in images; distances and margins have yet to be measured."""
    everything = np.concatenate([stored.ids, ids])
    order = np.argsort(everything)
    return replace(stored, ids=everything[order], clusters=np.concatenate([stored.clusters, clusters])[order])
