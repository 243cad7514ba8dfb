"""What a file holds, told by its SHA-256, and by what the system says of it: whether it is still the same."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.system.plain_files import open_plain


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file holds.

    Attributes
    ----------
    sha256 : str
        64 hexadecimal digits.
    size : int
        Bytes.
    mtime_ns, atime_ns : int
        When it was last written to, and read.
    mode : int
        Its permissions.
    device, inode : int
        By which the system knows it, under whatever name.
    """

    sha256: str
    size: int
    mtime_ns: int
    atime_ns: int
    mode: int
    device: int
    inode: int

    def at(self, mtime_ns: int, atime_ns: int, mode: int) -> FileContent:
        """Return the same of a file with other times and permissions."""
        return replace(self, mtime_ns=mtime_ns, atime_ns=atime_ns, mode=mode)

    def is_at(self, path: Path) -> bool:
        """Tell by what the system says whether a path is this very file, and nobody has written to it."""
        try:
            status = os.lstat(path)
        except OSError:
            return False
        there = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        return there == (self.device, self.inode, self.size, self.mtime_ns)


def read_content(path: Path) -> FileContent:
    """Read a plain file through, and tell what it holds.

    Raises
    ------
    OSError
        If it cannot be read, is no plain file, or is written to meanwhile.
    """
    with open_plain(path) as stream:
        before = os.fstat(stream.fileno())
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # it is a BufferedReader
        after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise OSError(errno.EBUSY, "somebody is writing to it", str(path))
    return FileContent(
        digest,
        before.st_size,
        before.st_mtime_ns,
        before.st_atime_ns,
        before.st_mode & 0o7777,
        before.st_dev,
        before.st_ino,
    )


def has_content(path: Path, sha256: str) -> bool:
    """Tell whether a plain file, not a link, holds this; a file that cannot be read does not."""
    try:
        return not path.is_symlink() and read_content(path).sha256 == sha256
    except OSError:
        return False
