"""What label each image truly has: from its folder or data set, from a table, or from named clusters."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lookalike.collection.embedded import nothing_embedded
from lookalike.collection.places import FileLocation, Places
from lookalike.collection.stored.clusterings import StoredClusterings
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.images.finding.spelling import as_typed, composed
from lookalike.store import ADDED
from lookalike.system.cells import from_cell, text_of
from lookalike.system.plain_files import read_named

_COLUMNS = ("path", "label")


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
        A CSV file with columns ``path`` and ``label``; or the name of a clustering, of which the names that
        its user gave to clusters are labels. By default the labels that were given by hand, else those of
        folders and data sets, of an image that lies in several places that of the first; where there are none
        at all, the names of clusters.

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
        sources = ["folders"] * bool(places.of_roots()) + ["data sets"] * bool(places.datasets)
        if any(found[0].hand_label is not None for found in locations.values()):
            sources.insert(0, "labels by hand")
        if not known:  # what is left are the names of clusters
            labels = {image: found[0].label for image, found in locations.items()}
            known = {image: label for image, label in labels.items() if label is not None}
            sources = ["named clusters"]
        if not known:
            raise CollectionConflictError(
                f"no image of the collection in {places.store.folder} has a label", hint=Hint("give_labels")
            )
        return GroundTruth(known, _listed(sources))
    name = os.fspath(given)
    if composed(name) in clusterings.names() and not os.path.isfile(name):
        return _of_clusters(clusterings, composed(name), locations)
    if not os.path.isfile(name):
        names = clusterings.names()
        others = f" (there are {', '.join(names)})" if names else ""
        raise InvalidInputError(
            f"labels is {name!r}, but there is neither such a file nor a clustering of that name{others};"
            " expected a CSV file with columns path and label, or a clustering"
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
    for line, path, label in _read_table(file):
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


def _read_table(file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield line number, path and label of each row."""
    try:
        with io.StringIO(text_of(read_named(file)), newline="") as stream:
            reader = csv.DictReader(stream)
            columns = [name.strip().casefold() for name in reader.fieldnames or []]
            if not set(_COLUMNS) <= set(columns):
                raise InvalidInputError(
                    f"the columns of {file} are {', '.join(columns) or 'none'}; expected path and label in"
                    " its first line"
                )
            reader.fieldnames = columns
            for row in reader:
                path, label = (from_cell((row[name] or "").strip(" \t")) for name in _COLUMNS)
                yield reader.line_num, path, as_typed(label)
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror or error}") from error
    except csv.Error as error:
        raise InvalidInputError(f"{file} is no table of comma-separated values: {error}") from error
