"""Which collection is meant, and a new one where there is none.

A new one is written in one go: what cannot be made whole leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookalike.collection.manifest_file import ManifestFile
from lookalike.embed import DEFAULT_MODEL, Compute, ModelRegistry
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    CollectionResourceError,
    LookalikeError,
    QueryInputError,
    QueryNotFoundError,
)
from lookalike.hints import Hint
from lookalike.images.finding.globs import divide_excludes, split_glob
from lookalike.images.thumbnails import check_thumbnail_side
from lookalike.query.reading import names_path
from lookalike.store import FOLDER_NAME, Labeling, Manifest, find_collection, root_folder
from lookalike.sync import locate
from lookalike.system.flush import make_durable_folder
from lookalike.system.progress import Watch

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Home:
    """Where a collection is, or is to be.

    Attributes
    ----------
    folder : Path
        The one that holds ``.lookalike``.
    is_there : bool
        Whether it does already.
    targets : tuple of Path
        The folders that the paths of the request are about.
    """

    folder: Path
    is_there: bool
    targets: tuple[Path, ...]


def choose_home(paths: Sequence[AnyPath], at: AnyPath | None, datasets: Sequence[str]) -> Home:
    """Find out which collection a request is about; see `Collection.open_or_create`. Writes nothing."""
    targets = tuple(_target(path) for path in paths)
    if at is None and datasets and not paths:
        at = datasets[0]
    if at is not None:
        found = find_collection(Path(at), above=False)
        home = found.parent if found else _home(Path(at))
        if not found and not paths and not datasets:
            if find_collection(Path()):  # it is another's name that was mistyped
                raise CollectionNotFoundError(
                    f"there is no collection in {at}", hint="name the folder of images, too"
                )
            return Home(home, False, (_working_folder(),))
    elif not paths:
        found = find_collection(Path())
        if found:
            return Home(found.parent, True, ())
        here = _working_folder()
        return Home(here, False, (here,))
    else:
        around = {find_collection(target) for target in targets}
        if len(around) > 1:
            raise CollectionConflictError(
                "these paths lie in different collections", hint=Hint("name_collection")
            )
        found = around.pop()
        top = min(targets, key=lambda target: len(target.parts))
        if found is None and any(top != target and top not in target.parents for target in targets):
            raise CollectionConflictError(
                "several folders need a collection of their own", hint=Hint("name_home")
            )
        home = found.parent if found else top
    # A root that is missing now is the sync's to judge.
    known = folders_of(found, Manifest.load(found)) if found else []
    for path, target in zip(paths, targets, strict=True):
        if not os.path.isdir(target) and locate(known, target) is None:
            raise CollectionNotFoundError(f"there is no file or folder {os.fspath(path)}")
    return Home(home, found is not None, targets)


def add_what_is_asked(
    manifest_file: ManifestFile,
    targets: Iterable[Path],
    datasets: Sequence[str],
    labels: Labeling | None,
    exclude: Sequence[str],
    forget_excluded: bool,
) -> None:
    """Add a root for each folder that needs one, and data sets; see `Collection.open_or_create`."""
    targets = sorted(targets, key=lambda target: len(target.parts))
    for target in targets:
        if locate(_roots(manifest_file), target) is None:
            manifest_file.add_folder(target)
    roots = _roots(manifest_file)
    if targets:
        held = {found[0] for target in targets if (found := locate(roots, target)) is not None}
        roots = [root for root in roots if root in held]
    if labels is not None or exclude or forget_excluded:
        for root, inside in divide_excludes(exclude, roots).items():
            manifest_file.add_folder(root, labels, inside or (), adds=not forget_excluded)
    for name in datasets:
        manifest_file.add_dataset(name)


def folders_of(place: Path, manifest: Manifest) -> list[Path]:
    """Return where the roots that are folders lie, of the collection in a ``.lookalike`` folder."""
    return [root_folder(place, root) for root in manifest.roots if root.dataset is None]


def _roots(manifest_file: ManifestFile) -> list[Path]:
    return folders_of(manifest_file.folder, manifest_file.manifest)


def find_near(queries: Sequence[str]) -> Path | None:
    """Return the ``.lookalike`` folder of the collection that the file of a query lies in, if any does.

    The file need not exist. For a query such as ``mnist:test/42`` it is looked for in the folder ``mnist``.

    Raises
    ------
    QueryError
        If there is none, and neither is a file that a query names, or that is a folder.
    """
    files = []
    for query in queries:
        if names_path(query):
            files.append(query)
            near, above = Path(query) if os.path.isdir(query) else Path(query).parent, True
        else:
            near, above = Path(query.partition(":")[0]), False
        found = find_collection(near, above)
        if found:
            return found
    for query in files:
        # What is wrong with the query comes first: a collection would not mend it.
        if os.path.isdir(query):
            raise QueryInputError(f"the query {query} is a folder; expected an image file or a URL")
        if not os.path.lexists(query):
            raise QueryNotFoundError(
                f"there is no file {query!r}, nor a collection near it or in the working directory",
                hint=Hint("name_collections_folder"),
            )
    return None


def _working_folder() -> Path:
    """Return the folder that is meant where none was named, and there is no collection yet.

    Raises
    ------
    CollectionError
        If it is the root of the system, or the user's home: these are named by who means them.
    """
    here = Path(os.getcwd())
    is_root, is_home = here.parent == here, False
    with contextlib.suppress(OSError):
        is_home = os.path.samefile(here, os.path.expanduser("~"))
    if is_root or is_home:
        raise CollectionNotFoundError(
            f"there is no collection in {here}, which is {'the root' if is_root else 'your home'}",
            hint=Hint("name_this_folder"),
        )
    return here


def _home(at: Path) -> Path:
    """Return the folder that is to hold ``.lookalike``, also where the user named the ``.lookalike``."""
    return at.parent if at.name == FOLDER_NAME else at


def _target(path: AnyPath) -> Path:
    """Return the folder that a path is about: itself, the one that a file lies in, or a glob starts from."""
    place, rest = split_glob(path)
    if rest and not glob.has_magic(rest):
        return place / rest
    return place if os.path.isdir(place) else place.parent


@dataclass(frozen=True, slots=True)
class NewCollection:
    """What a collection is to be made as; see `Collection.create`."""

    model: str | None
    labels: Labeling | None
    exclude: Sequence[str]
    with_root: bool
    check_model: bool
    thumbnail_side: int


def create(home: Path, asked: NewCollection, watch: Watch) -> tuple[ManifestFile, ModelRegistry]:
    """Make an empty collection in an absolute folder; see `Collection.create`."""
    place = home / FOLDER_NAME
    if find_collection(home, above=False):
        raise CollectionConflictError(f"there is a collection in {place} already", hint="open it instead")
    if os.path.lexists(home) and not os.path.isdir(home):
        raise CollectionNotFoundError(f"there is no folder {home}, but something else of this name")
    side = check_thumbnail_side(asked.thumbnail_side)
    registry = ModelRegistry(place / "models")
    chosen = registry.get(DEFAULT_MODEL if asked.model is None else asked.model)
    # Before anything is written: what cannot be loaded must not leave an empty collection behind.
    is_loaded = asked.check_model
    embedder = registry.load(chosen.name, Compute(), is_new=True, watch=watch) if is_loaded else None
    manifest_file = ManifestFile(place, Manifest(chosen.name, thumbnail_side=side))
    missing = [each for each in (place, *place.parents) if not os.path.lexists(each)]
    try:
        make_durable_folder(home)
        if asked.with_root:
            manifest_file.add_folder(home, asked.labels, asked.exclude)
        make_durable_folder(place)
        if embedder is not None:
            registry.keep(chosen.name, embedder, is_new=True)
        manifest_file.save_first()
    except (OSError, LookalikeError) as error:
        _remove_made(place, missing)
        if isinstance(error, LookalikeError):
            raise
        raise CollectionResourceError(
            f"cannot make a collection in {home}: {error.strerror or error}", hint=Hint("writable_folder")
        ) from error
    return manifest_file, registry


def _remove_made(place: Path, missing: Sequence[Path]) -> None:
    """Remove a ``.lookalike`` folder that was not there, and those above it that were not, where empty."""
    if place in missing:
        shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(OSError):
        for folder in missing[1:]:
            folder.rmdir()
