"""Which version of the reader made a row: what is read differently by now is read again, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import ImageDamagedError
from lookalike.images.decode import os_reason
from lookalike.images.formats import recognize
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.system.plain_files import open_plain

READER = 2
"""Raised whenever the same bytes come to give other pixels, other metadata, or are read where they were not.

1. Until format 3 of a collection: no colour profiles, no metadata.
2. Colours are managed, metadata kept; more kinds of TIFF, and files with small damage, are read.
"""


@dataclass(frozen=True, slots=True)
class Header:
    """What the first part of a file tells, without its pixels.

    Attributes
    ----------
    metadata : Metadata
    is_changed : bool
        Whether today's reader may make other pixels of the file than the one that it was last read by.
    """

    metadata: Metadata
    is_changed: bool


def read_header(path: Path, since: int | None) -> Header:
    """Read the header of a file that a reader of version `since` (None: the first) read before.

    Raises
    ------
    ImageError
        If the file cannot be read.
    """
    from lookalike.images.changes import is_read_differently
    from lookalike.images.metadata.containers import find_blocks
    from lookalike.images.metadata.ifd import read_at
    from lookalike.images.metadata.reading import from_blocks

    try:
        with open_plain(path) as stream:
            kind = recognize(read_at(stream, 0, 32))
            if kind is None:
                return Header(NO_METADATA, is_changed=True)
            blocks = find_blocks(stream, kind.name)
            is_changed = is_read_differently(stream, kind.name, blocks, since or 1)
    except OSError as error:
        raise ImageDamagedError(str(path), os_reason(error)) from error
    return Header(from_blocks(blocks), is_changed)
