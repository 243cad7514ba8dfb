"""Read a file's content, and say whose fault it is where that fails.

Only what a file's own bytes are at fault for may take its image out of the collection, and is remembered. A
disk that drops out, or too little memory, says nothing of the file.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from lookalike.errors import ImageError, MissingImagesError
from lookalike.images import content_id, pixels_id
from lookalike.images.decode import MAX_FILE_BYTES, read_file
from lookalike.sync.plan import FoundFile
from lookalike.types import ImageId, PixelArray, format_id

Cause = Literal["content", "disk", "memory", "machine", "model"]
"""The file's own bytes; the disk or the system; too little memory; what is not installed on this machine; a
model that gives no vector for it."""

_FEW = 3  # files that may fail, whatever share of all they are
_SIGNS_OF_MEMORY = ("out of memory", "not enough memory", "failed to allocate", "bad_alloc", "bad allocation")


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a file could not be read."""

    reason: str
    cause: Cause

    @property
    def is_permanent(self) -> bool:
        """Whether it is no use to try again before the file, or the reader, has changed."""
        return self.cause == "content"


def read(file: FoundFile) -> bytes | PixelArray | Unread:
    """Return the content of a file, all of it, or the pixels of an image of a data set."""
    try:
        if file.pixels is not None:
            return file.pixels()
        if file.content is not None:
            return file.content
        data = read_file(file.location)
        if len(data) != file.stat.size and file.location.stat().st_size != len(data):
            # It is being written, or the disk gave less than there is. What was read is nobody's content.
            return Unread(f"only {len(data):,} of {file.stat.size:,} bytes could be read", "disk")
        if file.kept is not None and format_id(identify(data)[0]) != file.kept.stem:
            return Unread("the collection's own file is not what was added", "disk")
    except ImageError as error:
        is_by_size = file.stat.size == 0 or file.stat.size > MAX_FILE_BYTES
        return Unread(error.reason, "content" if is_by_size else "disk")
    except OSError as error:
        return Unread(error.strerror or str(error), "disk")
    except MemoryError:
        return Unread("not enough memory to read it", "memory")
    return data


def identify(content: bytes | PixelArray) -> tuple[ImageId, bytes]:
    """Return the id of an image and its sha256."""
    return content_id(content) if isinstance(content, bytes) else pixels_id(content)


def undecoded(error: ImageError) -> Unread:
    """Say whose fault it is that a file, which was read, cannot be decoded."""
    cause = error.__cause__
    if isinstance(cause, MemoryError) or any(sign in str(cause).lower() for sign in _SIGNS_OF_MEMORY):
        return Unread("not enough memory to decode it", "memory")
    return Unread(error.reason, "content" if error.is_permanent else "machine")


class Outage:
    """Notices that a disk has dropped out: most of the files that are to be read cannot be.

    Parameters
    ----------
    n_files : int
        How many are to be read.
    """

    def __init__(self, n_files: int) -> None:
        self._n_files = n_files
        self._n_failed = 0
        self._lock = threading.Lock()

    def note(self, file: FoundFile, unread: Unread) -> None:
        """Take note of a file that was not known to fail.

        Raises
        ------
        MissingImagesError
            If by now more than half of all have failed by the disk's fault.
        """
        if unread.cause != "disk":
            return
        with self._lock:
            self._n_failed += 1
        if self._n_failed > _FEW and self._n_failed * 2 > self._n_files:
            raise MissingImagesError(
                f"{self._n_failed:,} of {self._n_files:,} files could not be read, the last of them"
                f" {file.location}: {unread.reason} (has a disk dropped out?); no image was taken out of the"
                " collection",
                hint="Put the disk back and run again; what cannot be read then is only listed",
            )
