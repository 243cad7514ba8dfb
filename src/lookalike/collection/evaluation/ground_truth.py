"""What label each image truly has: from its folder or data set, from a table, or from named clusters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lookalike.collection.embedded import nothing_embedded
from lookalike.collection.places import FileLocation, Places
from lookalike.collection.silent_labels import label_note
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.images.finding.spelling import composed
from lookalike.store import ADDED
from lookalike.store.labeling import MARK, is_of_folders
from lookalike.sync.labeling import label_files, read_label_table, read_labeling


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The labels of images.

    Attributes
    ----------
    labels : mapping of int to str
        By image id; those without are not in it.
    source : str
        Where they are from, in words.
    unknown : tuple of str
        Paths of a table that are no image of the collection.
    """

    labels: Mapping[int, str]
    source: str
    unknown: tuple[str, ...] = ()


def read_ground_truth(
    places: Places,
    locations: Mapping[int, list[FileLocation]],
    given: str | os.PathLike[str] | None,
) -> GroundTruth:
    """Return the labels of a collection's images.

    Parameters
    ----------
    places : Places
    locations : mapping of int to list of FileLocation
        Where the images lie: `Places.of_images`.
    given : str or path, optional
        A CSV file with columns ``path`` and ``label``; the name of a clustering, of which the names that its
        user gave to clusters are labels; or where labels come from otherwise: ``folders``, ``folders:1``,
        ``path``, or a glob with one ``{label}``. By default the labels that were given by hand, else those of
        folders and data sets, of an image that lies in several places that of the first; where there are none
        at all, the names of clusters. Folders that say nothing of what images show count only if asked for.

    Raises
    ------
    InvalidInputError
        If there is neither such a file nor such a clustering; or the file cannot be read, lacks the columns,
        gives one image two labels, or holds no path of an image of the collection.
    CollectionError
        If no image has a label.
    """
    if not locations:
        raise nothing_embedded(places.store, places.manifest.model, None)
    clusterings = places.clusterings
    if given is None:
        labels = {image: found[0].given_label for image, found in locations.items()}
        known = {image: label for image, label in labels.items() if label is not None}
        telling = (root.labels for root, _ in places.of_roots() if not root.has_silent_labels)
        sources = list(dict.fromkeys("folders" if is_of_folders(labels) else labels for labels in telling))
        sources += ["data sets"] * bool(places.datasets)
        if any(found[0].hand_label is not None for found in locations.values()):
            sources.insert(0, "labels by hand")
        if not known:  # what is left are the names of clusters
            labels = {image: found[0].label for image, found in locations.items()}
            known = {image: label for image, label in labels.items() if label is not None}
            sources = ["named clusters"]
        if not known and (note := label_note(places.manifest)) is not None:
            raise CollectionConflictError(str(note), hint=note.hint)
        if not known:
            raise CollectionConflictError(
                f"no image of the collection in {places.store.folder} has a label", hint=Hint("give_labels")
            )
        return GroundTruth(known, _listed(sources))
    name = os.fspath(given)
    if composed(name) in clusterings.names() and not os.path.isfile(name):
        return _of_clusters(clusterings, composed(name), locations)
    if is_of_folders(name) or MARK in name:
        return _of_paths(places, locations, name)
    if not os.path.isfile(name):
        names = clusterings.names()
        others = f" (there are {', '.join(names)})" if names else ""
        raise InvalidInputError(
            f"labels is {name!r}, but there is neither such a file nor a clustering of that name{others};"
            " expected a CSV file with columns path and label, a clustering, folders, folders:1, path, or a"
            " glob with one {label}"
        )
    return _of_table(places, locations, Path(name))


def _listed(sources: list[str]) -> str:
    """Return sources as people list them.

    >>> _listed(["labels by hand", "folders", "data sets"]), _listed(["folders"])
    ('labels by hand, folders and data sets', 'folders')
    """
    return " and ".join(filter(None, [", ".join(sources[:-1]), sources[-1]]))


def _of_clusters(
    clusterings: StoredClusterings, name: str, locations: Mapping[int, list[FileLocation]]
) -> GroundTruth:
    stored = clusterings.read(name)
    named = zip(stored.ids.tolist(), stored.clusters.tolist(), strict=True)
    labels = {
        image: stored.names[cluster]
        for image, cluster in named
        if cluster in stored.names and image in locations
    }
    if not labels:
        raise CollectionConflictError(
            f"no cluster of {name!r} has a name to take as label", hint=Hint("name_clusters", name=name)
        )
    return GroundTruth(labels, f"named clusters of {name}")


def _of_paths(places: Places, locations: Mapping[int, list[FileLocation]], given: str) -> GroundTruth:
    """Return labels by the ways to images, which hold whatever images look like."""
    roots = places.of_roots()
    paths: dict[str, dict[str, int]] = {root.name: {} for root, _ in roots}
    for stored, image, _ in places.snapshot.files.facts():
        name, _, relative = stored.partition(":")
        if name in paths and image in locations:
            paths[name][relative] = image
    labels: dict[int, str] = {}
    for root, place in roots:
        label_of = label_files(read_labeling(given, place), place, paths[root.name])
        for relative, image in paths[root.name].items():
            label = label_of(relative)
            if label is not None:
                labels.setdefault(image, label)
    if not labels:
        raise InvalidInputError(
            f"labels is {given!r}, which gives no image of this collection a label; {_an_example(paths)}"
        )
    return GroundTruth(labels, given)


def _an_example(paths: Mapping[str, Mapping[str, int]]) -> str:
    """Say what paths look like."""
    some = next((path for files in paths.values() for path in files), None)
    return "it holds no files" if some is None else f"the path of one, from its root, is {some}"


def _of_table(places: Places, locations: Mapping[int, list[FileLocation]], file: Path) -> GroundTruth:
    by_path = {place.path: image for image, found in locations.items() for place in found}
    by_path |= {
        f"{ADDED}:{place.key}": image
        for image, found in locations.items()
        for place in found
        if place.key is not None
    }
    # Paths as they are come first: two files may differ in nothing but how their accents are written.
    by_path = {composed(path): image for path, image in by_path.items()} | by_path
    folders = [Path.cwd(), file.absolute().parent, *(folder for _, folder in places.of_roots())]
    labels: dict[int, str] = {}
    lines: dict[int, int] = {}
    unknown = []
    for line, path, label in read_label_table(file):
        exact = [path, *(os.path.normpath(folder / path) for folder in folders)]
        candidates = [*exact, *map(composed, exact)]
        image = next((by_path[each] for each in candidates if each in by_path), None)
        if image is None:
            unknown.append(path)
        elif label and labels.setdefault(image, label) != label:
            raise InvalidInputError(
                f"{file}, line {line}: {path} has the label {label!r}, but in line {lines[image]} the same"
                f" image has {labels[image]!r}; expected one label an image"
            )
        else:
            lines.setdefault(image, line)
    if not labels:
        raise InvalidInputError(
            f"{file} gives no image of this collection a label"
            + (f": {unknown[0]}, say, is none of its images" if unknown else "")
            + "; expected paths as a search gives them"
        )
    return GroundTruth(labels, str(file), tuple(unknown))
