"""The search indexes of a collection: made of its vectors, kept up to date with them, safe to delete.

Layout
------
    indexes/<model>-<kind>/<state>/    one index; `state` names the commit of the vectors that it is of
                           origin.json how many vectors it was built with, how many changed since, and marks
                                       of some of them
    indexes/<model>-<kind>.lock        held by who makes one
    indexes/<model>-ivf-rq/            what is known of the store's own index; see `ivf_rq`

What lies under a state is whole, and of that state, whoever wrote it: it is made beside its place and then
renamed. A reader that finds it takes no lock. Who does not find it takes the lock, looks again, and makes
it: of the index that is there, by adding and removing, while no more than a tenth has changed since that was
built, all counted; anew otherwise. Who holds the lock removes what else lies there: older states, which
those who have them mapped keep, and what a killed process left. On a disk that cannot be written to, the
index is made in memory.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lookalike.collection.ivf_rq import CHANGED, IvfRq, make_ivf_rq, open_ivf_rq
from lookalike.errors import IndexFileError, InvalidInputError
from lookalike.index import Exact, Index
from lookalike.index.kinds import KINDS, get_kind
from lookalike.store import Table
from lookalike.system.memo import Memo
from lookalike.system.memory import check_vectors_fit
from lookalike.types import Ids, Metric, Vectors

AUTO = "auto"
EXACT_BYTES = 1 << 29
"""Up to so many bytes of vectors, 100,000 of 1,280 numbers, "auto" is exact search.

There, a search takes some 20 ms, and half a second in a command that has to read the vectors from the disk
first: as long as the k-means tree takes to load its compiled code. (Measured with 50,000: exact 11 ms, in a
command 15 ms, from a cold disk 230 ms; k-means tree 0.7 ms, in a command 410 ms, from a cold disk 560 ms.)
"""

_NAMES = (AUTO, *KINDS, IvfRq.kind)
_MARKED = 16

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Origin:
    """What an index was built of, and what became of it.

    Attributes
    ----------
    built : int
        Vectors that it was built with.
    changed : int
        Vectors added and removed since.
    marks : dict of str to int
        Some ids, and checksums of their vectors: a model's table may have been deleted and made again.
    """

    built: int
    changed: int
    marks: dict[str, int]

    @classmethod
    def of(cls, ids: Ids, vectors: Vectors) -> _Origin:
        some = np.linspace(0, len(ids) - 1, min(len(ids), _MARKED)).astype(int)
        return cls(len(ids), 0, _marks(ids[some], vectors[some]))

    @classmethod
    def read(cls, folder: Path) -> _Origin:
        try:
            content = json.loads((folder / "origin.json").read_text(encoding="utf-8"))
            built, changed, marks = content["built"], content["changed"], content["marks"]
            return cls(int(built), int(changed), {str(image): int(mark) for image, mark in marks.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise IndexFileError(f"it is not known what the index in {folder} was built of") from error

    def write(self, folder: Path) -> None:
        (folder / "origin.json").write_text(json.dumps(asdict(self)), encoding="utf-8")

    def is_of(self, table: Table) -> bool:
        """Tell whether the table still holds the vectors that were marked."""
        ids, vectors = table.vectors_of(map(int, self.marks))
        return len(ids) > 0 and _marks(ids, vectors).items() <= self.marks.items()


class _Opened(NamedTuple):
    """A searcher, and the state of the table that it is of."""

    state: str
    searcher: Index


class Searchers:
    """The indexes of the collection in a ``.lookalike`` folder; each is opened once, for all threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "indexes"
        self._opened: Memo[Path, _Opened] = Memo()

    def open(
        self, table: Table, name: str, metric: Metric, kind: str, report: Report = lambda words: None
    ) -> Index | IvfRq:
        """Return an index of a model's vectors as they are now.

        Parameters
        ----------
        table : Table
            The vectors.
        name, metric : str
            The model's.
        kind : str
            "auto", or one of those that `check_request` lets pass.
        report : callable
            Told what is being made, where that may take a while.
        """
        kind = choose_kind(table) if kind == AUTO else kind
        place = self.folder / f"{name}-{kind}"
        if kind == IvfRq.kind:
            found = open_ivf_rq(table, place, metric)
            if found is None:
                report(f"making the {kind} index of {table.count():,} images, or adding to it")
                found = make_ivf_rq(table, place, metric, self.folder.parent)
            return found
        state = table.state()
        opened = self._opened.get(
            place,
            lambda: _open(table, state, place, metric, kind, report),
            lambda opened: opened.state == state,
        )
        return opened.searcher

    def read_vectors(self, table: Table, name: str, metric: Metric) -> tuple[Ids, Vectors]:
        """Return all vectors of a model: from the exact index, which is fast, if that is for so many."""
        if choose_kind(table) == Exact.kind:
            index = self.open(table, name, metric, Exact.kind)
            if isinstance(index, Exact):
                return index.ids, index.vectors
        return table.read_vectors()


def choose_kind(table: Table) -> str:
    """Return the kind of index that is best for so many vectors."""
    n_bytes = 4 * table.count() * (table.dimension() or 0)
    return Exact.kind if n_bytes <= EXACT_BYTES else "kmeans-tree"


def check_request(kind: str, mode: str | None) -> None:
    """Raise InvalidInputError unless there is such a kind of index, and it can be asked in such a mode."""
    if not is_kind(kind):
        raise InvalidInputError(f"there is no index {kind!r}; expected one of {', '.join(_NAMES)}")
    if mode is not None and not has_modes(kind):
        with_modes = " or ".join(name for name in KINDS if has_modes(name))
        raise InvalidInputError(
            f"mode is {mode!r}, but the index {kind} has no modes"
            + (f"; name index {with_modes}" if with_modes else "")
        )


def is_kind(name: str) -> bool:
    """Tell whether this is the name of a kind of index."""
    return name in _NAMES


def has_modes(kind: str) -> bool:
    """Tell whether an index of this kind can be asked in several ways."""
    return kind in KINDS and "mode" in inspect.signature(KINDS[kind].search).parameters


def forget_indexes(collection: Path, names: Iterable[str]) -> None:
    """Remove the indexes of models whose vectors are made anew: by their ids they would still fit.

    Those of `IvfRq` are the table's own, which knows.
    """
    for name in names:
        for kind in KINDS:
            _remove(collection / "indexes" / f"{name}-{kind}")


def _open(table: Table, state: str, place: Path, metric: Metric, kind: str, report: Report) -> _Opened:
    """Open the index of a state of the table, or make one of the table as it is now."""
    # One that is not there or not whole is made: the vectors are its source.
    with contextlib.suppress(IndexFileError):
        return _Opened(state, _load(place / state, metric, kind))
    with _lock(place, report) as may_write:
        state = table.state()  # which may have moved on, as may have the index
        with contextlib.suppress(IndexFileError):
            return _Opened(state, _load(place / state, metric, kind))
        index, origin = _bring_up_to_date(table, place, metric, kind, report)
        if may_write and len(index):
            with contextlib.suppress(OSError, IndexFileError):  # a full disk
                _put(index, origin, place / state)
                index = _load(place / state, metric, kind)  # memory-mapped
        return _Opened(state, index)


def _bring_up_to_date(
    table: Table, place: Path, metric: Metric, kind: str, report: Report
) -> tuple[Index, _Origin | Path]:
    """Return an index of the vectors as they are now, made of the one that is there if it may be.

    With it comes its origin; or its folder, if that is what is there, unchanged.
    """
    for folder in sorted(place.iterdir(), reverse=True) if place.is_dir() else ():
        with contextlib.suppress(IndexFileError):
            index, origin = _load(folder, metric, kind), _Origin.read(folder)
            ids = table.read(["id"])["id"].to_numpy()
            gone, new = np.setdiff1d(index.ids, ids), np.setdiff1d(ids, index.ids)
            changed = origin.changed + len(gone) + len(new)
            if changed > CHANGED * origin.built or not origin.is_of(table):
                continue
            if not len(gone) and not len(new):
                return index, folder
            report(f"adding {len(new):,} images to the {kind} index, removing {len(gone):,}")
            if len(gone):
                index.remove(gone)
            if len(new):
                index.add(*table.vectors_of(new))
            return index, _Origin(origin.built, changed, origin.marks)
    check_vectors_fit(table.count(), table.dimension() or 0)
    ids, vectors = table.read_vectors()
    index = get_kind(kind)(metric)
    if len(ids):
        report(f"making the {kind} index of {len(ids):,} images")
        index.build(vectors, ids)
    return index, _Origin.of(ids, vectors)


def _load(folder: Path, metric: Metric, kind: str) -> Index:
    index = get_kind(kind).load(folder)
    if index.metric != metric:
        raise IndexFileError(f"the index in {folder} is for {index.metric} distances; expected {metric}")
    return index


def _put(index: Index, origin: _Origin | Path, folder: Path) -> None:
    """Save an index in its place, which must be locked, and remove what else is there."""
    part = folder.with_name(f"{folder.name}.part")
    try:
        if isinstance(origin, Path):
            part = origin
        else:
            _remove(part)
            index.save(part)
            origin.write(part)
        _remove(folder)  # damaged, if it is there
        part.rename(folder)
    finally:
        for other in list(folder.parent.iterdir()):
            if other != folder:
                _remove(other)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(place: Path, report: Report) -> Iterator[bool]:
    """Hold the lock of one kind of index of one model; give whether it can be written."""
    import filelock

    lock = filelock.FileLock(place.with_name(f"{place.name}.lock"))
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not os.access(place, os.W_OK):
            raise PermissionError
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            report("another lookalike is making this index; waiting for it")
            lock.acquire()
    except (OSError, NotImplementedError):  # a read-only disk, or one without locks
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _marks(ids: Ids, vectors: Vectors) -> dict[str, int]:
    return {str(int(image)): zlib.crc32(vector.tobytes()) for image, vector in zip(ids, vectors, strict=True)}
