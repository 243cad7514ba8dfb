"""A new collection, written in one go: what cannot be made whole leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lookalike.collection.manifest_file import ManifestFile
from lookalike.embed import DEFAULT_MODEL, Compute, ModelRegistry
from lookalike.errors import (
    CollectionConflictError,
    CollectionNotFoundError,
    CollectionResourceError,
    ModelError,
)
from lookalike.hints import Hint
from lookalike.store import FOLDER_NAME, Labelling, Manifest, find_collection


def create(
    home: Path,
    model: str | None,
    labels: Labelling,
    exclude: Sequence[str],
    with_root: bool,
    check_model: bool,
) -> tuple[ManifestFile, ModelRegistry]:
    """Make an empty collection in an absolute folder; see `Collection.create`."""
    place = home / FOLDER_NAME
    if find_collection(home, above=False):
        raise CollectionConflictError(f"there is a collection in {place} already", hint="open it instead")
    if with_root and not os.path.isdir(home):
        raise CollectionNotFoundError(f"there is no folder {home}")
    shelf = ModelRegistry(place / "models")
    chosen = shelf.get(DEFAULT_MODEL if model is None else model)
    # Before anything is written: what cannot be loaded must not leave an empty collection behind.
    embedder = shelf.load(chosen.name, Compute(), is_new=True) if check_model else None
    roots = ManifestFile(place, Manifest(chosen.name))
    if with_root:
        roots.add_folder(home, labels, exclude)
    was_there = os.path.lexists(place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        if embedder is not None:
            shelf.keep(chosen.name, embedder, is_new=True)
        roots.save_first()
    except (OSError, ModelError) as error:
        if not was_there:
            shutil.rmtree(place, ignore_errors=True)
        if isinstance(error, ModelError):
            raise
        raise CollectionResourceError(
            f"cannot make a collection in {home}: {error.strerror}", hint=Hint("writable_folder")
        ) from error
    return roots, shelf
