"""Any result for other programs: a table, vectors, annotations, or folders of images.

Nothing is overwritten but, where it is asked for, what an export has written; and of half an export nothing
is left.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from lookalike.collection.export.folders import foreign_file
from lookalike.collection.export.forms import ExportForm, choose_form, get_form
from lookalike.collection.export.rows import Column, Export
from lookalike.collection.resources import Resources
from lookalike.collection.selecting import select
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    CollectionResourceError,
    InvalidInputError,
)
from lookalike.hints import Hint
from lookalike.query.filter import Filter
from lookalike.results.browsing import BrowseResult
from lookalike.results.clusterings import Cluster, Clustering
from lookalike.results.documents import plain_value
from lookalike.results.maps import ImageMap
from lookalike.results.search import SearchResult
from lookalike.system.checked_calls import shown
from lookalike.system.on_demand import load
from lookalike.system.output import check_output, put_output
from lookalike.system.progress import Watch
from lookalike.system.renaming import rename
from lookalike.types import Ids

Exportable: TypeAlias = SearchResult | BrowseResult | Clustering | ImageMap | Filter | None
"""What can be exported: a result, or the images that pass a filter, or all there are."""

GROUPS = ("label", "split", "cluster")
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)  # across disks, or on FAT


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """How something is exported; see `Collection.export`."""

    form: str | None = None
    by: str | None = None
    model: str | None = None
    vectors: bool | None = None
    force: bool = False


def export_result(
    resources: Resources, result: Exportable, to: Path, asked: ExportRequest, watch: Watch
) -> int:
    """Write a result; return how many images that are. See `Collection.export`."""
    form = choose_form(str(to)) if asked.form is None else get_form(asked.form)
    check_target(to, form, asked.force)
    _check_options(form, result, asked)
    export = _export_of(resources, result)
    wants_vectors = bool(form.vectors) if asked.vectors is None else asked.vectors
    if wants_vectors:
        model, _ = resources.some_embedded(asked.model or _model_of(result))
        export = replace(export, model=model)
    elif asked.model is not None:
        resources.model(asked.model)  # nothing is taken of it, but it has to be one
    if asked.by in ("label", "split"):
        export = replace(export, by=asked.by, groups=None, all_groups=())
    return _write(replace(export, watch=watch), to, form, asked.force)


def export_clustering(
    resources: Resources, clustering: Clustering, to: Path, form: ExportForm, force: bool, watch: Watch
) -> int:
    """Write a clustering as a table of its own columns, or in folders; see `Clusterings.export`."""
    export = _export_of_clustering(resources, clustering)
    if form.vectors:
        export = replace(export, model=resources.model(clustering.model))
    has_facts = form.vectors is not None or form.name == "coco"
    return _write(replace(export, has_facts=has_facts, watch=watch), to, form, force)


def check_export(to: Path, form: str, force: bool = False) -> None:
    """Raise InvalidInputError or CollectionError unless there is such a form, and nothing in the way."""
    check_target(to, get_form(form), force)


def check_target(to: Path, form: ExportForm, force: bool) -> None:
    """Raise CollectionError if something is in the way, or there is no folder to write to."""
    if form.is_file:
        for file in _files(to, form):
            is_plain = file.is_file() and not file.is_symlink()
            if os.path.lexists(file) and not is_plain and not file.is_dir():
                kind = "a link" if file.is_symlink() else "a pipe or a device"
                raise CollectionConflictError(
                    f"{file} is {kind}; an export is written to a plain file", hint="name a new one"
                )
            if os.path.lexists(file) and not (force and is_plain):
                raise CollectionConflictError(
                    f"{file} is there already, and is not overwritten",
                    hint=Hint("force_export") if is_plain and not force else "name another file",
                )
            check_output(file, force=force)
    elif os.path.lexists(to) and (not to.is_dir() or any(to.iterdir())):
        foreign = foreign_file(to) if to.is_dir() and not to.is_symlink() else str(to)
        if foreign is None and not force:
            raise CollectionConflictError(f"{to} holds an export already", hint=Hint("force_folder"))
        if foreign == str(to) or (foreign is not None and not force):
            raise CollectionConflictError(
                f"{to} is there and not an empty folder", hint="name a new folder to export to"
            )
        if foreign is not None:
            raise CollectionConflictError(
                f"{to} holds {foreign}, which no export has put there, or which was changed since",
                hint="name a new folder to export to",
            )
    if not to.absolute().parent.is_dir():
        raise CollectionNotFoundError(f"there is no folder {to.absolute().parent} to export to")


def _check_options(form: ExportForm, result: Exportable, asked: ExportRequest) -> None:
    if asked.by is not None:
        if asked.by not in GROUPS:
            raise InvalidInputError(
                f"by is {shown(asked.by)}; expected one of {', '.join(GROUPS)}", field="by"
            )
        if not form.has_groups:
            raise InvalidInputError(f"an export as {form.name} has no groups; leave out by", field="by")
        if asked.by == "cluster" and not isinstance(result, Clustering):
            raise InvalidInputError("only a clustering is exported by cluster", field="by")
    if asked.vectors and form.vectors is None:
        raise InvalidInputError(f"an export as {form.name} has no vectors", field="vectors")
    if asked.vectors is False and form.name == "npy":
        raise InvalidInputError("an export as npy is of vectors", field="vectors")


def _model_of(result: Exportable) -> str | None:
    """Return the model that made a result; None where none did."""
    model = None if result is None or isinstance(result, Filter | BrowseResult) else result.model
    return None if isinstance(result, SearchResult) and not result.queries else model


def _export_of(resources: Resources, result: Exportable) -> Export:
    if isinstance(result, SearchResult):
        return _export_of_search(resources, result)
    if isinstance(result, BrowseResult):
        return _export_of_list(resources, result)
    if isinstance(result, Clustering):
        return _export_of_clustering(resources, result)
    if isinstance(result, ImageMap):
        ids = np.array([image.id for image in result.images], np.int64)
        columns: dict[str, Column] = {
            "x": result.points[:, 0],
            "y": result.points[:, 1],
            "placed": result.is_placed,
        }
        return Export(resources, ids, result.about(), columns)
    if result is None or isinstance(result, Filter):
        return _export_of_images(resources, result or Filter())
    raise InvalidInputError(
        f"{type(result).__name__} cannot be exported; expected a SearchResult, a BrowseResult, a Clustering,"
        " an ImageMap, a Filter, or None for the whole collection",
        field="result",
    )


def _export_of_search(resources: Resources, result: SearchResult) -> Export:
    hits = result.hits
    scores: Column = [None] * len(hits) if hits.scores is None else hits.scores
    columns: dict[str, Column] = {
        "rank": range(1, len(hits) + 1),
        "score": scores,
        "distance": hits.distances,
    }
    return _export_of_hits(resources, result, columns)


def _export_of_hits(
    resources: Resources, result: SearchResult | BrowseResult, columns: dict[str, Column]
) -> Export:
    """Give the images that were found, with the places of theirs that a filter was about."""
    about = {name: value for name, value in result.to_dict().items() if name != "hits"}
    paths = {int(hit.id): set(hit.paths) for hit in result.hits}
    return Export(resources, result.ids, about, columns, paths=paths)


def _export_of_list(resources: Resources, result: BrowseResult) -> Export:
    columns: dict[str, Column] = {"rank": [hit.rank for hit in result.hits]}
    if result.values is not None:
        columns["value"] = [plain_value(value) for value in result.values]
    return _export_of_hits(resources, result, columns)


def _export_of_clustering(resources: Resources, found: Clustering) -> Export:
    """Give the images cluster by cluster, nearest to the centre first."""
    order = {cluster.number: at for at, cluster in enumerate(found.clusters)}
    place = np.array([order[number] for number in found.numbers.tolist()], np.int64)
    rows = np.lexsort((found.ids, found.distances, place))
    clusters = {cluster.number: cluster for cluster in found.clusters}
    numbers = found.numbers[rows].tolist()
    columns: dict[str, Column] = {
        "cluster": numbers,
        "name": [clusters[number].name for number in numbers],
        "distance": found.distances[rows],
    }
    about = {
        "clustering": found.name,
        "model": found.model,
        "algorithm": found.algorithm,
        "parameters": dict(found.parameters),
        "random_state": found.random_state,
        "made": found.made,
    }
    groups = [_group(clusters[number]) for number in numbers]
    all_groups = tuple(map(_group, found.clusters))
    return Export(resources, found.ids[rows], about, columns, groups, all_groups)


def _group(cluster: Cluster) -> str:
    return cluster.name or ("noise" if cluster.is_noise else f"cluster-{cluster.number:03}")


def _export_of_images(resources: Resources, where: Filter) -> Export:
    """Give the images that pass a filter, by their first path."""
    places = resources.places
    selection = select(places, where)
    files = places.snapshot.files
    meant = selection.rows_of_files()
    rows = files.by_path if meant is None else files.by_path[meant[files.by_path]]
    ids: Ids = files.ids[rows]
    _, first = np.unique(ids, return_index=True)
    paths: dict[int, set[str]] = {}
    if selection.files is not None:
        for row, image in zip(rows.tolist(), ids.tolist(), strict=True):
            paths.setdefault(image, set()).add(places.absolute(files.path(row)))
    about = {"where": where.to_dict(), "model": places.manifest.model}
    return Export(resources, ids[np.sort(first)], about, paths=paths)


def _write(export: Export, to: Path, form: ExportForm, force: bool) -> int:
    write = load(form.writer)
    try:
        with _whole(to, form, force) as partial:
            write(export, partial)
            export.watch.check()
    except OSError as error:
        raise CollectionResourceError(
            f"cannot export to {to}: {error.strerror or error}; nothing was written",
            hint="use copy, which works on every disk" if error.errno in _NO_LINKS else None,
        ) from error
    return int(np.isin(export.ids, export.resources.places.snapshot.files.ids).sum())


def _files(to: Path, form: ExportForm) -> list[Path]:
    """Return the files that a form writes."""
    return [to, to.with_suffix(form.beside)] if form.beside else [to]


@contextlib.contextmanager
def _whole(to: Path, form: ExportForm, force: bool) -> Iterator[Path]:
    """Give a place beside, which becomes `to` once all is written; if that fails, nothing is left."""
    partial = to.absolute().with_name(f"{to.name[:40]}.{os.getpid()}.part")
    beside = Path(f"{partial}{form.beside}") if form.beside else None
    try:
        yield partial
        if to.is_dir():
            if force and any(to.iterdir()):
                shutil.rmtree(to)  # what an export has written, and nothing else: see `check_target`
            else:
                to.rmdir()  # empty, or this fails
        if beside is not None:
            put_output(beside, to.with_suffix(form.beside), force=force)
        if form.is_file:
            put_output(partial, to, force=force)
        else:
            rename(partial, to)
    finally:
        for left in (partial, beside):
            if left is not None and left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            elif left is not None:
                left.unlink(missing_ok=True)
