"""What is to be done with duplicates: which files go, and what stays for each."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, overload

from lookalike.duplicates.kinds import KINDS, DuplicateKind
from lookalike.errors import InvalidInputError
from lookalike.images.hashing import id_of
from lookalike.results.documents import Result, rounded
from lookalike.results.notebook import show_facts
from lookalike.system.checked_calls import checked, shown
from lookalike.system.file_names import escape, unescape
from lookalike.system.output import write_output
from lookalike.system.plain_files import read_named
from lookalike.system.wording import count_of
from lookalike.types import ImageId

FORMAT = "lookalike duplicate plan"
VERSION = 1
_LONGEST = 2**63


@checked
@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file of a plan, as it was when the plan was made.

    Attributes
    ----------
    path : str
        Absolute.
    sha256 : str
        Of its content: 64 hexadecimal digits.
    size : int
        Bytes.
    mtime_ns : int
        When it was last written to.
    """

    path: str
    sha256: str
    size: int
    mtime_ns: int

    @property
    def image(self) -> ImageId:
        """The image that has this content."""
        return id_of(bytes.fromhex(self.sha256))

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "path": path(self.path),
            "sha256": self.sha256,
            "size": self.size,
            "mtime_ns": self.mtime_ns,
        }


@checked
@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file that stays where it is, and why."""

    path: str
    why: str

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {"path": path(self.path), "why": self.why}


@checked
@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A file that is to go, and the one that stays for it.

    Attributes
    ----------
    keep, go : PlannedFile
    kind : str
        What the two are to each other.
    probability : float
        That they are.
    belongings : tuple of PlannedFile
        What goes with it.
    stays : tuple of LeftFile
        What belongs to it, and is left behind.
    passes_on : tuple of str
        What is said of it, in words, that stands for what is kept from then on.
    """

    keep: PlannedFile
    go: PlannedFile
    kind: DuplicateKind
    probability: float
    belongings: tuple[PlannedFile, ...] = ()
    stays: tuple[LeftFile, ...] = ()
    passes_on: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes go."""
        return self.go.size + sum(each.size for each in self.belongings)

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "keep": self.keep.to_dict(path),
            "go": self.go.to_dict(path),
            "kind": self.kind,
            "probability": rounded(self.probability),
            "belongings": [each.to_dict(path) for each in self.belongings],
            "stays": [each.to_dict(path) for each in self.stays],
            "passes_on": list(self.passes_on),
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True, repr=False)
class DuplicatePlan(Result, Sequence[PlannedRow]):
    """Which files are to go, and what stays for each; a sequence of rows.

    Attributes
    ----------
    collection : str
        The ``.lookalike`` folder that it is of.
    made : str
        When, as ISO 8601 writes it.
    rows : tuple of PlannedRow
    left_out : tuple of LeftFile
        Files that would have gone, and why they do not.
    """

    collection: str
    made: str
    rows: tuple[PlannedRow, ...]
    left_out: tuple[LeftFile, ...] = ()

    @property
    def size(self) -> int:
        """How many bytes go."""
        return sum(each.size for each in self.rows)

    @property
    def n_files(self) -> int:
        """How many files go, with what belongs to them."""
        return sum(1 + len(each.belongings) for each in self.rows)

    def __len__(self) -> int:
        """Return how many pictures go."""
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> PlannedRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[PlannedRow, ...]: ...
    def __getitem__(self, index: int | slice) -> PlannedRow | tuple[PlannedRow, ...]:
        """Return a row, or some."""
        return self.rows[index]

    def __iter__(self) -> Iterator[PlannedRow]:
        """Go through the rows."""
        return iter(self.rows)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "collection": path(self.collection),
            "made": self.made,
            "files": self.n_files,
            "bytes": self.size,
            "rows": [each.to_dict(path) for each in self.rows],
            "left_out": [each.to_dict(path) for each in self.left_out],
        }

    def __repr__(self) -> str:
        return f"<DuplicatePlan: {count_of(self.n_files, 'file')} to go, {self.size:,} bytes>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook."""
        facts = {"files": self.n_files, "bytes": self.size, "left out": len(self.left_out)}
        return show_facts("plan for duplicates", facts)

    def save(self, file: str | os.PathLike[str], *, force: bool = False) -> None:
        r"""Write the plan to a file, from which `load` reads it.

        Paths are written so that UTF-8 can hold them: ``\xe9`` for a byte that it cannot, ``\\`` for ``\``.

        Raises
        ------
        ConflictError
            If something is there.
        ResourceError
            If the file cannot be written.
        """
        text = json.dumps(self.to_dict(escape), ensure_ascii=False, indent=1)
        write_output(Path(file), f"{text}\n".encode(), force=force)

    @classmethod
    def load(cls, file: str | os.PathLike[str]) -> Self:
        """Read a plan, which may have been edited by hand: rows taken out, kept and gone swapped.

        Raises
        ------
        InvalidInputError
            If it cannot be read, or is no plan that could be followed: if a file that is to be kept is to go,
            say.
        """
        try:
            document = json.loads(read_named(Path(file)).decode("utf-8"))
        except OSError as error:
            raise InvalidInputError(f"cannot read {file}: {error.strerror or error}", field="file") from error
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{file} is no JSON in UTF-8 ({error})", field="file") from error
        try:
            return cls.from_dict(document)
        except InvalidInputError as error:
            raise error.amended(before=f"{file}: ") from error

    @classmethod
    def from_dict(cls, document: Any) -> Self:
        """Return the plan that a document of JSON says, which `to_dict` gave, with escaped paths.

        Raises
        ------
        InvalidInputError
            If it is none.
        """
        reading = _Reading("the document", document)
        if reading.get("format", str) != FORMAT:
            raise InvalidInputError(f"it is no plan for duplicates: format is not {FORMAT!r}")
        if reading.get("version", int) != VERSION:
            raise InvalidInputError(
                f"version is {shown(reading.get('version', int))}; expected {VERSION}",
                hint="make the plan anew with this lookalike",
            )
        rows = tuple(_read_row(each) for each in reading.all("rows"))
        left = tuple(_read_left(each) for each in reading.all("left_out", is_needed=False))
        made = cls(reading.path("collection"), reading.get("made", str), rows, left)
        check_plan(made)
        return made


def check_plan(plan: DuplicatePlan) -> None:
    """Raise InvalidInputError if a plan could leave a group without a file, or is at odds with itself."""
    going: set[str] = set()
    for number, row in enumerate(plan.rows):
        for each in (row.go, *row.belongings):
            if each.path in going:
                raise InvalidInputError(f"row {number}: {each.path} goes twice", field="rows")
            going.add(each.path)
    for number, row in enumerate(plan.rows):
        if row.keep.path in going:
            raise InvalidInputError(
                f"row {number}: {row.keep.path} is to be kept, and to go as well", field="rows"
            )
        folder = os.path.dirname(row.go.path)
        for each in row.belongings:
            if os.path.dirname(each.path) != folder:
                raise InvalidInputError(
                    f"row {number}: {each.path} does not lie beside {row.go.path}, to which it should belong",
                    field="rows",
                )
        if row.kind == "identical" and row.keep.sha256 != row.go.sha256:
            raise InvalidInputError(f"row {number}: its files are identical, but their sha256 differ")


class _Reading:
    """A document as it is read; what is wrong is said of the place where it stands."""

    def __init__(self, place: str, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise InvalidInputError(f"{place} is {shown(document)}; expected an object")
        self._place, self._document = place, document

    def get(self, name: str, kind: type) -> Any:
        """Return a value of a kind."""
        if name not in self._document:
            raise InvalidInputError(f"{self._place} has no {name!r}", field=name)
        value = self._document[name]
        is_fit = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
        if kind is float:
            is_fit = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_fit:
            words = {str: "a text", int: "a whole number", float: "a number", list: "a list"}[kind]
            raise InvalidInputError(f"{self._place}: {name} is {shown(value)}; expected {words}", field=name)
        return value

    def path(self, name: str) -> str:
        """Return an absolute path."""
        path = unescape(self.get(name, str))
        if "\0" in path or not os.path.isabs(path) or ".." in Path(path).parts:
            raise InvalidInputError(
                f"{self._place}: {name} is {shown(path)}; expected an absolute path", field=name
            )
        try:
            os.fsencode(path)
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                f"{self._place}: {name} is {shown(path)}, which no file can be called", field=name
            ) from error
        return os.path.normpath(path)

    def all(self, name: str, is_needed: bool = True) -> list[_Reading]:
        """Return the objects of a list."""
        if not is_needed and name not in self._document:
            return []
        found = self.get(name, list)
        inside = "" if self._place == "the document" else f"{self._place}, "
        return [_Reading(f"{inside}{name}[{number}]", each) for number, each in enumerate(found)]

    def one(self, name: str) -> _Reading:
        """Return an object."""
        return _Reading(f"{self._place}, {name}", self.get_any(name))

    def get_any(self, name: str) -> Any:
        """Return a value of any kind."""
        if name not in self._document:
            raise InvalidInputError(f"{self._place} has no {name!r}", field=name)
        return self._document[name]

    def count(self, name: str) -> int:
        """Return a whole number from 0 on."""
        value: int = self.get(name, int)
        if not 0 <= value < _LONGEST:
            raise InvalidInputError(f"{self._place}: {name} is {shown(value)}; expected one from 0 on")
        return value

    def file(self) -> PlannedFile:
        """Return it as a file."""
        sha256 = self.get("sha256", str)
        if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
            raise InvalidInputError(
                f"{self._place}: sha256 is {shown(sha256)}; expected 64 hexadecimal digits", field="sha256"
            )
        mtime_ns: int = self.get("mtime_ns", int)
        return PlannedFile(self.path("path"), sha256, self.count("size"), mtime_ns)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts that need not be there."""
        found = self.get(name, list) if name in self._document else []
        if not all(isinstance(each, str) for each in found):
            raise InvalidInputError(f"{self._place}: {name} is {shown(found)}; expected texts", field=name)
        return tuple(found)


def _read_row(reading: _Reading) -> PlannedRow:
    kind, probability = reading.get("kind", str), float(reading.get("probability", float))
    if kind not in KINDS:
        raise InvalidInputError(f"kind is {shown(kind)}; expected one of {', '.join(KINDS)}", field="kind")
    if not 0 <= probability <= 1:
        raise InvalidInputError(f"probability is {probability:g}; expected 0 to 1", field="probability")
    return PlannedRow(
        reading.one("keep").file(),
        reading.one("go").file(),
        kind,
        probability,
        tuple(each.file() for each in reading.all("belongings", is_needed=False)),
        tuple(_read_left(each) for each in reading.all("stays", is_needed=False)),
        reading.texts("passes_on"),
    )


def _read_left(reading: _Reading) -> LeftFile:
    return LeftFile(reading.path("path"), reading.get("why", str))
