"""A saved index: a folder of arrays beside ``index.json``, which says what they are.

It is written beside its place and then renamed, so that a reader sees the old or the new. It is read
memory-mapped.

``index.json`` holds a checksum of each array and of itself. It and small arrays are verified whenever they
are opened, large ones once for each identity of the file: see `lookalike.system.sums`. All is flushed to the
disk before it takes its place, so that a power cut leaves no file that only looks whole.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import shutil
import tokenize
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexFileError, ResourceError
from lookalike.index.contract import METRICS
from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_file, flush_folder, flush_open
from lookalike.system.renaming import rename
from lookalike.system.sums import FoundWhole, read_document, sum_of, sum_of_file, summed, why_unread

Arrays = Mapping[str, npt.NDArray[Any]]

_SMALL = 1 << 20  # bytes of a file that is verified at each opening, in a quarter of a millisecond


def _naming_the_index(write: Callable[..., None]) -> Callable[..., None]:
    """Let what the system refuses be said of the index that was to be written."""

    @functools.wraps(write)
    def naming(folder: Path, *given: Any, **named: Any) -> None:
        try:
            if not folder.name:
                raise OSError(errno.EINVAL, "it has no name")
            write(folder, *given, **named)
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
    folder = Path(folder)
    if os.path.lexists(folder) and not _may_go(folder):
        raise IndexFileError(f"{folder} is there, and no index or empty folder; it is left as it is")
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        sums = {name: _save(partial / f"{name}.npy", array) for name, array in arrays.items()}
        facts = summed({**facts, "arrays": _describe(arrays), "sums": sums})
        (partial / "index.json").write_text(json.dumps(facts), encoding="utf-8")
        flush_file(partial / "index.json")
        written = {f"{name}.npy": _identity_of(partial / f"{name}.npy") for name in sums}
        FoundWhole(partial).add({file: each for file, each in written.items() if each.size > _SMALL})
        _flush_names(partial)
        _swap(partial, folder)
        _flush_names(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read(
    folder: Path, kind: str, version: int | tuple[int, ...], names: Iterable[str]
) -> tuple[dict[str, Any], Arrays]:
    """Open an index of this format, or of one of these: its facts, and its arrays, memory-mapped.

    Raises
    ------
    IndexFileError
        If there is none, or one of another kind or format, or a file is missing or damaged.
    """
    try:
        facts = read_document((folder / "index.json").read_bytes())
        versions = version if isinstance(version, tuple) else (version,)
        if facts["kind"] != kind or facts["format"] not in versions or facts["metric"] not in METRICS:
            raise ValueError(f"it is of kind {facts['kind']!r}, format {facts['format']!r}")
        names = list(names)
        _verify(folder, names, facts.get("sums"))
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
    except _DAMAGED as error:
        raise damaged(folder, why_unread(error)) from error
    return facts, arrays


def verify(folder: Path) -> list[str]:
    """Return what is wrong with a saved index, file by file, each read through; nothing where it is whole.

    An index of an earlier version has no checksums: of that only the facts are looked at.
    """
    try:
        facts = read_document((folder / "index.json").read_bytes())
        sums, names = facts.get("sums"), list(facts["arrays"])
    except _DAMAGED as error:
        return [f"index.json: {why_unread(error)}"]
    wrong = []
    for name in names:
        try:
            _verify(folder, [name], sums, anew=True)
        except _DAMAGED as error:
            wrong.append(str(error))
    return wrong


def _verify(folder: Path, names: Iterable[str], sums: Any, anew: bool = False) -> None:
    """Raise ValueError if an array's file is not the one that was written.

    Parameters
    ----------
    folder : Path
    names : iterable of str
        Of arrays.
    sums : mapping of str to int, or None
        None in an index of an earlier version, which has none.
    anew : bool
        Whether also what was found whole before is read.
    """
    if sums is None:
        return
    whole = FoundWhole(folder)
    found: dict[str, FileIdentity] = {}
    for name in names:
        file = f"{name}.npy"
        identity = _identity_of(folder / file)
        if identity.size > _SMALL and not anew and whole.has(file):
            continue
        if sum_of_file(folder / file) != sums[name]:
            raise ValueError(f"{file} is not what was written: its checksum is another")
        if identity.size > _SMALL:
            found[file] = identity
    whole.add(found)


def _save(file: Path, array: npt.NDArray[Any]) -> int:
    """Write an array, have it on the disk, and return the checksum of the file."""
    with file.open("wb") as stream:
        counted = _Counted(stream)
        np.save(counted, array)
        stream.flush()
        flush_open(stream.fileno())
    return counted.sum


class _Counted:
    """A stream that keeps the checksum of what is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.sum = 0

    def write(self, content: Any) -> int:
        self.sum = sum_of(content, self.sum)
        return int(self._stream.write(content))


def _flush_names(folder: Path) -> None:
    with contextlib.suppress(OSError):  # an index can be made again
        flush_folder(folder)


def _identity_of(file: Path) -> FileIdentity:
    return FileIdentity.of(os.stat(file))


_DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError),
    *(SyntaxError, tokenize.TokenError, OverflowError, MemoryError, RecursionError),
)
"""What reading a damaged document of JSON, or a damaged array, may raise."""


def _describe(arrays: Arrays) -> dict[str, list[Any]]:
    return {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}


def damaged(folder: Path, why: object) -> IndexFileError:
    """Return the error that says why a saved index cannot be read."""
    return IndexFileError(
        f"the index in {folder} cannot be read: {why}; delete the folder and build it again"
    )


def _may_go(folder: Path) -> bool:
    """Tell whether a path is an empty folder, or holds an index and nothing else, and may be replaced."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    names = set(os.listdir(folder))
    if not names:
        return True
    try:
        facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        arrays = {f"{name}.npy" for name in facts["arrays"]}
        is_index = {"kind", "format", "metric"} <= facts.keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    # What other parts of lookalike say of an index beside it is JSON; one may hold another, as a folder.
    others = {name for name in names - arrays if not name.endswith(".json")}
    return is_index and all((folder / name).is_dir() and _may_go(folder / name) for name in others)


def _swap(new: Path, place: Path) -> None:
    """Put the folder `new` in the place of another. Those who have the old one mapped keep it."""
    old = new.with_name(new.name + ".old")
    if place.exists():
        rename(place, old)
    try:
        rename(new, place)
    finally:
        shutil.rmtree(old, ignore_errors=True)
