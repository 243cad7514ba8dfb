"""What a collection keeps under names that its user gave: a folder each, with facts and arrays.

The facts, a JSON file with a checksum in it, name the file of the arrays by the hash of its content. They
are the last to be written, in one stroke: a reader sees the old ones or the new ones, never half of each.
Both are verified whenever they are read. A copy of the facts lies beside them, to mend them by.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.errors import (
    CancelledError,
    CollectionConflictError,
    CollectionNotFoundError,
    InvalidInputError,
    LookalikeError,
    StoreDamagedError,
    StoreError,
    StoreResourceError,
)
from lookalike.hints import Hint, refusal, way_out
from lookalike.images.finding.spelling import composed
from lookalike.store import Turn, writer_lock
from lookalike.store.manifest import has_sums
from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_folder, make_durable_folder
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, summed, why_unread
from lookalike.system.this_system import is_reserved

_DAMAGED = (
    *(ValueError, KeyError, TypeError, AttributeError, EOFError),
    *(NotImplementedError, RecursionError, OverflowError, zipfile.BadZipFile),
)
"""What reading damaged facts, or damaged arrays, may raise beside what the system does."""

Arrays = Mapping[str, npt.NDArray[Any]]
T = TypeVar("T")
V = TypeVar("V")

COPY = "facts.copy"
"""What the second copy of the facts is called: names that people gave are in them, and nowhere else."""

_FORMAT = 1
_TRIES = 3  # to read while others write
_WAIT = 10.0  # seconds, for another writer; they are quick
_EXAMPLE = "by-colour"
_NAME = re.compile(r"\w([\w .+-]{0,62}[\w+-])?")


def check_name(kind: str, name: str) -> str:
    """Return a name that can be that of a folder on any system.

    >>> check_name("clustering", "by-colour 2")
    'by-colour 2'
    """
    if not isinstance(name, str) or not _NAME.fullmatch(composed(name)) or is_reserved(name):
        raise InvalidInputError(
            f"the name of a {kind} is {name!r}; expected up to 64 letters, digits, - or _, such as {_EXAMPLE}"
        )
    return composed(name)


def read_each(names: Iterable[str], read: Callable[[str], T]) -> tuple[list[T], dict[str, str]]:
    """Return what can be read, and by name what is wrong with the rest: what is damaged hides no other.

    What is deleted meanwhile is in neither.
    """
    found: list[T] = []
    damaged: dict[str, str] = {}
    for name in names:
        try:
            found.append(read(name))
        except CollectionNotFoundError:
            continue
        except CancelledError:
            raise
        except LookalikeError as error:
            damaged[name] = error.told
    return found, damaged


class NamedFolders(ABC, Generic[T]):
    """The folders of one kind, in the collection in a ``.lookalike`` folder.

    Attributes
    ----------
    kind : str
        What is kept, in one word: it lies in ``<kind>s/<name>/``, its facts in ``<kind>.json``, and there are
        hints how to make and delete one.
    """

    kind: ClassVar[str]

    def __init__(self, collection: Path) -> None:
        self._place = collection / f"{self.kind}s"  # it need not be there
        self._facts = f"{self.kind}.json"

    @abstractmethod
    def _parse(self, folder: Path, facts_name: str = "") -> T:
        """Return what a folder holds; what is wrong with it is one of the errors that `_attempt` knows.

        The facts are in another file than they are to be in, where one is named.
        """

    def names(self) -> list[str]:
        """Return the names of those that are there."""
        # The copy is written after the facts, and deleted before them: where it is alone, they are lost.
        found = itertools.chain.from_iterable(self._place.glob(f"*/{name}") for name in (self._facts, COPY))
        return sorted({composed(file.parent.name) for file in found})

    def look(self) -> dict[str, FileIdentity]:
        """Return by name which files the facts are in now; nothing is opened."""
        try:
            names = os.listdir(self._place)
        except OSError:
            return {}
        found = {}
        for name in names:
            with contextlib.suppress(OSError):
                found[composed(name)] = FileIdentity.of(os.stat(self._place / name / self._facts))
        return found

    def reads_with_copy(self, folder: Path) -> bool:
        """Tell whether a folder would be whole if the copy of its facts took their place."""
        with contextlib.suppress(OSError, *_DAMAGED):
            self._parse(folder, COPY)
            return True
        return False

    def is_cut_off(self, folder: Path) -> bool:
        """Tell whether a folder is what is left by who was killed while making or deleting what is in it."""
        return not any(os.path.lexists(folder / name) for name in (self._facts, COPY))

    def check_there(self, name: str) -> None:
        """Raise CollectionError unless there is one of that name."""
        name = check_name(self.kind, name)
        names = self.names()
        if name not in names:
            others = f"there are {', '.join(names)}" if names else "there is none yet"
            raise CollectionNotFoundError(
                f"there is no {self.kind} {name!r} in this collection ({others})",
                hint=Hint(f"make_{self.kind}", name=name),
            )

    def read(self, name: str) -> T:
        """Read the one of that name.

        Raises
        ------
        CollectionError
            If there is none.
        StoreError
            If it is damaged.
        """
        self.check_there(name)
        return self._attempt(composed(name), self._parse)

    def read_seen(self, name: str, seen: Mapping[str, FileIdentity]) -> T:
        """Read the one of that name as it was when `look` returned `seen`.

        Raises
        ------
        CollectionError
            If there was none; CollectionConflictError if it has been written or deleted since.
        StoreError
            If it is damaged.
        """
        try:
            found = self.read(name)
        except (CollectionNotFoundError, StoreError):
            self._check_seen(name, seen)
            raise
        self._check_seen(name, seen)
        return found

    def _check_seen(self, name: str, seen: Mapping[str, FileIdentity]) -> None:
        if self.look().get(composed(name)) != seen.get(composed(name)):
            raise CollectionConflictError(
                f"the {self.kind} {name!r} has been changed since this state of the collection",
                hint="ask again, of the collection as it is now",
            )

    def _attempt(self, name: str, read: Callable[[Path], V]) -> V:
        """Return what is read from the folder of a name that was there a moment ago; see `read`."""
        folder = self._place / name
        try:
            for _ in range(_TRIES):
                with contextlib.suppress(FileNotFoundError):  # replaced between the reading of its two files
                    return read(folder)
            return read(folder)
        except (OSError, *_DAMAGED) as error:
            is_lost = isinstance(error, FileNotFoundError)
            if is_lost:
                self.check_there(name)  # deleted meanwhile
            kind = StoreDamagedError if is_lost or refusal(error) is None else StoreResourceError
            raise kind(
                f"the {self.kind} in {folder} cannot be read: {why_unread(error)}",
                # Of what is damaged, repair brings back what can be: to delete it would lose names.
                hint=Hint("repair") if kind is StoreDamagedError else way_out(error),
            ) from error

    def _write(self, name: str, facts: Mapping[str, Any], arrays: Arrays) -> None:
        """Keep facts and arrays in place of those of that name; the caller holds the lock."""
        folder = self._place / name
        buffer = io.BytesIO()
        np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
        content = buffer.getvalue()
        file_name = _file_name(content)
        document = {"format": _FORMAT, **facts, "arrays": file_name}
        text = json.dumps(summed(document) if has_sums(self._place.parent) else document, indent=1)
        try:
            make_durable_folder(folder)
            replace_file(folder / file_name, content, durable=True)
            replace_file(folder / self._facts, text.encode(), durable=True)
            replace_file(folder / COPY, text.encode())
            for file in folder.glob("arrays-*"):
                if file.name != file_name:
                    file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreResourceError(f"cannot write to {folder}: {error.strerror or error}") from error

    def delete(self, name: str) -> None:
        """Delete one, damaged or not."""
        with self.lock():
            self.check_there(name)
            folder = self._place / composed(name)
            try:
                # The copy first: facts that are missing beside it look like damage, which a repair mends.
                for file in (folder / COPY, folder / self._facts):
                    file.unlink(missing_ok=True)
                    flush_folder(folder)
                shutil.rmtree(folder)
            except OSError as error:
                raise StoreResourceError(
                    f"cannot delete {self._place / name}: {error.strerror or error}"
                ) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Let nobody else change any."""
        place = self._place / ".lock"  # no name begins so
        try:
            make_durable_folder(place)
        except OSError as error:
            raise StoreResourceError(f"cannot write to {self._place}: {error.strerror or error}") from error
        with writer_lock(place, Turn(_WAIT)):
            yield


def parse_facts(
    text: bytes, expected: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the facts in a file of them, once it is sure that they are those expected.

    Parameters
    ----------
    text : bytes
    expected : mapping of str to types
        By name; of a mapping, its values have to be numbers or texts. ``arrays``, the name of the file that
        `read_arrays` takes, is among them unasked.
    defaults : mapping of str to object, optional
        Of those that earlier versions did not write.
    """
    facts = read_document(text)
    if facts.pop("format", None) != _FORMAT:
        raise ValueError("it is damaged, or of another lookalike's format")
    facts, expected = {**(defaults or {}), **facts}, {**expected, "arrays": str}
    for name in sorted(facts.keys() ^ expected.keys()):
        raise ValueError(f"its {name} is {'missing' if name in expected else 'not known here'}")
    for name, kinds in expected.items():
        value = facts[name]
        inside = value.values() if isinstance(value, dict) else ()
        if not isinstance(value, kinds) or not all(isinstance(each, float | int | str) for each in inside):
            raise ValueError(f"its {name} is {value!r}")
    return facts


def read_arrays(file: Path, expected: Mapping[str, tuple[npt.DTypeLike, int]]) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file, once it is sure that those expected have their types and dimensions."""
    content = file.read_bytes()
    if file.name != _file_name(content):
        raise ValueError(f"{file.name} is damaged")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name, (dtype, n_dimensions) in expected.items():
        if arrays[name].dtype != dtype or arrays[name].ndim != n_dimensions:
            raise ValueError(f"{name} is {arrays[name].dtype} of shape {arrays[name].shape}")
    return arrays


def _file_name(content: bytes) -> str:
    return f"arrays-{hashlib.sha256(content).hexdigest()[:16]}.npz"
