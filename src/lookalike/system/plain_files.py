"""Files that a user names, read without ever waiting for what is no plain file, and within bounds."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from lookalike.errors import InvalidInputError
from lookalike.system.output import is_opened

LIMIT = 1 << 30
"""Bytes of a text or table that are read; none of them is ever so long."""

_BLOCK = 1 << 20  # bytes
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a disk",
}
"""What lies there that is no plain file, by the kind in its mode."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading.

    A pipe that nobody writes to would be waited for, and so would files of the kernel's that are plain by
    their mode alone, as ``/proc/kmsg`` is: asked not to wait, they give an error instead.

    Raises
    ------
    OSError
        If it cannot be opened, or is no plain file.
    """
    # First by its name: to open a device may already do something.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    stream = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # changed meanwhile
        stream.close()
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return stream


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_plain(path: Path) -> bytes:
    """Read a plain file, as long as it is now: what is written to it meanwhile is another state of it.

    So one that says of itself that it is empty is not read, as those in ``/proc`` do, which may have no end.

    Raises
    ------
    OSError
        If it cannot be read, or is no plain file.

    Examples
    --------
    >>> read_plain(Path(__file__))[:3]
    b'\"\"\"'
    """
    with open_plain(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        return stream.read(size) if size else b""


def read_named(file: str | os.PathLike[str], limit: int = LIMIT) -> bytes:
    """Read a text or table that a user named; pipes only if they are open: ``/dev/stdin``, ``<(command)``.

    Parameters
    ----------
    file : path
    limit : int
        Bytes; what is longer is refused.

    Raises
    ------
    InvalidInputError
        If it is longer, or nothing that can be read to its end.
    OSError
        If it cannot be read.
    """
    path = Path(file)
    if is_opened(path):
        with path.open("rb") as stream:
            return read_stream(stream, str(file), limit)
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise InvalidInputError(f"{file} is {kind}; expected a file", field="file")
    with open_plain(path) as stream:
        return read_stream(stream, str(file), limit)


def read_stdin(limit: int = LIMIT) -> bytes:
    """Read standard input to its end; see `read_named`. There is nothing in it where it is closed."""
    return b"" if sys.stdin is None else read_stream(sys.stdin.buffer, "standard input", limit)


def read_stream(stream: BinaryIO, name: str, limit: int = LIMIT) -> bytes:
    """Read a stream to its end.

    Raises
    ------
    InvalidInputError
        If it has more than `limit` bytes, or is no stream of bytes.

    Examples
    --------
    >>> import io
    >>> read_stream(io.BytesIO(b"abc"), "a pipe", 2)
    Traceback (most recent call last):
    lookalike.errors.InvalidInputError: a pipe has more than 2 bytes, and no more are read
    """
    found = bytearray()
    while block := stream.read(min(_BLOCK, limit + 1 - len(found))):
        if not isinstance(block, bytes):
            raise InvalidInputError(f"{name} is one of text; expected one of bytes")
        found += block
        if len(found) > limit:
            raise InvalidInputError(f"{name} has more than {limit:,} bytes, and no more are read")
    return bytes(found)
