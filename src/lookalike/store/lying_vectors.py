"""Where the vectors of a table lie in its own files, for who wants to map them instead of copying them.

Lance writes a column of wide vectors of one length, none of them null, as it is in memory: row by row,
float32 or bytes, in pages of one buffer each (file format 2.2). That is not promised, so all that is found
is compared with what Lance reads; what lies otherwise is given as it was read. The files never change. Once
they are cleared away, who has them mapped keeps them; not on Windows, which would not let them go: there,
nothing is mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.four_bits import CodedRows
from lookalike.store.embeddings import CODES, COLUMN, bits_of, raw_rows
from lookalike.system.this_system import may_go_while_open
from lookalike.types import Ids, Vectors

Rows = npt.NDArray[Any]
"""As they are kept: (n, d) float32, or (n, d / 2) uint8."""

_MOST_RUNS = 64  # of a page: one from which more rows have gone, here and there, is read


class Lying(NamedTuple):
    """Some rows, one behind the other.

    Attributes
    ----------
    ids : (n,) int64
    vectors : (n, d) float32, or CodedRows
        Memory-mapped where `file` says of what.
    file : Path or None
    offset : int
        Bytes before the first row.
    """

    ids: Ids
    vectors: Vectors | CodedRows
    file: Path | None
    offset: int


def lying_vectors(folder: Path, dataset: Any) -> Iterator[Lying]:
    """Give all rows of an open vector table.

    Parameters
    ----------
    folder : Path
        The table's.
    dataset : lance.LanceDataset
    """
    is_coded = bits_of(dataset.schema) == CODES
    kept = np.dtype(np.uint8 if is_coded else np.float32), dataset.schema.field(COLUMN).type.list_size
    for fragment in dataset.get_fragments():
        places = _places(folder, fragment, *kept) if may_go_while_open() else []
        found = _mapped(fragment, places) if places else None
        if found is None:
            read = list(_batches(fragment))
            ids, vectors = (np.concatenate([batch[part] for batch in read]) for part in (0, 2))
            found = [Lying(ids, vectors, None, 0)]
        for each in found:
            yield each._replace(vectors=CodedRows(np.asarray(each.vectors))) if is_coded else each


class _Place(NamedTuple):
    """Pages one behind the other: where they lie, the number of the first row, and the rows, mapped."""

    file: Path
    offset: int
    first: int
    rows: Rows


def _places(folder: Path, fragment: Any, kind: np.dtype[Any], length: int) -> list[_Place]:
    """Return the pages of a fragment's vectors; none where they lie in no way that is known."""
    from lance.file import LanceFileReader

    files = fragment.data_files()
    if len(files) != 1:
        return []
    file = folder / "data" / files[0].path
    columns = LanceFileReader(str(file)).metadata().columns
    # The first two are ids and vectors; what may stand beside them comes behind.
    pages = [page.buffers for page in columns[1].pages] if len(columns) >= 2 else []
    width = kind.itemsize * length
    stretches: list[tuple[int, int]] = []
    for buffers in pages:
        if len(buffers) != 1 or buffers[0].size % width or buffers[0].position % 4 or not buffers[0].size:
            return []
        offset, size = buffers[0].position, buffers[0].size
        if stretches and offset == sum(stretches[-1]):  # one page right behind the other
            stretches[-1] = stretches[-1][0], stretches[-1][1] + size
        else:
            stretches.append((offset, size))
    first, found = 0, []
    for offset, size in stretches:
        rows = np.memmap(file, kind, "r", offset, (size // width, length))
        found.append(_Place(file, offset, first, rows))
        first += len(rows)
    return found if first == fragment.physical_rows else []


def _mapped(fragment: Any, places: Sequence[_Place]) -> list[Lying] | None:
    """Return the rows of a fragment where they lie; None where others are read, or too many have gone."""
    starts = np.array([place.first for place in places])
    ids, numbers = [], []
    for some_ids, rows, vectors in _batches(fragment):
        of_page = np.searchsorted(starts, rows, side="right") - 1
        for page in np.unique(of_page).tolist():
            here = of_page == page
            there = places[page].rows[rows[here] - places[page].first]
            if not np.array_equal(there.view(np.uint8), vectors[here].view(np.uint8)):
                return None
        ids.append(some_ids)
        numbers.append(rows)
    all_ids, kept = np.concatenate(ids), np.concatenate(numbers)
    # A run ends where rows have gone, or the page does.
    is_first = np.isin(kept, starts)
    is_first[1:] |= np.diff(kept) != 1
    is_first[:1] = True
    begins = np.flatnonzero(is_first)
    if len(begins) > _MOST_RUNS * len(places):
        return None
    found = []
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(kept)], strict=True):
        place = places[int(np.searchsorted(starts, kept[begin], side="right")) - 1]
        row = int(kept[begin]) - place.first
        vectors = place.rows[row : row + end - begin]
        found.append(
            Lying(all_ids[begin:end], vectors, place.file, place.offset + place.rows[0].nbytes * row)
        )
    return found


def _batches(fragment: Any) -> Iterator[tuple[Ids, npt.NDArray[np.int64], Rows]]:
    """Read a fragment: ids, the number of each row in it, and vectors as kept, some thousand at a time."""
    columns = ["id", COLUMN]
    scanner = fragment.scanner(columns=columns, with_row_address=True, batch_size=4_096)
    for batch in scanner.to_batches():
        rows = (batch.column("_rowaddr").to_numpy() & 0xFFFFFFFF).astype(np.int64)
        if batch.num_rows:
            yield batch.column("id").to_numpy(), rows, raw_rows(batch.column(COLUMN), batch.num_rows)
