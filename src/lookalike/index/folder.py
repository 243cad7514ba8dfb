"""A saved index: a folder of arrays beside ``index.json``, which says what they are.

It is written beside its place and then renamed, so that a reader sees the old or the new. It is read
memory-mapped.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexFileError, ResourceError
from lookalike.index.contract import METRICS

Arrays = Mapping[str, npt.NDArray[Any]]


def _naming_the_index(write: Callable[..., None]) -> Callable[..., None]:
    """Let what the system refuses be said of the index that was to be written."""

    @functools.wraps(write)
    def naming(folder: Path, *given: Any) -> None:
        try:
            if not folder.name:
                raise OSError(errno.EINVAL, "it has no name")
            write(folder, *given)
        except OSError as error:
            raise ResourceError(f"the index cannot be written to {folder}: {error.strerror}") from error

    return naming


@_naming_the_index
def write(folder: Path, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write an index, replacing an index that is there.

    Parameters
    ----------
    facts : mapping
        What ``index.json`` is to hold: kind, format and metric, and what else the kind wants.
    arrays : mapping
        Each becomes a file, ``<name>.npy``.

    Raises
    ------
    IndexFileError
        If the folder holds something that is no index.
    """
    if os.path.isdir(folder) and os.listdir(folder) and not os.path.isfile(folder / "index.json"):
        raise IndexFileError(f"{folder} holds something that is no index; it is left as it is")
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for name, array in arrays.items():
            np.save(partial / f"{name}.npy", array)
        facts = {**facts, "arrays": _describe(arrays)}
        (partial / "index.json").write_text(json.dumps(facts), encoding="utf-8")
        _swap(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read(folder: Path, kind: str, version: int, names: Iterable[str]) -> tuple[dict[str, Any], Arrays]:
    """Open an index: its facts, and its arrays, memory-mapped.

    Raises
    ------
    IndexFileError
        If there is none, or one of another kind or format, or a file is missing or damaged.
    """
    try:
        facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        if facts["kind"] != kind or facts["format"] != version or facts["metric"] not in METRICS:
            raise ValueError(f"it is of kind {facts['kind']!r}, format {facts['format']!r}")
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray):
                raise ValueError(f"{name}.npy holds no array")
        if facts["arrays"] != _describe(arrays):
            raise ValueError("its files do not fit together")
    except FileNotFoundError as error:
        raise IndexFileError(
            f"there is no index in {folder} ({Path(error.filename).name} is missing)"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError) as error:
        raise damaged(folder, error) from error
    return facts, arrays


def _describe(arrays: Arrays) -> dict[str, list[Any]]:
    return {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}


def damaged(folder: Path, why: object) -> IndexFileError:
    """Return the error that says why a saved index cannot be read."""
    return IndexFileError(
        f"the index in {folder} cannot be read: {why}; delete the folder and build it again"
    )


def _swap(new: Path, place: Path) -> None:
    """Put the folder `new` in the place of another. Those who have the old one mapped keep it."""
    old = new.with_name(new.name + ".old")
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    finally:
        shutil.rmtree(old, ignore_errors=True)
