"""Clusters for other programs: a table, a document, or a folder of images each. Nothing is overwritten."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lookalike.answers import Cluster, Clustering
from lookalike.choices import FORMS, TABLES
from lookalike.collection.places import FileLocation
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    CollectionResourceError,
    InvalidInputError,
)
from lookalike.hints import Hint
from lookalike.types import format_id

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)  # across disks, or on FAT
_COLUMNS = ("path", "id", "cluster", "name", "distance", "label")


def export_clustering(
    clustering: Clustering, places: Mapping[int, Sequence[FileLocation]], to: Path, form: str
) -> int:
    """Write a clustering; return how many images that are. See `Collection.export_clustering`."""
    check_export(to, form)
    write = _write_table if form in TABLES else _write_folders
    try:
        with _whole(to) as partial:
            write(clustering, places, partial, form)
    except OSError as error:
        raise CollectionResourceError(
            f"cannot export to {to}: {error.strerror or error}; nothing was written",
            hint="use copy, which works on every disk" if error.errno in _NO_LINKS else None,
        ) from error
    return len(clustering.ids)


def check_export(to: Path, form: str) -> None:
    """Raise InvalidInputError or CollectionError unless there is such a form, and nothing in the way."""
    if form not in FORMS:
        raise InvalidInputError(f"there is no export as {form!r}; expected one of {', '.join(FORMS)}")
    if form in TABLES:
        if os.path.lexists(to):
            raise CollectionConflictError(
                f"{to} is there already, and is not overwritten", hint="name another file"
            )
    elif os.path.lexists(to) and (not to.is_dir() or any(to.iterdir())):
        raise CollectionConflictError(
            f"{to} is there and not an empty folder", hint="name a new folder to export to"
        )
    if not to.absolute().parent.is_dir():
        raise CollectionNotFoundError(f"there is no folder {to.absolute().parent} to export to")


@contextlib.contextmanager
def _whole(to: Path) -> Iterator[Path]:
    """Give a place beside, which becomes `to` once all is written; if that fails, nothing is left."""
    partial = to.absolute().with_name(f"{to.name[:40]}.{os.getpid()}.part")
    try:
        yield partial
        if to.is_dir():
            to.rmdir()  # empty, or this fails
        partial.rename(to)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def _write_table(
    clustering: Clustering, places: Mapping[int, Sequence[FileLocation]], file: Path, form: str
) -> None:
    """Write a row for every place of every image, by cluster, nearest to the centre first."""
    names = {cluster.number: cluster.name for cluster in clustering.clusters}
    rows = [
        {
            "path": place.path,
            "id": format_id(image),
            "cluster": number,
            "name": names[number],
            "distance": round(distance, 6) if math.isfinite(distance) else None,
            "label": place.label,
        }
        for number, distance, image in _by_cluster(clustering)
        for place in places[image]
    ]
    if form == "csv":
        # Names that are not UTF-8 are written byte for byte, as the folder has them.
        with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            writer = csv.DictWriter(stream, _COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return
    document = {
        "clustering": clustering.name,
        "model": clustering.model,
        "algorithm": clustering.algorithm,
        "parameters": dict(clustering.parameters),
        "random_state": clustering.random_state,
        "made": clustering.made,
        "images": rows,
    }
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")


def _write_folders(
    clustering: Clustering, places: Mapping[int, Sequence[FileLocation]], folder: Path, form: str
) -> None:
    """Put the first file of each image into a folder of its cluster."""
    for cluster in clustering.clusters:
        (folder / _folder_name(cluster)).mkdir(parents=True)
    folder.mkdir(exist_ok=True)
    names = {cluster.number: _folder_name(cluster) for cluster in clustering.clusters}
    taken: set[str] = set()
    for number, _, image in _by_cluster(clustering):
        source = Path(places[image][0].path)
        if not source.is_absolute():
            raise CollectionConflictError(
                f"{source} is an image of a data set, no file", hint="export as csv or json instead"
            )
        target = folder / names[number] / source.name
        if str(target).casefold() in taken:  # a file of that name in another folder
            target = target.with_name(f"{source.stem}-{format_id(image)}{source.suffix}")
        taken.add(str(target).casefold())
        try:
            if form == "copy":
                shutil.copy2(source, target)
            elif form == "hardlink":
                os.link(source.resolve(strict=True), target)
            else:
                target.symlink_to(source.resolve(strict=True))
        except FileNotFoundError as error:
            raise CollectionConflictError(
                f"{source} is gone", hint=Hint("sync", then=", then export again")
            ) from error


def _by_cluster(clustering: Clustering) -> Iterator[tuple[int, float, int]]:
    """Yield number, distance and id of each image, cluster by cluster, nearest first."""
    order = {cluster.number: at for at, cluster in enumerate(clustering.clusters)}
    rows = zip(
        clustering.numbers.tolist(), clustering.distances.tolist(), clustering.ids.tolist(), strict=True
    )
    yield from sorted(rows, key=lambda row: (order[row[0]], row[1:]))


def _folder_name(cluster: Cluster) -> str:
    return cluster.name or ("noise" if cluster.is_noise else f"cluster-{cluster.number:03}")
