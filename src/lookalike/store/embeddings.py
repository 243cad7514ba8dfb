"""How vectors stand in a table: float32, or four bits a number, which a table says itself by its type.

    list<float>[d]        the numbers
    list<uint8>[d / 2]    codes of `lookalike.four_bits`

Who reads gets float32, (n, d), from either: of codes, the unit rows that they stand for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.four_bits import decode, encode
from lookalike.types import Vectors

if TYPE_CHECKING:
    import pyarrow as pa

COLUMN = "embedding"

FLOATS, CODES = 32, 4
"""Bits of a number."""


def type_of(dimension: int, bits: int = FLOATS) -> pa.DataType:
    """Return the type of a column of vectors."""
    import pyarrow as pa

    return pa.list_(pa.uint8(), dimension // 2) if bits == CODES else pa.list_(pa.float32(), dimension)


def bits_of(table: pa.Schema) -> int:
    """Return in how many bits a number of a table's vectors is kept."""
    import pyarrow as pa

    return CODES if table.field(COLUMN).type.value_type == pa.uint8() else FLOATS


def dimension_of(table: pa.Schema) -> int:
    """Return how many numbers each vector of a table has."""
    size = int(table.field(COLUMN).type.list_size)
    return 2 * size if bits_of(table) == CODES else size


def to_column(vectors: Vectors, table: pa.Schema) -> pa.Array:
    """Return vectors, (n, d), as the column of a table."""
    import pyarrow as pa

    rows = encode(vectors) if bits_of(table) == CODES else vectors
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1])


def raw_rows(column: Any, n: int) -> Any:
    """Return n rows of a column as they are kept: (n, d) float32, or (n, d / 2) uint8."""
    whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return whole.flatten().to_numpy().reshape(n, column.type.list_size)


def from_column(column: Any, n: int) -> Vectors:
    """Return n rows of a column as vectors, (n, d) float32."""
    rows = raw_rows(column, n)
    return decode(rows) if rows.dtype == np.uint8 else rows
