"""The search indexes of a collection: made of its vectors, kept up to date with them, safe to delete.

Layout
------
    indexes/<model>-<kind>/<state>/    one index; `state` names the commit of the vectors that it is of
                           of exact search, only where the vectors lie in the table
                           origin.json how many vectors it was built with, how many changed since, and marks
                                       of some of them
    indexes/<model>-<kind>.lock        held by who makes one
    indexes/<model>.rewritten          how often vectors of the model were written anew under the same ids,
                                       twice; odd while that is under way
    indexes/<model>-ivf-rq/            what is known of the store's own index; see `lookalike.index.ivf_rq`

What lies under a state is whole, and of that state, whoever wrote it: it is made beside its place and then
renamed. A reader that finds it takes no lock. Who has searched before, and finds the index of another state
there, from which few have come or gone, searches that and these: see `lookalike.index.patched`. Others, and
where more have changed, take the lock, look again, and make
it: of the index that is there, by adding and removing, while no more than a tenth has changed since that was
built, all counted; anew otherwise. Who holds the lock removes what else lies there: older states, which
those who have them mapped keep, and what a killed process left. On a disk that cannot be written to, the
index is made in memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from lookalike.collection.columns import are_in
from lookalike.errors import IndexFileError, ResourceError, StoreResourceError
from lookalike.four_bits import CodedRows
from lookalike.index import kinds
from lookalike.index.contract import MOST_CHANGED, Index, Searcher, StoredSearcher
from lookalike.index.exact import Exact
from lookalike.index.kinds import AUTO, AUTO_KINDS, IndexKind, find_kind, load_index
from lookalike.index.patched import Patched
from lookalike.index.row_parts import RowParts, Stretch
from lookalike.store import Table
from lookalike.system.memo import Memo
from lookalike.system.memory import check_vectors_fit
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.system.renaming import rename
from lookalike.system.replace_file import replace_file
from lookalike.system.sums import read_document, summed
from lookalike.types import Ids, ImageId, Metric, Vectors

EXACT_BYTES = 1 << 29
"""Up to so many bytes of vectors, 100,000 of 1,280 numbers, "auto" is exact search.

There, a search takes some 20 ms, and half a second in a command that has to read the vectors from the disk
first: as long as the k-means tree takes to load its compiled code. (Measured with 50,000: exact 11 ms, in a
command 15 ms, from a cold disk 230 ms; k-means tree 0.7 ms, in a command 410 ms, from a cold disk 560 ms.)
"""

SAME_KIND = "same-kind"
"""What is kept of a model like an index, and is none: see `lookalike.collection.same_kind`."""

_MARKED = 16
_REWRITTEN = ".rewritten"
_MOST_PATCHED = 5_000  # vectors that came or went; to look through so many takes some milliseconds
_ASKED_AGAIN = 0.2  # seconds that are waited for a lock before it is asked whether to go on


@dataclass(frozen=True, slots=True)
class Origin:
    """What an index was built of, and what became of it.

    Attributes
    ----------
    built : int
        Vectors that it was built with.
    changed : int
        Vectors added and removed since.
    marks : dict of str to int
        Some ids, and checksums of their vectors: a model's table may have been deleted and made again.
    rewritten : int
        What `count_rewritten` gave before the table was read.
    """

    built: int
    changed: int
    marks: dict[str, int]
    rewritten: int = 0

    @classmethod
    def of(cls, ids: Ids, vectors: Vectors | RowParts, rewritten: int) -> Origin:
        """Return that of an index that has just been built of these."""
        some = np.linspace(0, len(ids) - 1, min(len(ids), _MARKED)).astype(int)
        return cls(len(ids), 0, _marks(ids[some], vectors[some]), rewritten)

    @classmethod
    def read(cls, folder: Path) -> Origin:
        """Return that of an index in a folder; raise IndexFileError if it is not what was written."""
        try:
            content = read_document((folder / "origin.json").read_bytes())
            built, changed, marks = content["built"], content["changed"], content["marks"]
            rewritten = int(content.get("rewritten", 0))  # earlier versions did not count
            marks = {str(image): int(mark) for image, mark in marks.items()}
            return cls(int(built), int(changed), marks, rewritten)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise IndexFileError(f"it is not known what the index in {folder} was built of") from error

    def write(self, folder: Path) -> None:
        """Write it beside an index."""
        (folder / "origin.json").write_text(json.dumps(summed(asdict(self))), encoding="utf-8")

    def is_of(self, table: Table, rewritten: int) -> bool:
        """Tell whether the table still holds the same vectors of the same ids.

        None may be in the middle of being written anew, nor have been since; and those that were marked are
        looked at, as the table may be another.
        """
        if rewritten % 2 or rewritten != self.rewritten:
            return False
        ids, vectors = table.vectors_of(map(int, self.marks))
        return len(ids) > 0 and _marks(ids, vectors).items() <= self.marks.items()


def read_origin(folder: Path) -> None:
    """Raise IndexFileError unless the origin of an index is what was written."""
    Origin.read(folder)


class _Opened(NamedTuple):
    """A searcher, the state of the table that it is of, and that of the index in it, where it is patched."""

    state: str
    searcher: Searcher
    index_state: str = ""


class Searchers:
    """What searches in the collection in a ``.lookalike`` folder; each is opened once, for all threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "indexes"
        self._opened: Memo[Path, _Opened] = Memo()

    def open(self, table: Table, name: str, metric: Metric, kind: str, watch: Watch = UNWATCHED) -> Searcher:
        """Return a searcher of a model's vectors as they are now.

        Parameters
        ----------
        table : Table
            The vectors.
        name, metric : str
            The model's.
        kind : str
            One of those that `lookalike.index.kinds.check_request` lets pass.
        watch : Watch
            Told what is being made, where that may take a while.
        """
        row = find_kind(choose_kind(table) if kind == AUTO else kind)
        place, state = self.folder / f"{name}-{row.name}", table.state()

        def make() -> _Opened:
            if row.is_of_store:
                return _open_stored(table, state, place, metric, row, watch)
            opened = self._opened.peek(place)
            patched = None if opened is None else _patch(opened, table, state, place, metric, row)
            return patched or _open(table, state, place, metric, row, watch)

        return self._opened.get(place, make, lambda opened: opened.state == state).searcher

    def vector_of(self, table: Table, name: str, image: ImageId) -> Vectors | None:
        """Return the vector of an image, (d,) float32; None if there is none.

        A searcher that is open has it at hand; to take a row out of the table takes a millisecond.
        """
        for kind in AUTO_KINDS:
            opened = self._opened.peek(self.folder / f"{name}-{kind}")
            if opened is not None and opened.state == table.state():
                vector = opened.searcher.vector_of(image)
                if vector is not None:
                    return vector
        _, vectors = table.vectors_of([image])
        return vectors[0] if len(vectors) else None

    def read_vectors(self, table: Table, name: str, metric: Metric) -> tuple[Ids, Vectors | RowParts]:
        """Return all vectors of a model: from the exact index, which is fast, if that is for so many."""
        if choose_kind(table) == Exact.kind:
            index = self.open(table, name, metric, Exact.kind)
            if isinstance(index, Exact):
                return index.ids, index.rows
        return table.read_vectors()


def choose_kind(table: Table) -> str:
    """Return the kind of index that is best for so many vectors."""
    n_bytes = 4 * table.count() * (table.dimension() or 0)
    few, many = AUTO_KINDS
    return few if n_bytes <= EXACT_BYTES else many


def forget_indexes(collection: Path, names: Iterable[str], is_done: bool) -> None:
    """Say that vectors of models are being written anew, or have been: by their ids, indexes would still fit.

    What a reader makes of the old ones in the meantime may well be put in its place after all; so they are
    counted, and then removed. Those that the store keeps are the table's own, which knows.

    Parameters
    ----------
    collection : Path
        The ``.lookalike`` folder, whose writer's lock is held.
    names : iterable of str
        The models.
    is_done : bool
        Whether all are written; called before with False.

    Raises
    ------
    StoreError
        If it cannot be said; nothing may be written then.
    """
    for name in names:
        before = count_rewritten(collection / "indexes", name)
        now = before + (before % 2 if is_done else 1 + before % 2)
        file = collection / "indexes" / f"{name}{_REWRITTEN}"
        try:
            file.parent.mkdir(exist_ok=True)
            replace_file(file, str(now).encode(), durable=True)
        except OSError as error:
            raise StoreResourceError(f"cannot write {file}: {error.strerror or error}") from error
        for row in kinds.KINDS:
            if not row.is_of_store:
                _remove(collection / "indexes" / f"{name}-{row.name}")
        _remove(collection / "indexes" / f"{name}-{SAME_KIND}")


def settle_indexes(collection: Path) -> None:
    """End what somebody began to write anew who was killed; the writer's lock is held."""
    for file in (collection / "indexes").glob(f"*{_REWRITTEN}"):
        name = file.name.removesuffix(_REWRITTEN)
        if count_rewritten(file.parent, name) % 2:
            forget_indexes(collection, [name], is_done=True)


def count_rewritten(indexes: Path, name: str) -> int:
    """Return how often vectors of a model began and ended to be written anew: odd while they are."""
    try:
        return int((indexes / f"{name}{_REWRITTEN}").read_text())
    except FileNotFoundError:
        return 0
    except (OSError, ValueError):  # then none is trusted but where it is of this very state
        return -1


def _open_stored(
    table: Table, state: str, place: Path, metric: Metric, row: IndexKind, watch: Watch
) -> _Opened:
    """Open the searcher that the store keeps, or have it made."""
    kind: type[StoredSearcher] = row.load()
    found = kind.open(table, place, metric)
    if found is not None:
        return _Opened(state, found)
    watch.say("building", f"making the {row.name} index of {table.count():,} images, or adding to it")
    # It may be a makeshift, while another process writes: it is looked for again when it is next asked for.
    return _Opened("", kind.make(table.live(), place, metric, place.parents[1], watch))


def _patch(
    opened: _Opened, table: Table, state: str, place: Path, metric: Metric, row: IndexKind
) -> _Opened | None:
    """Return an index of another state with what differs; None where that is much, or there is none.

    The one that was opened before, while it lies there: it does not where another process has made a newer
    one, or the vectors were made anew under the same ids.
    """
    if (place / state).is_dir():
        return None
    rewritten = count_rewritten(place.parent, place.name.removesuffix(f"-{row.name}"))
    index, index_state = opened.searcher, opened.index_state or opened.state
    come: tuple[Ids, Vectors] | None = None
    if isinstance(index, Patched):
        come, index = index.come, index.index
    try:
        if not (place / index_state).is_dir():
            folders = sorted(each for each in place.iterdir() if each.suffix != ".part")
            index_state, come = folders[-1].name if folders else "", None
            index = _load(place / index_state, metric, row)
        if not isinstance(index, Index) or not Origin.read(place / index_state).is_of(table, rewritten):
            return None
    except (IndexFileError, OSError):
        return None
    known, there = np.sort(index.ids), np.sort(table.read(["id"])["id"].to_numpy())
    gone, new = known[~are_in(known, there)], there[~are_in(there, known)]
    if len(new) > _MOST_PATCHED or len(gone) > min(_MOST_PATCHED, len(known) // 2):
        return None
    if not len(new) and not len(gone):
        return _Opened(state, index, index_state)
    if come is None or not len(come[0]):
        come = table.vectors_of(new)
    else:
        kept, rest = np.isin(come[0], new), new[~np.isin(new, come[0])]
        more = table.vectors_of(rest) if len(rest) else (rest, come[1][:0])
        come = np.concatenate([come[0][kept], more[0]]), np.concatenate([come[1][kept], more[1]])
    return _Opened(state, Patched(index, gone, *come), index_state)


def _open(table: Table, state: str, place: Path, metric: Metric, row: IndexKind, watch: Watch) -> _Opened:
    """Open the index of a state of the table, or make one of the table as it is now."""
    # One that is not there or not whole is made: the vectors are its source.
    with contextlib.suppress(IndexFileError):
        return _Opened(state, _load(place / state, metric, row))
    with lock_index(place, watch) as may_write:
        state = table.state()  # which may have moved on, as may have the index
        with contextlib.suppress(IndexFileError):
            return _Opened(state, _load(place / state, metric, row))
        index, origin = _bring_up_to_date(table, place, metric, row, watch)
        if may_write and len(index) and table.is_newest():
            with contextlib.suppress(OSError, IndexFileError, ResourceError):  # a full disk
                put_index(index, origin, place / state)
                index = _load(place / state, metric, row)  # memory-mapped
        return _Opened(state, index)


def _bring_up_to_date(
    table: Table, place: Path, metric: Metric, row: IndexKind, watch: Watch
) -> tuple[Index, Origin | Path]:
    """Return an index of the vectors as they are now, made of the one that is there if it may be.

    With it comes its origin; or its folder, if that is what is there, unchanged.
    """
    rewritten = count_rewritten(place.parent, place.name.removesuffix(f"-{row.name}"))
    if row.name == Exact.kind:
        return _map_exact(table, place, metric, row, rewritten, watch)
    for folder in sorted(place.iterdir(), reverse=True) if place.is_dir() else ():
        with contextlib.suppress(IndexFileError):
            index, origin = _load(folder, metric, row), Origin.read(folder)
            ids = table.read(["id"])["id"].to_numpy()
            gone, new = np.setdiff1d(index.ids, ids), np.setdiff1d(ids, index.ids)
            changed = origin.changed + len(gone) + len(new)
            if changed > MOST_CHANGED * origin.built or not origin.is_of(table, rewritten):
                continue
            if not len(gone) and not len(new):
                return index, folder
            watch.say(
                "building", f"adding {len(new):,} images to the {row.name} index, removing {len(gone):,}"
            )
            if len(gone):
                index.remove(gone)
            if len(new):
                index.add(*table.vectors_of(new))
            return index, replace(origin, changed=changed)
    check_vectors_fit(table.count(), table.dimension() or 0)
    ids, vectors = table.read_vectors()
    index = load_index(row.name)(metric)
    if len(ids):
        watch.say("building", f"making the {row.name} index of {len(ids):,} images")
        index.build(vectors, ids, **watch.told)
    return index, Origin.of(ids, vectors, rewritten)


def _map_exact(
    table: Table, place: Path, metric: Metric, row: IndexKind, rewritten: int, watch: Watch
) -> tuple[Index, Origin]:
    """Return the exact index of the vectors as they are now, where they lie in the table."""
    watch.say("building", f"making the {row.name} index of {table.count():,} images")
    index, lying = Exact(metric), table.lying_vectors()
    if not lying:
        return index, Origin.of(index.ids, index.vectors, rewritten)
    places = [
        None
        if each.file is None
        else Stretch(each.file, each.offset, len(each.ids), isinstance(each.vectors, CodedRows))
        for each in lying
    ]
    rows, ids = (
        RowParts([each.vectors for each in lying], places),
        np.concatenate([each.ids for each in lying]),
    )
    index.build_of_parts(rows, ids)
    for folder in sorted(place.iterdir(), reverse=True) if place.is_dir() else ():
        with contextlib.suppress(IndexFileError):
            if Origin.read(folder).is_of(table, rewritten):
                before = _load(folder, metric, row)
                if isinstance(before, Exact):
                    index.take_bytes_of(before)
                    break
    return index, Origin.of(ids, rows, rewritten)


def _load(folder: Path, metric: Metric, row: IndexKind) -> Index:
    index = load_index(row.name).load(folder)
    if index.metric != metric:
        raise IndexFileError(f"the index in {folder} is for {index.metric} distances; expected {metric}")
    return index


class Savable(Protocol):
    """What can be kept as an index is."""

    def save(self, folder: Path) -> None:
        """Write it to a folder, replacing what is there."""


def put_index(index: Savable, origin: Origin | Path, folder: Path) -> None:
    """Save an index in its place, which must be locked, and remove what else is there."""
    part = folder.with_name(f"{folder.name}.part")
    try:
        if isinstance(origin, Path):
            part = origin
        else:
            _remove(part)
            index.save_parts(part) if isinstance(index, Exact) else index.save(part)
            origin.write(part)
        _remove(folder)  # damaged, if it is there
        rename(part, folder)
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
def lock_index(place: Path, watch: Watch) -> Iterator[bool]:
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
            while not lock.is_locked:
                watch.say("waiting", "another lookalike is making this index; waiting for it")
                with contextlib.suppress(filelock.Timeout):
                    lock.acquire(timeout=_ASKED_AGAIN)
    except (OSError, NotImplementedError):  # a read-only disk, or one without locks
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _marks(ids: Ids, vectors: Vectors) -> dict[str, int]:
    return {str(int(image)): zlib.crc32(vector.tobytes()) for image, vector in zip(ids, vectors, strict=True)}
