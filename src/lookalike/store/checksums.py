"""Checksums of the files that a table is made of: they are written once, and never changed.

A table's folder holds ``checksums.txt``, to which lines are only added, one a file:

    sha256  size  mtime_ns  inode  data/1010…ef.lance  crc32 of the line so far

The last line about a file counts. A line that was torn, or has rotted, is not what its own crc32 says, and
counts as none: of a file without a line nobody knows whether it is what was written, which is no fault.

A file whose size, time and number are as noted is taken to be as it was; one for which they are not, as in a
copy, is read once, and its new time and number are noted. SHA-256, as processors compute it, reads 1.9 GB/s
(blake2b 1.0, crc32 4.3), which is a thousandth of what indexing takes; and ``sha256sum`` knows it, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from lookalike.system.file_identity import FileIdentity
from lookalike.system.flush import flush_file
from lookalike.system.replace_file import replace_file

CHECKSUMS = "checksums.txt"
"""What the file is called in the folder of a table."""

Verdict = Literal["whole", "damaged", "missing", "unknown"]
"""What is known of a file: `unknown` where nothing was noted."""

_READ_AT_ONCE = 1 << 20  # bytes


class Noted(NamedTuple):
    """What was noted of a file."""

    sha256: str
    size: int
    mtime_ns: int
    inode: int

    def is_as_noted(self, facts: os.stat_result) -> bool:
        """Tell whether a file is the very one that was noted, by what the system says of it."""
        return FileIdentity(self.mtime_ns, self.size, self.inode) == FileIdentity.of(facts)


class Checksums:
    """The checksums of a table. Several threads may use them.

    Parameters
    ----------
    table : Path
        Its folder. Files are named by their path in it, with ``/``.
    """

    def __init__(self, table: Path) -> None:
        self.table = table
        self.file = table / CHECKSUMS
        self._lock = threading.Lock()
        self._noted: dict[str, Noted] = {}
        self._read: tuple[int, int] = (0, 0)  # number of the file, and how far it was read

    def read(self) -> dict[str, Noted]:
        """Return what is noted of each file; nothing, where none was ever noted.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        with self._lock:
            try:
                with self.file.open("rb") as stream:
                    facts = os.fstat(stream.fileno())
                    number, end = self._read
                    if facts.st_ino != number or facts.st_size < end:
                        self._noted, end = {}, 0
                    stream.seek(end)
                    lines = stream.read()
            except (FileNotFoundError, NotADirectoryError):
                self._noted, self._read = {}, (0, 0)
                return {}
            self._read = facts.st_ino, end + lines.rfind(b"\n") + 1  # the rest is being written
            self._noted.update(_parse(lines))
            return dict(self._noted)

    def note(self, names: Iterable[str], *, flush: bool = True) -> None:
        """Note files as they are now.

        Parameters
        ----------
        names : iterable of str
        flush : bool
            Whether it is to be on the disk on return.

        Raises
        ------
        OSError
            If one cannot be read, or the checksums not be written.
        """
        lines = b"".join(_line(name, _look(self.table / name)) for name in names)
        if not lines:
            return
        with self.file.open("ab+") as stream:
            size = stream.seek(0, os.SEEK_END)
            if size:
                stream.seek(size - 1)
                if stream.read(1) != b"\n":  # the end of a line that was torn
                    lines = b"\n" + lines
            stream.write(lines)
        if flush:
            flush_file(self.file)

    def verify(self, name: str, noted: Noted | None) -> Verdict:
        """Read a file, and tell whether it is what was noted of it.

        Raises
        ------
        OSError
            If it is there and cannot be read.
        """
        try:
            found = _look(self.table / name)
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        if noted is None:
            return "unknown"
        return "whole" if (found.sha256, found.size) == (noted.sha256, noted.size) else "damaged"

    def trust(self, name: str, noted: Noted | None) -> Verdict:
        """Tell as `verify` does, but without reading a file that is the very one that was noted.

        Raises
        ------
        OSError
            If it is there and cannot be read.
        """
        try:
            facts = os.stat(self.table / name)
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        if noted is None:
            return "unknown"
        if noted.is_as_noted(facts):
            return "whole"
        if noted.size != facts.st_size:
            return "damaged"
        verdict = self.verify(name, noted)
        if verdict == "whole":
            with contextlib.suppress(OSError):  # then it is read again next time
                self.note([name], flush=False)
        return verdict

    def forget_others(self, names: Iterable[str]) -> None:
        """Write the file anew, with what is noted of these files and of no other.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        noted = self.read()
        lines = [_line(name, noted[name]) for name in names if name in noted]
        if self.file.exists():
            replace_file(self.file, b"".join(lines), durable=True)


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file's content, in hex.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return _look(file).sha256


def _look(file: Path) -> Noted:
    with file.open("rb", buffering=0) as stream:
        digest = hashlib.sha256()
        while block := stream.read(_READ_AT_ONCE):
            digest.update(block)
        facts = os.fstat(stream.fileno())
    return Noted(digest.hexdigest(), facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _line(name: str, noted: Noted) -> bytes:
    r"""Write a line.

    >>> line = _line("data/a.lance", Noted("ab" * 32, 5, 7, 9))
    >>> line[64:]
    b' 5 7 9 data/a.lance 44eded38\n'
    >>> _parse(line)["data/a.lance"].size
    5
    >>> _parse(b"x" + line)
    {}
    """
    text = f"{noted.sha256} {noted.size} {noted.mtime_ns} {noted.inode} {name}".encode()
    return b"%s %08x\n" % (text, zlib.crc32(text))


def _parse(lines: bytes) -> dict[str, Noted]:
    """Return what whole lines say, by the name of the file."""
    found = {}
    for line in lines.split(b"\n")[:-1]:
        text, _, crc = line.rpartition(b" ")
        parts = text.split(b" ", 4)
        if len(parts) == 5 and crc == b"%08x" % zlib.crc32(text):
            sha256, size, mtime_ns, inode, name = parts
            found[name.decode()] = Noted(sha256.decode(), int(size), int(mtime_ns), int(inode))
    return found
