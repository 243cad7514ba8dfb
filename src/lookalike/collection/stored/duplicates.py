"""What comparing the images with one another has found, kept so that it need not be done again.

Layout
------
    duplicates/duplicates.json   the facts, with a checksum: which parts there are, and how far a run is
    duplicates/KIND-….npy        a part: rows of one kind, written once, never changed
    duplicates/whole.json        which parts were found whole, as long as they stay as they are

The facts are written last, in one stroke: a reader sees what was there, or what is there now. A run adds a
part whenever it has come a little further, and says in the same stroke how far: who is killed goes on from
there. Small parts are joined, so that there are as many as the number of rows has digits, about.

All of it is derived, and safe to delete. What is damaged, or of another version of lookalike, is as good as
not there, and is made anew by the next comparison. Arrays are mapped: a million images have hashes of 136 MB.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.duplicates.evidence import EVIDENCE
from lookalike.duplicates.evidence import VERSION as EVIDENCE_VERSION
from lookalike.duplicates.hashing import HASHES_VERSION
from lookalike.errors import StoreResourceError
from lookalike.hints import refusal, way_out
from lookalike.store import Turn, writer_lock
from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_folder, make_durable_folder
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import FoundWhole, read_document, sum_of, sum_of_file, summed, why_unread

FOLDER = "duplicates"
FACTS = "duplicates.json"

HASHES = np.dtype([("id", "<i8"), ("hashes", "<u8", (2, 8))])
"""An image, and its hashes; see `lookalike.duplicates.hashing`."""

COMPARED = np.dtype([("id", "<i8"), ("model", "<i2")])
"""An image that was compared with all others, and by the vectors of which model; -1 for none."""

PAIR = np.dtype([("a", "<i8"), ("b", "<i8")])
"""Two images of which one was laid on the other, and they are not alike; a < b."""

CANDIDATE = np.dtype([("a", "<i8"), ("b", "<i8"), ("turn", "u1"), ("closeness", "<f4")])
"""Two images that are to be compared in a run under way; see `lookalike.duplicates.candidates`."""

NEW = np.dtype([("id", "<i8")])
"""An image that a run under way compares."""

ROWS: Mapping[str, np.dtype[Any]] = {
    "hashes": HASHES,
    "compared": COMPARED,
    "evidence": EVIDENCE,
    "unlike": PAIR,
    "new": NEW,
    "candidates": CANDIDATE,
}
"""The kinds of parts."""

_FORMAT = 1
_VERSIONS = {"hashes": HASHES_VERSION, "evidence": EVIDENCE_VERSION}
_TRIES = 3  # to read while others write
_JOINED = 2  # a part is joined with those before it that are less than so many times as long
_KEPT = frozenset({FACTS, "whole.json", "lock", "lock.json"})
_OF_RUN = ("new", "candidates")
_WRONG = (ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError, OverflowError)

Rows = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in a file: its name, how many, its bytes, and their sum."""

    file: str
    n: int
    size: int
    sum: int


@dataclass(frozen=True, slots=True)
class Run:
    """A comparison under way.

    Attributes
    ----------
    model : str
        By whose vectors neighbors were found; empty for none.
    done : int
        How many of the candidates were compared.
    n_left_out : int
        Images of which not all candidates are compared.
    """

    model: str = ""
    done: int = 0
    n_left_out: int = 0


class Flaw(NamedTuple):
    """What was not read: rows of which kind, in which file, what is wrong, whether only the version is."""

    kind: str
    file: str
    reason: str
    is_version: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept.

    Attributes
    ----------
    parts : mapping of str to tuple of Part
        By kind, see `ROWS`.
    models : tuple of str
        Those that images were compared by.
    run : Run or None
    flaws : tuple of Flaw
        What was not read, as it is damaged or of another version: it is to be made anew.
    """

    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    run: Run | None = None
    flaws: tuple[Flaw, ...] = ()

    def count(self, kind: str) -> int:
        """Return how many rows of a kind there are."""
        return sum(part.n for part in self.parts.get(kind, ()))

    def without(self, *kinds: str) -> Facts:
        """Return the facts without the rows of some kinds."""
        return replace(self, parts={kind: each for kind, each in self.parts.items() if kind not in kinds})


class StoredDuplicates:
    """What is kept of duplicates in the collection in a ``.lookalike`` folder."""

    def __init__(self, collection: Path) -> None:
        self.folder = collection / FOLDER  # it need not be there
        self._whole = FoundWhole(self.folder)

    def look(self) -> FileIdentity | None:
        """Return which file the facts are in now, None if there are none; nothing is opened."""
        try:
            return FileIdentity.of(os.stat(self.folder / FACTS))
        except OSError:
            return None

    def read(self) -> Facts:
        """Return what is kept, without what is damaged or of another version.

        Raises
        ------
        StoreResourceError
            If the system does not let it be read.
        """
        for left in reversed(range(_TRIES)):
            try:
                return self._read()
            except FileNotFoundError:  # joined by a writer between the facts and it
                if not left:
                    raise
        raise AssertionError

    def _read(self) -> Facts:
        try:
            content = (self.folder / FACTS).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return Facts()
        except OSError as error:
            raise self._refused(error) from error
        try:
            facts = _parse(content)
        except _WRONG as error:
            return Facts(flaws=(Flaw("facts", FACTS, why_unread(error)),))
        flaws = list[Flaw]()
        for kind, parts in facts.parts.items():
            for part in parts:
                if (reason := self.wrong_with(kind, part)) is not None:
                    if (
                        not (self.folder / part.file).exists()
                        and (self.folder / FACTS).read_bytes() != content
                    ):
                        raise FileNotFoundError(self.folder / part.file)
                    flaws.append(Flaw(kind, part.file, reason))
        return _sound(replace(facts, flaws=(*facts.flaws, *flaws)), {flaw.kind for flaw in flaws})

    def wrong_with(self, kind: str, part: Part, anew: bool = False) -> str | None:
        """Say what is wrong with a part; None if nothing is. What was found whole is read again only `anew`.

        Raises
        ------
        StoreResourceError
            If the system does not let it be read.
        """
        file = self.folder / part.file
        try:
            if not anew and self._whole.has(part.file) and file.stat().st_size == part.size:
                return None
            identity = FileIdentity.of(os.stat(file))
            if identity.size != part.size or sum_of_file(file) != part.sum:
                return "it is not what was written"
            if _open(file).dtype != ROWS[kind]:
                return "its columns are of another version"
            self._whole.add({part.file: identity})
        except FileNotFoundError:
            return "it is missing"
        except OSError as error:
            if refusal(error) is not None and way_out(error) is not None:
                raise self._refused(error) from error
            return why_unread(error)
        except _WRONG as error:
            return why_unread(error)
        return None

    def rows(self, facts: Facts, kind: str) -> Rows:
        """Return the rows of a kind, in the order in which they came; mapped, where they are one part.

        Raises
        ------
        StoreResourceError
            If the system does not let them be read, or they were joined since the facts were read.
        """
        try:
            parts = [_open(self.folder / part.file) for part in facts.parts.get(kind, ())]
        except OSError as error:
            raise self._refused(error) from error
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty(0, ROWS[kind])

    def with_rows(self, *kinds: str) -> tuple[Facts, dict[str, Rows]]:
        """Return what is kept, and the rows of some kinds, of one state.

        Raises
        ------
        StoreResourceError
            If the system does not let it be read.
        """
        for left in reversed(range(_TRIES)):
            facts = self.read()
            try:
                return facts, {kind: self.rows(facts, kind) for kind in kinds}
            except StoreResourceError as error:  # joined meanwhile
                if not left or not isinstance(error.__cause__, FileNotFoundError):
                    raise
        raise AssertionError

    def write(
        self, facts: Facts, new: Mapping[str, Rows] | None = None, more: Mapping[str, Rows] | None = None
    ) -> Facts:
        """Keep rows, and say so in one stroke; the caller holds the lock, and has read these facts since.

        Parameters
        ----------
        facts : Facts
            What is to be there, beside these rows.
        new : mapping of str to rows, optional
            By kind: they take the place of those that were there.
        more : mapping of str to rows, optional
            By kind: they come behind those that are there.

        Returns
        -------
        Facts
            As they are now.

        Raises
        ------
        StoreResourceError
            If they cannot be written; all is as it was then.
        """
        parts = dict(facts.parts)
        try:
            make_durable_folder(self.folder)
            for kind, rows in (new or {}).items():
                parts[kind] = self._put(kind, rows)
            for kind, rows in (more or {}).items():
                if len(rows):
                    parts[kind] = self._join(kind, parts.get(kind, ()), rows)
            made = replace(facts, parts={kind: each for kind, each in parts.items() if each}, flaws=())
            replace_file(self.folder / FACTS, encoded(made), durable=True)
        except OSError as error:
            raise StoreResourceError(
                f"cannot write to {self.folder}: {error.strerror or error}", hint=way_out(error)
            ) from error
        self._sweep(made)
        return made

    def _join(self, kind: str, parts: tuple[Part, ...], rows: Rows) -> tuple[Part, ...]:
        kept, pieces, n = list(parts), [rows], len(rows)
        while kept and kept[-1].n < _JOINED * n:
            last = kept.pop()
            pieces.insert(0, _open(self.folder / last.file))
            n += last.n
        return (*kept, *self._put(kind, np.concatenate(pieces) if len(pieces) > 1 else rows))

    def _put(self, kind: str, rows: Rows) -> tuple[Part, ...]:
        if not len(rows):
            return ()
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(rows, ROWS[kind]), allow_pickle=False)
        content = buffer.getvalue()
        name = f"{kind}-{secrets.token_hex(6)}.npy"
        replace_file(self.folder / name, content, durable=True, names_flushed_later=True)
        self._whole.add({name: FileIdentity.of(os.stat(self.folder / name))})
        return (Part(name, len(rows), len(content), sum_of(content)),)

    def _sweep(self, facts: Facts) -> None:
        """Take away files that the facts do not name: of earlier states, and of who was killed."""
        named = {part.file for parts in facts.parts.values() for part in parts} | _KEPT
        with contextlib.suppress(OSError):
            for name in os.listdir(self.folder):
                if name not in named and not (name.startswith("whole.json") and name.endswith(".part")):
                    with contextlib.suppress(OSError):  # Windows keeps what somebody has mapped; another time
                        os.unlink(self.folder / name)

    def clear(self) -> None:
        """Take all away; the caller holds the lock.

        Raises
        ------
        StoreResourceError
            If it cannot be.
        """
        try:
            (self.folder / FACTS).unlink(missing_ok=True)
            flush_folder(self.folder)
        except OSError as error:
            raise StoreResourceError(
                f"cannot write to {self.folder}: {error.strerror or error}", hint=way_out(error)
            ) from error
        self._sweep(Facts())

    @contextlib.contextmanager
    def lock(self, work: str = "", watch: Watch = UNWATCHED) -> Iterator[None]:
        """Let nobody else compare meanwhile; who does is waited for, as long as it takes.

        Raises
        ------
        StoreResourceError
            If nothing can be written there.
        """
        try:
            make_durable_folder(self.folder)
        except OSError as error:
            raise StoreResourceError(
                f"cannot write to {self.folder}: {error.strerror or error}", hint=way_out(error)
            ) from error
        with writer_lock(self.folder, Turn(None, work, watch)):
            yield

    def _refused(self, error: OSError) -> StoreResourceError:
        return StoreResourceError(
            f"what is kept in {self.folder} cannot be read: {error.strerror or error}", hint=way_out(error)
        )


def _open(file: Path) -> Rows:
    found: Rows = np.load(file, mmap_mode="r", allow_pickle=False)
    return found


def _parse(content: bytes) -> Facts:
    """Return the facts in a file of them; what they say of other versions is among their flaws."""
    document = read_document(content)
    if document["format"] != _FORMAT:
        raise ValueError("it is damaged, or of another lookalike's format")
    parts = {
        str(kind): tuple(Part(str(file), int(n), int(size), int(sum_)) for file, n, size, sum_ in rows)
        for kind, rows in document["parts"].items()
    }
    if parts.keys() - ROWS.keys() or any(
        os.path.basename(each.file) != each.file for rows in parts.values() for each in rows
    ):
        raise ValueError("an entry of it is not known here")
    run = document["run"] and Run(*(document["run"][name] for name in ("model", "done", "n_left_out")))
    facts = Facts(parts, tuple(map(str, document["models"])), run or None)
    others = [kind for kind, version in _VERSIONS.items() if document["versions"][kind] != version]
    flaws = tuple(Flaw(kind, FACTS, f"its {kind} is of another version", True) for kind in others)
    if "hashes" in others:  # by other hashes, others would have been compared
        return Facts(flaws=flaws)
    return _sound(replace(facts, flaws=flaws), set(others))


def _sound(facts: Facts, broken: set[str]) -> Facts:
    """Return what is left of facts where the rows of some kinds are not what they are to be.

    Hashes can be made again by themselves, and so can a run; without the rest it is not known any more what
    was compared.
    """
    if not broken:
        return facts
    if broken <= {"hashes", "unlike"}:
        return facts.without(*broken)
    if broken <= {"hashes", "unlike", *_OF_RUN}:
        return replace(facts.without(*broken, *_OF_RUN), run=None)
    return Facts(
        {k: rows for k, rows in facts.parts.items() if k == "hashes" not in broken}, flaws=facts.flaws
    )


def encoded(facts: Facts) -> bytes:
    """Return facts as they stand in their file."""
    run = facts.run
    document = {
        "format": _FORMAT,
        "versions": dict(_VERSIONS),
        "parts": {
            kind: [[each.file, each.n, each.size, each.sum] for each in parts]
            for kind, parts in facts.parts.items()
        },
        "models": list(facts.models),
        "run": run and {"model": run.model, "done": run.done, "n_left_out": run.n_left_out},
    }
    return json.dumps(summed(document), indent=1).encode()
