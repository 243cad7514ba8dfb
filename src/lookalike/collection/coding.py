"""Columns of words as numbers: each word once, and which of them every row has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.system.checked_calls import checked

if TYPE_CHECKING:
    import pyarrow as pa

Codes = npt.NDArray[np.signedinteger[Any]]
Mask = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@checked
@dataclass(frozen=True, eq=False)
class Coded:
    """A column of words.

    Attributes
    ----------
    values : tuple of str
        Each once.
    codes : (n,) signed integers, as small as they may be
        Which of them; -1 for none.
    """

    values: tuple[str, ...]
    codes: Codes

    def has_any(self, wanted: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of some values, known by their codes: (n,)."""
        if len(wanted) == 1:
            return np.asarray(self.codes == wanted[0])
        return _table(len(self.values), wanted)[self.codes]

    @cached_property
    def all_counts(self) -> tuple[npt.NDArray[np.int64], int]:
        """How many rows have each value, (n_values,), and how many have any."""
        counts = count_codes(self.codes, len(self.values))
        return counts, int(counts.sum())

    @property
    def nbytes(self) -> int:
        """What it takes in memory, but for the values themselves."""
        return self.codes.nbytes


@checked
@dataclass(frozen=True, eq=False)
class CodedLists:
    """A column of lists of words, none twice in a list.

    Attributes
    ----------
    values : tuple of str
        Each once.
    rows : (m,) int32
        Rising: the row that each code belongs to.
    codes : (m,) signed integers
    n_rows : int
    """

    values: tuple[str, ...]
    rows: npt.NDArray[np.int32]
    codes: Codes
    n_rows: int

    def has_any(self, wanted: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of some values, known by their codes: (n,)."""
        found = np.zeros(self.n_rows, bool)
        found[self.rows[_table(len(self.values), wanted)[self.codes]]] = True
        return found

    def at(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return where the codes of some rows stand."""
        starts, sizes = self.starts[rows], np.diff(self.starts)[rows]
        ends = np.cumsum(sizes)
        return np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1] if len(ends) else 0)

    @cached_property
    def starts(self) -> npt.NDArray[np.int32]:
        """Where the codes of each row begin: (n_rows + 1,)."""
        return np.searchsorted(self.rows, np.arange(self.n_rows + 1, dtype=np.int32)).astype(np.int32)

    @cached_property
    def all_counts(self) -> tuple[npt.NDArray[np.int64], int]:
        """How many rows have each value, (n_values,), and how many have any."""
        n_any = int(np.count_nonzero(np.diff(self.starts)))
        return count_codes(self.codes, len(self.values)), n_any

    @property
    def nbytes(self) -> int:
        """What it takes in memory, but for the values themselves."""
        return self.rows.nbytes + self.codes.nbytes


class Chosen(NamedTuple):
    """Rows that are counted: some, or all but some, whichever are fewer; or all.

    Attributes
    ----------
    rows : (m,) int64 or None
        None for all.
    is_complement : bool
        Whether all but these are meant.
    """

    rows: npt.NDArray[np.intp] | None = None
    is_complement: bool = False

    @classmethod
    def of(cls, mask: Mask) -> Chosen:
        """Return those that are true."""
        n = int(np.count_nonzero(mask))
        if n == len(mask):
            return cls()
        return cls(np.flatnonzero(~mask), True) if 2 * n > len(mask) else cls(np.flatnonzero(mask))


def count_values(column: Coded | CodedLists, chosen: Chosen) -> tuple[Counts, int]:
    """Return how many rows have each value, (n_values,), and how many have any; of the rows chosen."""
    counts, n_any = column.all_counts
    if chosen.rows is None:
        return counts, n_any
    if isinstance(column, Coded):
        some = count_codes(column.codes[chosen.rows], len(column.values))
        n_some = int(some.sum())
    else:
        some = count_codes(column.codes[column.at(chosen.rows)], len(column.values))
        n_some = int(np.count_nonzero(np.diff(column.starts)[chosen.rows]))
    return (counts - some, n_any - n_some) if chosen.is_complement else (some, n_some)


def code_words(column: pa.ChunkedArray | pa.Array, spell: Callable[[str], str] = str) -> Coded:
    """Code a column of words; those that are spelled alike are one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    spelled = [spell(value) for value in coded.dictionary.to_pylist()]
    values = tuple(dict.fromkeys(spelled))
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    if len(values) < len(spelled):
        code_of = {value: code for code, value in enumerate(values)}
        codes = np.array([*map(code_of.__getitem__, spelled), -1])[codes]
    return Coded(values, small_codes(codes, len(values)))


def merge_spellings(coded: Coded, fold: Callable[[str], str]) -> Coded:
    """Return a column in which words that fold alike are one, in the spelling most usual."""
    now, values = _folded(coded.values, count_codes(coded.codes, len(coded.values)), fold)
    if len(values) == len(coded.values):
        return coded
    return Coded(values, small_codes(np.append(now, -1)[coded.codes], len(values)))


def _folded(
    spellings: Sequence[str], counts: Counts, fold: Callable[[str], str]
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Return for each spelling the number of its word, and the words, each as it is most often spelled."""
    value_of: dict[str, str] = {}
    for code in sorted(range(len(spellings)), key=lambda code: (-counts[code], spellings[code])):
        value_of.setdefault(fold(spellings[code]), spellings[code])
    code_of = {folded: code for code, folded in enumerate(value_of)}
    return np.array([code_of[fold(spelling)] for spelling in spellings], np.int64), tuple(value_of.values())


def code_lists(column: pa.ChunkedArray | pa.Array, fold: Callable[[str], str]) -> CodedLists:
    """Code a column of lists of words; those that fold alike are one, in the spelling most usual."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    rows = pc.list_parent_indices(array).to_numpy()
    words = pc.list_flatten(array)
    coded = words if pa.types.is_dictionary(words.type) else words.dictionary_encode()
    spellings: list[str] = coded.dictionary.to_pylist()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    rows, codes = rows[codes >= 0], codes[codes >= 0]
    now, values = _folded(spellings, count_codes(codes, len(spellings)), fold)
    n_values = max(1, len(values))
    pairs = np.sort(rows.astype(np.int64) * n_values + now[codes])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    rows, codes = np.divmod(pairs, n_values)
    return CodedLists(values, rows.astype(np.int32), small_codes(codes, len(values)), len(array))


def count_codes(codes: npt.NDArray[Any], n: int) -> Counts:
    """Return how often each of n codes stands there; -1 is none of them."""
    if codes.dtype.itemsize < 4 and len(codes):  # nothing need be added to them
        unsigned = codes.view(np.uint8 if codes.dtype.itemsize == 1 else np.uint16)
        return np.bincount(unsigned, minlength=n)[:n].astype(np.int64)
    return np.bincount(codes + np.int64(1), minlength=n + 1)[1 : n + 1].astype(np.int64)


def small_codes(codes: npt.NDArray[Any], n: int) -> Codes:
    """Return codes below n, or -1, in as few bytes as they need."""
    kind = np.int8 if n <= 1 << 7 else np.int16 if n <= 1 << 15 else np.int32
    found: Codes = codes.astype(kind)
    found.flags.writeable = False
    return found


def _table(n: int, wanted: Iterable[int]) -> Mask:
    """Return which of n codes are wanted: (n + 1,), the last for -1, which is not."""
    found = np.zeros(n + 1, bool)
    found[list(wanted)] = True
    return found
