"""What a collection holds, and what it knows of one image."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lookalike.answers import ImageInfo, Info
from lookalike.collection.places import Places
from lookalike.errors import QueryError
from lookalike.looks import name_colors, summarise


def describe(places: Places) -> Info:
    """Say what a collection holds."""
    store, model = places.store, places.manifest.model
    labels = store.files.read(["label"])["label"].to_pylist()
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
        formats=_frequencies(formats),
        labels=_frequencies(label for label in labels if label is not None),
        failures=places.failures(),
        size=_size_of(store.folder),
        looks=summarise(store),
    )


def describe_image(places: Places, image: str) -> ImageInfo:
    """Say what a collection knows of one image; see `Collection.image_info`."""
    store = places.store
    found = places.find(image)
    is_old = store.needs_upgrade()
    columns = ["format", "width", "height", *([] if is_old else ["colours", "sharpness"])]
    rows = store.images.read_where_in("id", [found], columns).to_pylist()
    files = store.files.read_where_in("id", [found], ["path", "label", "split"]).to_pylist()
    if not rows or not files:
        failed = store.failures.read_where_in("path", [places.stored(image)], ["reason"]).to_pylist()
        if failed:
            raise QueryError(f"{image} could not be read: {failed[0]['reason']}")
        raise QueryError(f"{image} is not in the collection in {store.folder}; index it first")
    (row,) = rows
    files.sort(key=lambda file: str(file["path"]))
    return ImageInfo(
        id=found,
        paths=tuple(places.absolute(file["path"]) for file in files),
        labels=tuple(dict.fromkeys(file["label"] for file in files if file["label"] is not None)),
        splits=tuple(dict.fromkeys(file["split"] for file in files if file["split"] is not None)),
        format=row["format"],
        width=row["width"],
        height=row["height"],
        colors=name_colors(np.reshape(row.get("colours") or [], (-1, 4))),
        sharpness=row.get("sharpness"),
        models=tuple(
            name
            for name, table in store.vector_tables().items()
            if len(table.read_where_in("id", [found], ["id"]))
        ),
    )


def _frequencies(values: Iterable[str]) -> dict[str, int]:
    """Count values, most frequent first, ties by name."""
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))


def _size_of(folder: Path) -> int:
    """Add up the bytes of the files below a folder; those that another process removes meanwhile are none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total
