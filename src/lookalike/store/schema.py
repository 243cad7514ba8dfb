"""The tables of a collection, column by column (format version 5).

An image is its content; a file is a place where it lies. So ``images``, ``thumbnails`` and ``vectors`` are
keyed by the image's id, ``files`` and ``failures`` by path. A row of ``files`` is the promise that the
image's other rows are there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lookalike.images.palette import MAX_COLORS
from lookalike.store.embeddings import COLUMN, FLOATS, type_of
from lookalike.types import FieldKind

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT_VERSION = 5
"""1 had no colours and no sharpness, 2 no metadata, no notes, and no word on who read a file, 3 no images
that were added by call, and no fields of the user's, 4 no checksums.

`Store.upgrade` adds the columns, and what can be told without opening the files. What 4 has more are tables
that the first word of the kind makes, and rows of ``files`` whose root, `ADDED`, no manifest names: a
lookalike that does not know of them must not write. What 5 has more are checksums: one that does not know of
them cannot read the facts of a clustering or a map that carry one, and would have them deleted."""

ADDED = "added"
"""What stands where others have a root in the stored paths of images that were added by call."""

# Without this mark, writers that upsert at the same time would double rows.
_KEY = {b"lance-schema:unenforced-primary-key": b"true"}


def files() -> pa.Schema:
    """Where images lie: ``root:relative/path``, the file's size and times, its label and split.

    Of an image that was added by call, the path is ``added:KEY``, and the file lies in the collection; see
    `lookalike.store.kept`. Time of the last change of the status and number of the file are null where the
    file system's word on them is worth nothing. The note says what is missing of a file that could be read
    all the same.
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False, metadata=_KEY),
            pa.field("id", pa.int64(), nullable=False),
            pa.field("size", pa.int64(), nullable=False),  # bytes
            pa.field("mtime_ns", pa.int64(), nullable=False),
            pa.field("label", pa.string()),
            pa.field("split", pa.string()),  # train, test, or null
            pa.field("ctime_ns", pa.int64()),
            pa.field("inode", pa.int64()),
            pa.field("note", pa.string()),
        ]
    )


def images() -> pa.Schema:
    """What an image is: its full hash, format, size in pixels, perceptual hash, and how it looks.

    ``colours`` are up to 5 dominant ones, the largest first, each as L*, a*, b* and its share of the picture;
    a share of 0 stands where there are fewer. They and the sharpness are null only while a collection of
    format 1 is being brought up to date. What stands below them is what the file says of itself, see
    `lookalike.images.metadata`; ``reader`` is the version of the reader that saw the file, null before
    there were versions.
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False, metadata=_KEY),
            pa.field("sha256", pa.binary(32), nullable=False),
            pa.field("format", pa.string(), nullable=False),
            pa.field("width", pa.int32(), nullable=False),
            pa.field("height", pa.int32(), nullable=False),
            pa.field("phash", pa.uint64(), nullable=False),
            pa.field("colours", pa.list_(pa.float32(), 4 * MAX_COLORS)),
            pa.field("sharpness", pa.float32()),
            pa.field("taken", pa.timestamp("us")),  # as the camera's clock showed it
            pa.field("taken_offset", pa.int16()),  # minutes east of UTC
            pa.field("camera", pa.string()),
            pa.field("lens", pa.string()),
            pa.field("latitude", pa.float64()),  # degrees, WGS 84
            pa.field("longitude", pa.float64()),
            pa.field("keywords", pa.list_(pa.string())),
            pa.field("rating", pa.int8()),
            pa.field("caption", pa.string()),
            pa.field("reader", pa.int16()),
        ]
    )


def thumbnails() -> pa.Schema:
    """A JPEG of at most 256 × 256 pixels, of small images at most 320 × 320; or as the manifest says."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False, metadata=_KEY),
            pa.field("jpeg", pa.large_binary(), nullable=False),
        ]
    )


def failures() -> pa.Schema:
    """Files that could not be read, and why.

    Size and time are null where the system, not the content, was the reason: such a file is tried again
    every time, others once they have changed, or the reader has (``reader`` is the version that failed).
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False, metadata=_KEY),
            pa.field("size", pa.int64()),
            pa.field("mtime_ns", pa.int64()),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("reader", pa.int16()),
        ]
    )


@functools.cache  # every search asks
def vectors(dimension: int, bits: int = FLOATS) -> pa.Schema:
    """One model's embeddings: `dimension` numbers a row, of 32 bits, or of 4; see `embeddings`."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False, metadata=_KEY),
            pa.field(COLUMN, type_of(dimension, bits), nullable=False),
        ]
    )


def with_sides(table: pa.Schema, widths: Mapping[str, int]) -> pa.Schema:
    """Return the schema of a vector table with columns of bytes behind it: what its model gives beside.

    They are null in rows that were written before the model gave any.
    """
    import pyarrow as pa

    for name, width in widths.items():
        table = table.append(pa.field(name, pa.binary(width)))
    return table


def fields(columns: Mapping[str, FieldKind] = MappingProxyType({})) -> pa.Schema:
    """What users say of files in columns of their own.

    A row is about a stored path and the image that lay there when it was written; of several rows of one
    path, that of the image that lies there counts, else the one that was set last. The columns are called by
    their kind and name, see `field_column`.
    """
    import pyarrow as pa

    types = {
        "number": pa.float64(),
        "text": pa.string(),
        "date": pa.timestamp("us"),
        "boolean": pa.bool_(),
        "tags": pa.list_(pa.string()),
    }
    return pa.schema(
        [
            pa.field("row", pa.string(), nullable=False, metadata=_KEY),  # of path and id
            pa.field("path", pa.string(), nullable=False),
            pa.field("id", pa.int64(), nullable=False),
            pa.field("set_us", pa.int64(), nullable=False),  # when, microseconds since 1970
            *(pa.field(field_column(name, kind), types[kind]) for name, kind in columns.items()),
        ]
    )


def field_row(path: str, image: int) -> str:
    """Return the key of the row of a stored path that holds an image.

    >>> field_row("photos:a.jpg", 255)
    '00000000000000ff photos:a.jpg'
    """
    return f"{image:016x} {path}"


def field_column(name: str, kind: FieldKind) -> str:
    """Return what a user's column is called in the table: letters, digits and lines, whatever its name has.

    >>> field_column("my price", "number")
    'number_my_20price'
    """
    written = re.sub(rb"[^a-zA-Z0-9]", lambda found: b"_%02x" % ord(found[0]), name.encode())
    return f"{kind}_{written.decode()}"


def read_field_columns(columns: list[str]) -> dict[str, FieldKind]:
    """Return names and kinds of the users' columns among those of a table.

    >>> read_field_columns(["row", "path", "id", "set_us", "number_my_20price"])
    {'my price': 'number'}
    """
    found: dict[str, FieldKind] = {}
    for column in columns:
        kind, _, written = column.partition("_")
        if kind in ("number", "text", "date", "boolean", "tags") and written:
            name = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), written.encode())
            found[name.decode()] = kind  # type: ignore[assignment]
    return found


def journal() -> pa.Schema:
    """What people said, a row a change, numbered from 1 without a gap; rows are added, and never changed.

    The payload is a document of JSON, which says how the ids and the numbers beside it are to be read: see
    `lookalike.collection.stored.edits`.
    """
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("number", pa.int64(), nullable=False, metadata=_KEY),
            pa.field("time", pa.timestamp("us"), nullable=False),  # UTC
            pa.field("kind", pa.string(), nullable=False),
            pa.field("words", pa.string(), nullable=False),  # for people
            pa.field("undoes", pa.int64()),  # the number of another change, or null
            pa.field("payload", pa.string(), nullable=False),
            pa.field("ids", pa.list_(pa.int64()), nullable=False),
            pa.field("numbers", pa.list_(pa.int64()), nullable=False),
        ]
    )
