"""The columns of a collection in memory: where its images lie, and what they are.

A row a file, as they stand in the table, and a row an image, by id. Each column is read when it is first
asked for, and kept: who wants to know of sizes alone reads two columns. So a command that asks once reads
hardly more than the table would for it, and a process that stays has all in memory.

Paths are kept in two parts: the folders, each once, and the names. Words are numbers, as small as they may
be. So a million files whose names have 16 letters, and their images, take 140 MB, all columns counted.
"""

from __future__ import annotations

import contextlib
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.collection.coding import Coded, CodedLists, Codes, code_lists, code_words, small_codes
from lookalike.errors import CollectionConflictError, LookalikeError
from lookalike.images.finding.spelling import composed
from lookalike.images.palette import MAX_COLORS
from lookalike.query.facts import fold
from lookalike.store import Table
from lookalike.system.checked_calls import checked
from lookalike.system.memo import Memo
from lookalike.types import Ids, ImageId

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

NO_RATING = -128
"""Stands among ratings for none."""

Read = Callable[[Sequence[str]], "pa.Table"]
"""Gives columns of a table, each time in the same order; null where it has none of that name."""


@checked
class Columns:
    """Columns that are read when they are first asked for. Several threads may use them.

    Parameters
    ----------
    read : callable
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept: Memo[str, Any] = Memo()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _keep(self, name: str, make: Callable[[], T]) -> T:
        def protected() -> T:
            made = make()
            if isinstance(made, np.ndarray):
                made.flags.writeable = False  # all share it
            return made

        found: T = self._kept.get(name, protected)
        return found

    def _column(self, name: str) -> pa.ChunkedArray:
        return self._read([name])[name]

    @property
    def n_bytes(self) -> int:
        """What the columns that have been read so far take in memory."""
        return sum(_n_bytes(kept) for kept in self._kept.values())

    def __reduce__(self) -> NoReturn:
        """Raise CollectionError: they are read when they are asked for, from tables open in this process."""
        raise CollectionConflictError(
            "the columns of a snapshot cannot be pickled, as they are read from tables open in this process",
            hint="pickle the arrays that are wanted",
        )


@checked
class FileColumns(Columns):
    """Where images lie: a row a file, in no particular order, which is the same for all columns."""

    def read_beside(self) -> bool:
        """Read what tells where images lie in a thread of its own, once; tell whether it is still at it."""

        def start() -> threading.Thread:
            reader = threading.Thread(target=self._read_all, name="lookalike-columns")
            reader.start()
            return reader

        reader: threading.Thread = self._kept.get("reader", start)
        return reader.is_alive()

    def _read_all(self) -> None:
        with contextlib.suppress(LookalikeError):  # who needs it then tries himself
            for name in ("by_id", "by_path", "coded_labels", "folders"):  # see has_paths
                getattr(self, name)

    @property
    def ids(self) -> Ids:
        """Of the images: (n,) int64."""
        return self._keep("ids", lambda: _numbers(self._column("id")))

    @property
    def by_id(self) -> npt.NDArray[np.int64]:
        """The rows, by id: (n,)."""
        return self._keep("by_id", lambda: np.argsort(self.ids, kind="stable"))

    @property
    def images(self) -> Ids:
        """The images that lie anywhere, each once, rising: (m,) int64."""

        def distinct() -> Ids:
            rising = np.sort(self.ids)
            is_first = np.ones(len(rising), bool)
            is_first[1:] = rising[1:] != rising[:-1]
            return rising[is_first]

        return self._keep("images", distinct)

    @property
    def by_path(self) -> npt.NDArray[np.int32]:
        """The rows, by stored path: (n,)."""

        def sort() -> npt.NDArray[np.int32]:
            import pyarrow.compute as pc

            order = pc.sort_indices(self._column("path").combine_chunks()).to_numpy()
            return np.asarray(order, np.int32)

        return self._keep("by_path", sort)

    @property
    def folders(self) -> pa.StringArray:
        """Each once, as stored paths begin: ``photos:2019/lake/``."""
        return self._parts[0]

    @property
    def folder_codes(self) -> npt.NDArray[np.signedinteger[Any]]:
        """Which of them: (n,)."""
        return self._parts[1]

    @property
    def coded_folders(self) -> Coded:
        """The folders of all rows, without their names: a number each, as text."""

        def number() -> Coded:
            return Coded(tuple(map(str, range(len(self.folders)))), self.folder_codes)

        return self._keep("folder numbers", number)

    @property
    def names(self) -> pa.StringArray:
        """What follows the folder: (n,)."""
        return self._parts[2]

    @property
    def has_paths(self) -> bool:
        """Whether paths have been read, so that it takes no time to look some up."""
        return self._kept.has("parts")

    @property
    def _parts(self) -> tuple[pa.StringArray, Codes, pa.StringArray]:
        return self._keep("parts", lambda: _split(self._column("path").combine_chunks()))

    @property
    def labels(self) -> tuple[str, ...]:
        """Those of folders and data sets, each once."""
        return self.coded_labels.values

    @property
    def label_codes(self) -> npt.NDArray[np.signedinteger[Any]]:
        """Which of them: (n,); -1 for none."""
        return self.coded_labels.codes

    @property
    def coded_labels(self) -> Coded:
        """The labels of folders and data sets; one may have been kept in two spellings."""
        return self._keep("label", lambda: code_words(self._column("label"), composed))

    @property
    def splits(self) -> Coded:
        """Of data sets: train and test."""
        return self._keep("split", lambda: code_words(self._column("split")))

    def __len__(self) -> int:
        return len(self.ids)

    def begin_with(self, beginnings: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which stored paths begin with any of these, which end where folders do: (n,)."""
        import pyarrow.compute as pc

        # To take all paths apart takes longer than to look at each once.
        is_apart = self._kept.has("parts")
        texts = self.folders if is_apart else self._column("path").combine_chunks()
        found = np.zeros(len(texts), bool)
        for start in beginnings:
            with contextlib.suppress(UnicodeEncodeError):  # what is spelled so is not stored
                found |= pc.starts_with(texts, start).to_numpy(zero_copy_only=False)
        return found[self.folder_codes] if is_apart else found

    def path(self, row: int) -> str:
        """Return the stored path of a row."""
        return f"{self.folders[int(self.folder_codes[row])].as_py()}{self.names[row].as_py()}"

    def paths(self) -> list[str]:
        """Return the stored paths of all rows."""
        folders = self.folders.to_pylist()
        pairs = zip(self.folder_codes.tolist(), self.names.to_pylist(), strict=True)
        return [folders[code] + name for code, name in pairs]

    def label(self, row: int) -> str | None:
        """Return the label that the folder or data set gives a row."""
        code = self.label_codes[row]
        return None if code < 0 else self.labels[code]

    def facts(self, rows: npt.NDArray[np.integer[Any]] | None = None) -> list[tuple[str, int, str | None]]:
        """Return stored path, image and label of some rows, or of all, by path."""
        if rows is None:
            codes, labels = self.label_codes.tolist(), (*self.labels, None)  # -1 is the last
            triples = zip(self.paths(), self.ids.tolist(), codes, strict=True)
            return sorted(((path, image, labels[code]) for path, image, code in triples), key=_path)
        return sorted(
            ((self.path(row), int(self.ids[row]), self.label(row)) for row in rows.tolist()), key=_path
        )

    def row_at(self, path: str) -> int | None:
        """Return the row of a stored path; None if there is none."""
        order = self.by_path
        at = bisect_left(range(len(self)), path, key=lambda place: self.path(int(order[place])))
        return int(order[at]) if at < len(self) and self.path(int(order[at])) == path else None

    def image_at(self, path: str) -> ImageId | None:
        """Return the image that lies at a stored path; None if none does."""
        row = self.row_at(path)
        return None if row is None else ImageId(int(self.ids[row]))

    def have(self, images: Ids) -> npt.NDArray[np.bool_]:
        """Tell which of some images lie anywhere."""
        if not len(self):
            return np.zeros(len(images), bool)
        at = np.searchsorted(self.ids, images, sorter=self.by_id)
        found: npt.NDArray[np.bool_] = self.ids[self.by_id[np.minimum(at, len(self) - 1)]] == images
        return found

    def rows_of(self, images: Iterable[int]) -> npt.NDArray[np.int64]:
        """Return the rows of some images, none where they lie nowhere; those of one are by path."""
        wanted = np.fromiter(sorted(set(images)), np.int64)
        first = np.searchsorted(self.ids, wanted, side="left", sorter=self.by_id)
        last = np.searchsorted(self.ids, wanted, side="right", sorter=self.by_id)
        runs = [self.by_id[start:end] for start, end in zip(first.tolist(), last.tolist(), strict=True)]
        sorted_runs = [run if len(run) < 2 else np.array(sorted(run.tolist(), key=self.path)) for run in runs]
        return np.concatenate([np.empty(0, np.int64), *sorted_runs])


@checked
class ImageColumns(Columns):
    """What images are: a row an image, by id.

    Parameters
    ----------
    read : callable
    by_id : bool
        Else in no particular order, for who asks once which of them are so and so: to sort a million takes
        longer than to read two columns of them.
    """

    def __init__(self, read: Read, by_id: bool = True) -> None:
        super().__init__(read)
        self._is_by_id = by_id

    @property
    def ids(self) -> Ids:
        """Rising: (n,) int64."""
        return self._keep("ids", lambda: self._ordered("id"))

    @property
    def widths(self) -> npt.NDArray[np.int32]:
        """Pixels: (n,)."""
        return self._keep("width", lambda: self._ordered("width"))

    @property
    def heights(self) -> npt.NDArray[np.int32]:
        """Pixels: (n,)."""
        return self._keep("height", lambda: self._ordered("height"))

    @property
    def formats(self) -> tuple[str, ...]:
        """Each once."""
        return self.coded_formats.values

    @property
    def format_codes(self) -> npt.NDArray[np.signedinteger[Any]]:
        """Which of these: (n,)."""
        return self.coded_formats.codes

    @property
    def coded_formats(self) -> Coded:
        """The formats: JPEG, PNG, …, PIXELS."""
        return self._coded("format")

    @property
    def taken(self) -> npt.NDArray[np.datetime64]:
        """When, as the camera's clock showed it: (n,) datetime64[us], NaT where it is not known."""
        return self._keep("taken", lambda: self._ordered("taken"))

    @property
    def sharpness(self) -> npt.NDArray[np.float32]:
        """(n,), NaN where it is not known."""
        return self._keep("sharpness", lambda: self._ordered("sharpness"))

    @property
    def phashes(self) -> npt.NDArray[np.uint64]:
        """(n,)."""
        return self._keep("phash", lambda: self._ordered("phash"))

    @property
    def colors(self) -> npt.NDArray[np.float32]:
        """L*, a*, b* of the color that there is most of: (n, 3), NaN where it is not known."""
        return self._keep("colours", lambda: self._in_order(_first_colors(self._column("colours"))))

    @property
    def ratings(self) -> npt.NDArray[np.int8]:
        """Stars, 1 to 5, and -1 for what was rejected: (n,), `NO_RATING` where there is none."""

        def read() -> npt.NDArray[np.int8]:
            import pyarrow.compute as pc

            return self._in_order(_numbers(pc.fill_null(self._column("rating"), NO_RATING)))

        return self._keep("rating", read)

    @property
    def cameras(self) -> Coded:
        """As the files name them."""
        return self._coded("camera")

    @property
    def lenses(self) -> Coded:
        """As the files name them."""
        return self._coded("lens")

    @property
    def keywords(self) -> CodedLists:
        """Those that differ in case alone are one."""

        def read() -> CodedLists:
            import pyarrow as pa

            column = self._column("keywords").combine_chunks()
            return code_lists(column.take(pa.array(self._order)) if self._is_by_id else column, fold)

        return self._keep("keywords", read)

    @property
    def latitudes(self) -> npt.NDArray[np.float64]:
        """Degrees, north positive: (n,), NaN where it is not known."""
        return self._keep("latitude", lambda: self._ordered("latitude"))

    @property
    def longitudes(self) -> npt.NDArray[np.float64]:
        """Degrees, east positive: (n,), NaN where it is not known."""
        return self._keep("longitude", lambda: self._ordered("longitude"))

    @property
    def n_unread(self) -> int:
        """How many there are of whose files nothing has been read but their pixels."""

        def count() -> int:
            import pyarrow.compute as pc

            # Images of data sets come without a file that could say anything.
            rows = self._read(["reader", "format"])
            is_unread = pc.and_(pc.is_null(rows["reader"]), pc.not_equal(rows["format"], "PIXELS"))
            return int(pc.sum(is_unread).as_py() or 0)

        return self._keep("n_unread", count)

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, images: Ids) -> npt.NDArray[np.int32]:
        """Return the row of each of some images: (m,); -1 where there is none."""
        if not len(self):
            return np.full(len(images), -1, np.int32)
        at = np.minimum(np.searchsorted(self.ids, images), len(self) - 1)
        return np.where(self.ids[at] == images, at, -1).astype(np.int32)

    @property
    def _order(self) -> npt.NDArray[np.int32]:
        return self._keep("order", lambda: np.argsort(_numbers(self._column("id"))).astype(np.int32))

    def _in_order(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values[self._order] if self._is_by_id else values

    def _ordered(self, name: str) -> npt.NDArray[Any]:
        return self._in_order(_numbers(self._column(name)))

    def _coded(self, name: str) -> Coded:
        def read() -> Coded:
            coded = code_words(self._column(name))
            return Coded(coded.values, small_codes(self._in_order(coded.codes), len(coded.values)))

        return self._keep(name, read)


def read_files(table: Table) -> FileColumns:
    """Return where images lie, by the table of files, which must not change: a pinned one."""
    return FileColumns(table.read)


def read_images(table: Table) -> ImageColumns:
    """Return what images are, by the table of images, which must not change: a pinned one."""
    return ImageColumns(table.read)


def _path(facts: tuple[str, int, str | None]) -> str:
    return facts[0]


def are_in(some: Ids, rising: Ids) -> npt.NDArray[np.bool_]:
    """Tell which of some ids are among others, which rise."""
    if not len(rising):
        return np.zeros(len(some), bool)
    found: npt.NDArray[np.bool_] = rising[np.minimum(np.searchsorted(rising, some), len(rising) - 1)] == some
    return found


def common(rising: Ids, ids: Ids) -> Ids:
    """Return those of some ids, which rise, that are among others, each of which is there once."""
    others = np.sort(ids)
    if np.array_equal(rising, others):  # the usual case; to look each up takes ten times as long
        return rising
    found: Ids = others[are_in(others, rising)]
    return found


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return a column of numbers of our own, those of null as NaN or NaT."""
    return np.array(column.to_numpy())


def _split(paths: pa.StringArray) -> tuple[pa.StringArray, Codes, pa.StringArray]:
    """Return folders, each once, which of them each path has, and the names that follow.

    >>> import pyarrow as pa
    >>> folders, codes, names = _split(pa.array(["photos:b.png", "photos:a/c.png", "photos:d.png"]))
    >>> folders.to_pylist(), codes.tolist(), names.to_pylist()
    (['photos:', 'photos:a/'], [0, 1, 0], ['b.png', 'c.png', 'd.png'])
    """
    import pyarrow as pa

    n = len(paths)
    _, offsets, content = paths.buffers()
    ends = np.frombuffer(offsets, np.int32, n + 1, 4 * paths.offset) if n else np.zeros(1, np.int32)
    text = np.frombuffer(content or b"", np.uint8)[: ends[-1]]
    marks = np.flatnonzero((text == ord("/")) | (text == ord(":"))).astype(np.int32) + 1
    last = np.append(marks, 0)[np.searchsorted(marks, ends[1:], side="right") - 1]  # the 0 is of those before
    # Each path as two texts one after the other.
    both = np.empty(2 * n + 1, np.int32)
    both[::2], both[1::2] = ends, np.maximum(last, ends[:-1])
    halves = pa.StringArray.from_buffers(2 * n, pa.py_buffer(both), pa.py_buffer(text))
    folders = halves.take(pa.array(np.arange(0, 2 * n, 2))).dictionary_encode()
    codes = small_codes(folders.indices.to_numpy(), len(folders.dictionary))
    return folders.dictionary, codes, halves.take(pa.array(np.arange(1, 2 * n, 2)))


def _first_colors(column: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    found = np.full((len(column), 3), np.nan, np.float32)
    first = column.combine_chunks().flatten().to_numpy().reshape(-1, MAX_COLORS, 4)[:, 0, :3]
    if len(first) == len(found):
        found[:] = first
    else:
        found[column.is_valid().to_numpy()] = first
    return found


def _n_bytes(kept: Any) -> int:
    if isinstance(kept, tuple):
        return sum(map(_n_bytes, kept))
    return int(getattr(kept, "nbytes", 0))
