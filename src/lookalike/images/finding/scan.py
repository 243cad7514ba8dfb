r"""Which image files lie below a folder.

Names are kept as text that can be stored and printed: relative to the root, with ``/``, and with the bytes
of names that are not UTF-8 written as ``\xe9`` (and a backslash as ``\\``), so that the way back is exact.

Links are followed. A link that leads back to a folder above it would never end: it is a failure, named and
counted, and the scan goes on. Hidden files and folders are passed over silently; what else is, is counted.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lookalike.images.decode import os_reason
from lookalike.images.finding.globs import Excludes
from lookalike.images.finding.mounts import weak_devices
from lookalike.images.finding.passed_over import find_left_folder, first_left_folder, takes_up
from lookalike.system.progress import UNWATCHED, Progress, Watch

_TOLD = 1_000  # files of a folder between two reports
_LATEST = 2**63 - 1  # nanoseconds: the year 2262; a file may claim to be younger, but no table can hold it


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
    others : Counter of str
        How many files of other kinds were passed over, by their ending, in lower case.
    left_folders : Counter of str
        How many folders of other programs were passed over, by their name, escaped.
    unmet : tuple of str
        Of what was to be excluded, that which nothing matched.
    weak : frozenset of int
        The devices on which ctimes and inodes say nothing.
    """

    files: dict[str, FileStat] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    left_folders: Counter[str] = field(default_factory=Counter)
    unmet: tuple[str, ...] = ()
    weak: frozenset[int] = field(default_factory=weak_devices, repr=False, compare=False)

    def in_order(self) -> Scan:
        """Return it in sorted order, the same on every machine."""
        files, failures = dict(sorted(self.files.items())), dict(sorted(self.failures.items()))
        return replace(self, files=files, failures=failures)


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


def scan(root: Path, below: str = "", exclude: Sequence[str] = (), watch: Watch = UNWATCHED) -> Scan:
    """Find the image files below a folder.

    Parameters
    ----------
    root : Path
        Paths in the result are relative to it.
    below : str
        Look only below this subfolder of the root (an escaped relative path).
    exclude : sequence of str
        Globs; files and folders whose name or relative path matches one are passed over, see
        `images.finding.globs`. So are hidden ones, and the folders of `images.finding.passed_over`, unless
        the root is one.
    watch : Watch
        Told how many files there are so far.

    Returns
    -------
    Scan
        In sorted order, the same on every machine.
    """
    found, excludes = Scan(), Excludes(exclude)
    start = root / unescape(below) if below else root
    _walk(start, below, excludes, found, watch)
    found.unmet = excludes.unmet
    return found.in_order()


def scan_files(
    root: Path, files: Iterable[Path], exclude: Sequence[str] = (), watch: Watch = UNWATCHED
) -> Scan:
    """Look at the files that a user named, whatever their names end in; folders among them are walked.

    `files` lie below `root`, and are given with it. Those in folders of other programs are passed over: a
    scan of the root would take them out again.
    """
    found, excludes = Scan(), Excludes(exclude)
    left: set[str] = set()
    for file in watch.each(files):
        relative = escape(file.relative_to(root).as_posix())
        is_folder = os.path.isdir(file)  # not Path.is_dir, which raises where a folder above is unreadable
        parts = relative.split("/")
        row = find_left_folder(parts[-1]) if is_folder else None
        depth = _depth_of_left(parts if row and not row.read else parts[:-1])
        if depth:
            left.add("/".join(parts[:depth]))
        elif is_folder:
            _walk(file, relative, excludes, found, watch)
        else:
            _look(file, relative, found)
    found.left_folders.update(path.rpartition("/")[2] for path in left)
    return found.in_order()


def _walk(start: Path, below: str, excludes: Excludes, found: Scan, watch: Watch) -> None:
    """Add what lies below `start` to `found`, under paths that begin with `below`."""
    # Each folder comes with the folders that lead to it, by device and inode: links can form loops.
    waiting: list[tuple[Path, str, tuple[tuple[int, int], ...], frozenset[str]]]
    waiting = [(start, below, _leading(start, below), _read_of_root(start))]
    while waiting:
        watch(Progress("scanning", len(found.files), words="looking for images", unit="images"))
        folder, relative, above, only = waiting.pop()
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
        for number, entry in enumerate(listing):
            if number % _TOLD == _TOLD - 1:
                watch(Progress("scanning", len(found.files), words="looking for images", unit="images"))
            path = f"{relative}/{escape(entry.name)}" if relative else escape(entry.name)
            if (excludes and excludes(entry.name, unescape(path))) or entry.name.startswith("."):
                continue
            if only and entry.name.lower() not in only:
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a loop of links: nobody can say what it was to be
                found.failures[path] = os_reason(error)
                continue
            if is_folder:
                row = find_left_folder(entry.name)
                if row is not None and not row.read:
                    found.left_folders[escape(entry.name)] += 1
                else:
                    waiting.append((Path(entry.path), path, (*above, here), row.read if row else frozenset()))
                continue
            ending = os.path.splitext(entry.name)[1].lower()
            if takes_up(ending):
                _look(entry, path, found)
            else:
                found.others[escape(ending)] += 1


def _read_of_root(folder: Path) -> frozenset[str]:
    """Return what alone is read in a folder that the user named, in lower case; empty for all of it.

    All is read but for a library of photos that has its originals where they are expected.
    """
    row = find_left_folder(folder.name)
    if row is None or not row.read:
        return frozenset()
    try:
        names = {name.lower() for name in os.listdir(folder)}
    except OSError:  # walking it will say what is wrong
        return frozenset()
    return row.read if names & row.read else frozenset()


def _depth_of_left(folders: Sequence[str]) -> int:
    """Return how deep the outermost folder of another program lies, from 1; 0 if there is none."""
    name = first_left_folder(folders)
    return 0 if name is None else folders.index(name) + 1


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
    those that are gone, and those in folders of other programs; what cannot be looked at fails.
    """
    found, excludes = Scan(), Excludes(exclude)
    above = [root.name] if _read_of_root(root) else []
    for relative in relatives:
        parts = relative.split("/")
        steps = [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]
        is_left = first_left_folder([*above, *parts[:-1]]) is not None
        if not is_left and not any(excludes(unescape(name), unescape(path)) for name, path in steps):
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
