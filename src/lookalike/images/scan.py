r"""Which image files lie below a folder.

Names are kept as text that can be stored and printed: relative to the root, with ``/``, and with the bytes
of names that are not UTF-8 written as ``\xe9`` (and a backslash as ``\\``), so that the way back is exact.

Links are followed. A link that leads back to a folder above it would never end: it is a failure, named and
counted, and the scan goes on.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.images.decode import os_reason
from lookalike.images.formats import EXTENSIONS
from lookalike.images.mounts import weak_devices

_LATEST = 2**63 - 1  # nanoseconds: the year 2262; a file may claim to be younger, but no table can hold it

SKIPPED_FOLDERS = frozenset({"@eaDir", "__MACOSX", "node_modules", "$RECYCLE.BIN", "lost+found"})
"""Folders that hold other programs' copies and leavings, never the user's own pictures."""


@dataclass(frozen=True, slots=True)
class FileStat:
    """What a file's name and status say, without opening it.

    Attributes
    ----------
    size : int
        Bytes.
    mtime_ns : int
        Time of the last change, nanoseconds since 1970.
    ctime_ns : int or None
        Time of the last change of the status, which no program can set: a rename or a new mode count, too.
    inode : int or None
        The number of the file; its 64 bits as a signed number. Both are None where they say nothing.
    """

    size: int
    mtime_ns: int
    ctime_ns: int | None = None
    inode: int | None = None

    @classmethod
    def of(cls, status: os.stat_result, weak: frozenset[int] = frozenset()) -> FileStat:
        """Take it from a status; `weak` are devices whose ctimes and inodes say nothing."""
        mtime = _storable(status.st_mtime_ns)
        # Windows has the time of creation there, and no number for some disks.
        if os.name == "nt" or status.st_dev in weak:
            return cls(status.st_size, mtime)
        inode = status.st_ino - (1 << 64) if status.st_ino > _LATEST else status.st_ino
        return cls(status.st_size, mtime, _storable(status.st_ctime_ns), inode or None)


def _storable(time_ns: int) -> int:
    return min(max(time_ns, -_LATEST), _LATEST)


@dataclass(slots=True)
class Scan:
    """What a scan found, by relative path.

    Attributes
    ----------
    files : dict of str to FileStat
        Files whose name ends like an image's.
    failures : dict of str to str
        Files and folders that could not be looked at, with the reason.
    others : int
        Files of other kinds, passed over.
    weak : frozenset of int
        The devices on which ctimes and inodes say nothing.
    """

    files: dict[str, FileStat] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    others: int = 0
    weak: frozenset[int] = field(default_factory=weak_devices, repr=False, compare=False)


def escape(name: str) -> str:
    r"""Write a file name as printable, storable text.

    >>> import os
    >>> print(escape(os.fsdecode(b"caf\xe9.jpg")))
    caf\xe9.jpg
    """
    if name.isascii() and "\\" not in name:  # nearly all, and there may be a million
        return name
    return "".join(_escape_character(character) for character in name)


def _escape_character(character: str) -> str:
    code = ord(character)
    if character == "\\":
        return "\\\\"
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries bytes that are not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character


def unescape(text: str) -> str:
    r"""Return the file name that `escape` wrote.

    >>> print(unescape(escape(r"a\b")))
    a\b
    """
    return re.sub(
        r"\\(\\|x[0-9a-f]{2})",
        lambda found: "\\" if found[1] == "\\" else chr(0xDC00 + int(found[1][1:], 16)),
        text,
    )


def scan(root: Path, below: str = "", exclude: Sequence[str] = ()) -> Scan:
    """Find the image files below a folder.

    Parameters
    ----------
    root : Path
        Paths in the result are relative to it.
    below : str
        Look only below this subfolder of the root (an escaped relative path).
    exclude : sequence of str
        Globs; files and folders whose name or relative path matches one are passed over. So are hidden
        ones, and the folders of ``SKIPPED_FOLDERS``.

    Returns
    -------
    Scan
        In sorted order, the same on every machine.
    """
    found = Scan()
    start = root / unescape(below) if below else root
    _walk(start, below, exclude, found)
    return Scan(dict(sorted(found.files.items())), dict(sorted(found.failures.items())), found.others)


def scan_files(root: Path, files: Iterable[Path], exclude: Sequence[str] = ()) -> Scan:
    """Look at the files that a user named, whatever their names end in; folders among them are walked.

    `files` lie below `root`, and are given with it.
    """
    found = Scan()
    for file in files:
        relative = escape(file.relative_to(root).as_posix())
        if os.path.isdir(file):  # not Path.is_dir, which raises where a folder above is unreadable
            _walk(file, relative, exclude, found)
        else:
            _look(file, relative, found)
    return Scan(dict(sorted(found.files.items())), dict(sorted(found.failures.items())), found.others)


def _walk(start: Path, below: str, exclude: Sequence[str], found: Scan) -> None:
    """Add what lies below `start` to `found`, under paths that begin with `below`."""
    # Each folder comes with the folders that lead to it, by device and inode: links can form loops.
    waiting: list[tuple[Path, str, tuple[tuple[int, int], ...]]] = [(start, below, _leading(start, below))]
    while waiting:
        folder, relative, above = waiting.pop()
        try:
            status = folder.stat()
            here = (status.st_dev, status.st_ino)
            if here in above:
                found.failures[relative] = "a loop: this link leads back to a folder above it"
                continue
            with os.scandir(folder) as entries:
                listing = list(entries)
        except OSError as error:
            found.failures[relative or "."] = os_reason(error)
            continue
        for entry in listing:
            path = f"{relative}/{escape(entry.name)}" if relative else escape(entry.name)
            if _is_passed_over(entry.name, path, exclude):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a loop of links: nobody can say what it was to be
                found.failures[path] = os_reason(error)
                continue
            if is_folder:
                waiting.append((Path(entry.path), path, (*above, here)))
            elif os.path.splitext(entry.name)[1].lower() in EXTENSIONS:
                _look(entry, path, found)
            else:
                found.others += 1


def _leading(start: Path, below: str) -> tuple[tuple[int, int], ...]:
    """Return the folders between the root and `start`, by device and inode."""
    try:
        above = [folder.stat() for folder in start.parents[: below.count("/") + 1]] if below else []
    except OSError:  # walking `start` will say what is wrong
        return ()
    return tuple((status.st_dev, status.st_ino) for status in above)


def find_again(root: Path, relatives: Iterable[str], exclude: Sequence[str] = ()) -> Scan:
    """Look for files that were named by hand once and that a scan passes over.

    Those that `exclude` matches by now, or that lie in a folder that it matches, are left out, and so are
    those that are gone; what cannot be looked at fails.
    """
    found = Scan()
    for relative in relatives:
        parts = relative.split("/")
        steps = [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]
        if not any(_is_excluded(name, path, exclude) for name, path in steps):
            _look(root / unescape(relative), relative, found)
    nothing = {os_reason(OSError(code, os.strerror(code))) for code in (errno.ENOENT, errno.ENOTDIR)}
    found.failures = {path: reason for path, reason in found.failures.items() if reason not in nothing}
    return found


def _look(file: Path | os.DirEntry[str], relative: str, found: Scan) -> None:
    try:
        status = file.stat()
    except OSError as error:
        is_dangling = isinstance(error, FileNotFoundError) and file.is_symlink()
        found.failures[relative] = "a link to a file that is not there" if is_dangling else os_reason(error)
        return
    if stat.S_ISREG(status.st_mode):
        found.files[relative] = FileStat.of(status, found.weak)
    else:
        found.failures[relative] = "not a regular file"


def _is_passed_over(name: str, path: str, exclude: Sequence[str]) -> bool:
    if name.startswith(".") or name in SKIPPED_FOLDERS:
        return True
    return _is_excluded(name, path, exclude)


def _is_excluded(name: str, path: str, exclude: Sequence[str]) -> bool:
    globs = [glob.rstrip("/") for glob in exclude]
    return any(fnmatch.fnmatchcase(name, glob) or fnmatch.fnmatchcase(path, glob) for glob in globs)
