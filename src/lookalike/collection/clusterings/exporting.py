"""Clusters for other programs: a table, a document, or a folder of images each. Nothing is overwritten."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.collection.clusterings.export_forms import EXPORT_FORMS, get_form
from lookalike.collection.places import FileLocation
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    CollectionResourceError,
)
from lookalike.hints import Hint
from lookalike.results.clusterings import Cluster, Clustering
from lookalike.system.on_demand import load
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import format_id

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)  # across disks, or on FAT
_TOLD = 16  # images between two reports
_COLUMNS = ("path", "id", "cluster", "name", "distance", "label")


@dataclass(frozen=True, slots=True, eq=False)
class Export:
    """What is written.

    Attributes
    ----------
    clustering : Clustering
    locations : mapping of int to sequence of FileLocation
        Where each image lies, by its id; those that have left since the clustering was read are not in it.
    watch : Watch
    """

    clustering: Clustering
    locations: Mapping[int, Sequence[FileLocation]]
    watch: Watch = UNWATCHED

    def by_cluster(self) -> Iterator[tuple[int, float, int]]:
        """Yield number, distance and id of each image, cluster by cluster, nearest first."""
        found = self.clustering
        order = {cluster.number: at for at, cluster in enumerate(found.clusters)}
        rows = zip(found.numbers.tolist(), found.distances.tolist(), found.ids.tolist(), strict=True)
        there = (row for row in rows if row[2] in self.locations)
        rows_in_order = sorted(there, key=lambda row: (order[row[0]], row[1:]))
        for done, row in enumerate(rows_in_order):
            if done % _TOLD == 0:
                self.watch(Progress("exporting", done, len(rows_in_order), "exporting", unit="images"))
            self.watch.check()
            yield row

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for every place of every image, by cluster, nearest to the centre first."""
        names = {cluster.number: cluster.name for cluster in self.clustering.clusters}
        return [
            {
                "path": place.path,
                "id": format_id(image),
                "cluster": number,
                "name": names[number],
                "distance": round(distance, 6) if math.isfinite(distance) else None,
                "label": place.label,
            }
            for number, distance, image in self.by_cluster()
            for place in self.locations[image]
        ]


def export_clustering(export: Export, to: Path, form: str) -> int:
    """Write a clustering; return how many images that are. See `Clusterings.export`."""
    check_export(to, form)
    write = load(get_form(form).writer)
    try:
        with _whole(to) as partial:
            write(export, partial)
    except OSError as error:
        raise CollectionResourceError(
            f"cannot export to {to}: {error.strerror or error}; nothing was written",
            hint="use copy, which works on every disk" if error.errno in _NO_LINKS else None,
        ) from error
    return sum(image in export.locations for image in export.clustering.ids.tolist())


def check_export(to: Path, form: str) -> None:
    """Raise InvalidInputError or CollectionError unless there is such a form, and nothing in the way."""
    if get_form(form).is_file:
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


def write_csv(export: Export, file: Path) -> None:
    """Write a table with a row for each place of each image."""
    # Names that are not UTF-8 are written byte for byte, as the folder has them.
    with file.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        writer.writeheader()
        writer.writerows(export.rows())


def write_json(export: Export, file: Path) -> None:
    """Write a document: how the clusters were made, and those rows."""
    clustering = export.clustering
    document = {
        "clustering": clustering.name,
        "model": clustering.model,
        "algorithm": clustering.algorithm,
        "parameters": dict(clustering.parameters),
        "random_state": clustering.random_state,
        "made": clustering.made,
        "images": export.rows(),
    }
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")


def write_copies(export: Export, folder: Path) -> None:
    """Write a folder for each cluster, with copies of the images' files."""
    _write_folders(export, folder, shutil.copy2)


def write_hard_links(export: Export, folder: Path) -> None:
    """Write a folder for each cluster, with more names of the images' files."""
    _write_folders(export, folder, lambda source, target: os.link(source.resolve(strict=True), target))


def write_symbolic_links(export: Export, folder: Path) -> None:
    """Write a folder for each cluster, with links to the images' files."""
    _write_folders(export, folder, lambda source, target: target.symlink_to(source.resolve(strict=True)))


def _write_folders(export: Export, folder: Path, put: Callable[[Path, Path], object]) -> None:
    """Put the first file of each image into a folder of its cluster."""
    clusters = export.clustering.clusters
    for cluster in clusters:
        (folder / _folder_name(cluster)).mkdir(parents=True)
    folder.mkdir(exist_ok=True)
    names = {cluster.number: _folder_name(cluster) for cluster in clusters}
    taken: set[str] = set()
    for number, _, image in export.by_cluster():
        source = Path(export.locations[image][0].path)
        if not source.is_absolute():
            raise CollectionConflictError(
                f"{source} is an image of a data set, no file",
                hint=f"export as {' or '.join(row.name for row in EXPORT_FORMS if row.is_file)} instead",
            )
        target = folder / names[number] / source.name
        if str(target).casefold() in taken:  # a file of that name in another folder
            target = target.with_name(f"{source.stem}-{format_id(image)}{source.suffix}")
        taken.add(str(target).casefold())
        try:
            put(source, target)
        except FileNotFoundError as error:
            raise CollectionConflictError(
                f"{source} is gone", hint=Hint("sync", then=", then export again")
            ) from error


def _folder_name(cluster: Cluster) -> str:
    return cluster.name or ("noise" if cluster.is_noise else f"cluster-{cluster.number:03}")
