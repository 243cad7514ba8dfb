"""What a user has said of images in columns of his own, as a snapshot shows it.

Layout: a row a file, as `FileColumns` has them. What is said of a file is the row of its path and image;
where there is none, the row of its path that was set last, as the file was edited; else the row of its image
that was set last, as it was renamed, or copied; of those set by one call, that of the path which sorts first.
See `lookalike.store.schema.fields`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import FileColumns
from lookalike.store.fields import FieldTable
from lookalike.system.checked_calls import checked
from lookalike.system.memo import Memo
from lookalike.types import FieldKind, FieldValue, Ids

if TYPE_CHECKING:
    import pyarrow as pa


@checked
@dataclass(frozen=True, slots=True, eq=False)
class OwnFields:
    """The user's own columns, row for row as `FileColumns`.

    Attributes
    ----------
    columns : mapping of str to pyarrow.Array
        By name, null where nothing is known: float64, dictionary of string, timestamp[us], bool, or list of
        dictionary of string. Each is read when it is first asked for.
    kinds : mapping of str to {"number", "text", "date", "boolean", "tags"}
        What they hold, by name.
    """

    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    kinds: Mapping[str, FieldKind] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.kinds)

    def at(self, row: int) -> dict[str, FieldValue]:
        """Return what is known of the file in a row, by name."""
        values = {name: self.columns[name][row].as_py() for name in self.kinds}
        return {name: value for name, value in values.items() if value is not None}


def read_fields(table: FieldTable, files: FileColumns) -> OwnFields:
    """Read what is said of files from the table of fields, as it was at one commit."""
    kinds = table.kinds()
    return OwnFields(_Columns(table, kinds, files), kinds)


def fields_of(
    table: FieldTable, places: Sequence[tuple[str, int]], of_path_only: bool = False
) -> dict[tuple[str, int], dict[str, FieldValue]]:
    """Read what is said of some files, by stored path and image; nothing of those that have no row.

    With `of_path_only`, what is said of the same image elsewhere does not count.
    """
    if not table.exists():
        return {}
    images = [] if of_path_only else [image for _, image in places]
    rows = table.rows_of([path for path, _ in places], images)
    rows.sort(key=lambda row: (-row["set_us"], row["path"], row["id"]), reverse=True)  # the last one counts
    by_path = {row["path"]: row for row in rows}
    by_image = {} if of_path_only else {row["id"]: row for row in rows}
    exact = {(row["path"], row["id"]): row for row in rows}
    found = {}
    for path, image in places:
        row = exact.get((path, image)) or by_path.get(path) or by_image.get(image)
        if row is not None:
            found[path, image] = {name: value for name, value in row["values"].items() if value is not None}
    return found


class _Columns(Mapping[str, "pa.Array"]):
    """The columns by name, each read when it is first asked for. Several threads may use it."""

    def __init__(self, table: FieldTable, kinds: Mapping[str, FieldKind], files: FileColumns) -> None:
        self._table = table
        self._kinds = kinds
        self._files = files
        self._made: Memo[str, Any] = Memo()

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._kinds:
            raise KeyError(name)
        return self._made.get(name, lambda: self._read(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def _read(self, name: str) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = self._made.get("", lambda: _rows_of_files(self._table, self._files))
        column = self._table.column(name, self._kinds[name])
        taken = column.take(pa.array(rows, mask=rows < 0))
        if self._kinds[name] == "text":
            return taken.dictionary_encode()
        if self._kinds[name] == "tags":
            ends = np.cumsum(pc.fill_null(pc.list_value_length(taken), 0).to_numpy(zero_copy_only=False))
            starts = np.concatenate([[0], ends]).astype(np.int32)
            is_null = np.append(taken.is_null().to_numpy(zero_copy_only=False), False)
            offsets = pa.array(starts, pa.int32(), mask=is_null)
            return pa.ListArray.from_arrays(offsets, taken.flatten().dictionary_encode())
        return taken


def _rows_of_files(table: FieldTable, files: FileColumns) -> npt.NDArray[np.int64]:
    """Return the row of the table that counts for each file, (n,); -1 where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    paths, ids, times = table.keys()
    codes = paths.dictionary_encode()
    order = _by_precedence(paths, codes.indices.to_numpy(), ids, times)
    at, ids = codes.indices.to_numpy()[order], ids[order]
    files_paths = pc.binary_join_element_wise(
        files.folders.take(pa.array(files.folder_codes)), files.names, ""
    )
    firsts = np.full(len(codes.dictionary), -1, np.int64)
    firsts[at[::-1]] = np.arange(len(at))[::-1]
    found = pc.fill_null(pc.index_in(files_paths, value_set=codes.dictionary), -1).to_numpy().astype(np.int64)
    rows = np.where(found >= 0, firsts[found], -1) if len(firsts) else found
    # Of a path that has several, the one of the image that lies there.
    several = np.bincount(at, minlength=len(firsts)) > 1
    if several.any():
        exact = {(int(at[row]), int(ids[row])): row for row in np.flatnonzero(several[at])[::-1].tolist()}
        for file in np.flatnonzero((found >= 0) & several[found]).tolist():
            rows[file] = exact.get((int(found[file]), int(files.ids[file])), rows[file])
    left = np.flatnonzero(rows < 0)
    if len(left) and len(ids):
        known, first = np.unique(ids, return_index=True)
        where = np.minimum(np.searchsorted(known, files.ids[left]), len(known) - 1)
        is_there = known[where] == files.ids[left]
        rows[left[is_there]] = first[where[is_there]]
    return np.where(rows >= 0, order[rows], -1)


def _by_precedence(
    paths: pa.StringArray, codes: npt.NDArray[np.int32], ids: Ids, times: npt.NDArray[np.int64]
) -> npt.NDArray[np.intp]:
    """Return the order of rows in which the first of a path, and of an image, is the one that counts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    _, image, n_of_image = np.unique(ids, return_inverse=True, return_counts=True)
    rivals = np.flatnonzero((np.bincount(codes)[codes] > 1) | (n_of_image[image] > 1))
    if not len(rivals):
        return np.argsort(-times, kind="stable")
    ranks = np.zeros(
        len(ids), np.int64
    )  # only of the few that compete: to sort a million paths takes a second
    ranks[rivals] = pc.rank(paths.take(pa.array(rivals)), tiebreaker="min").to_numpy()
    return np.lexsort((ids, ranks, -times))


class LazyFields(Mapping[str, FieldValue]):
    """What is said of a file, read when somebody looks.

    It is equal to a dictionary of the same, and pickled as one.
    """

    __slots__ = ("_read", "_values")

    def __init__(self, read: Any) -> None:
        self._read = read
        self._values: dict[str, FieldValue] | None = None

    def _known(self) -> dict[str, FieldValue]:
        if self._values is None:
            self._values = self._read()
            self._read = None  # and what it holds
        return self._values

    def __getitem__(self, name: str) -> FieldValue:
        return self._known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __repr__(self) -> str:
        return repr(self._known())

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self._known(),)
