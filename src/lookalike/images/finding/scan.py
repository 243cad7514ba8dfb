r"""Which image files lie below a folder.

Names are kept as text that can be stored and printed: relative to the root, with ``/``, and with the bytes
of names that are not UTF-8 written as ``\xe9`` (and a backslash as ``\\``), so that the way back is exact.

Links are followed, and every real folder is read once, whatever leads to it: under its own path, else under
that of the first link to it, or below it, in sorted order. So links that form loops end. Folders of the
system's own (``/proc``) are failures, and are not read. Hidden files and folders are passed over silently;
what else is, is counted.
"""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from lookalike.images.decode import os_reason
from lookalike.images.finding.globs import Excludes
from lookalike.images.finding.mounts import system_devices, weak_devices
from lookalike.images.finding.passed_over import find_left_folder, first_left_folder, takes_up
from lookalike.system import this_system
from lookalike.system.file_names import escape, unescape
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
        if this_system.WINDOWS or status.st_dev in weak:
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
    folders : set of str
        The folders that were read; ``""`` is the root.
    weak : frozenset of int
        The devices on which ctimes and inodes say nothing.
    system : dict of int to str
        The devices that are the system's own, and their types.
    """

    files: dict[str, FileStat] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    left_folders: Counter[str] = field(default_factory=Counter)
    unmet: tuple[str, ...] = ()
    folders: set[str] = field(default_factory=set, repr=False, compare=False)
    weak: frozenset[int] = field(default_factory=weak_devices, repr=False, compare=False)
    system: dict[int, str] = field(default_factory=system_devices, repr=False, compare=False)

    def in_order(self) -> Scan:
        """Return it in sorted order, the same on every machine."""
        files, failures = dict(sorted(self.files.items())), dict(sorted(self.failures.items()))
        return replace(self, files=files, failures=failures)


def scan(
    root: Path,
    below: str = "",
    exclude: Sequence[str] = (),
    watch: Watch = UNWATCHED,
    others: Sequence[Path] = (),
) -> Scan:
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
    others : sequence of Path
        Other folders that are scanned by themselves: links that lead into them are not followed.

    Returns
    -------
    Scan
        In sorted order, the same on every machine.
    """
    if below:
        return scan_files(root, [root / unescape(below)], exclude, watch, others)
    found, excludes = Scan(), Excludes(exclude)
    walk = _Walk(root, excludes, found, watch, others)
    walk.read("")
    walk.follow_links()
    found.unmet = excludes.unmet
    return found.in_order()


def scan_files(
    root: Path,
    files: Iterable[Path],
    exclude: Sequence[str] = (),
    watch: Watch = UNWATCHED,
    others: Sequence[Path] = (),
) -> Scan:
    """Look at the files that a user named, whatever their names end in; folders among them are walked.

    `files` lie below `root`, and are given with it. Those in folders of other programs are passed over, and
    those that a link leads to whose folder is read under another path: a scan of the root would take them out
    again.
    """
    found, excludes = Scan(), Excludes(exclude)
    walk = _Walk(root, excludes, found, watch, others)
    left: set[str] = set()
    named = []
    for file in watch.each(files):
        relative = escape(file.relative_to(root).as_posix())
        relative = "" if relative == "." else relative
        is_folder = os.path.isdir(file)  # not Path.is_dir, which raises where a folder above is unreadable
        parts = relative.split("/")
        row = find_left_folder(parts[-1]) if is_folder else None
        depth = _depth_of_left(parts if row and not row.read else parts[:-1])
        if depth:
            left.add("/".join(parts[:depth]))
            continue
        named.append(relative)
        if _leads_by_link(root, relative):
            walk.links.append(relative)
        elif is_folder:
            walk.read(relative)
        else:
            _look(file, relative, found)
    if "" in named:
        walk.follow_links()
    elif walk.links:  # what these lead to, and under which path it is read, the whole root tells alone
        _take_named(named, scan(root, "", exclude, watch, others), root, found)
    found.left_folders.update(path.rpartition("/")[2] for path in left)
    return found.in_order()


def _take_named(named: Sequence[str], whole: Scan, root: Path, found: Scan) -> None:
    """Add what was found in a whole root, as far as it was named."""

    def is_named(path: str) -> bool:
        return any(path == each or path.startswith(f"{each}/") for each in named)

    found.folders.update(filter(is_named, whole.folders))
    found.files.update({path: said for path, said in whole.files.items() if is_named(path)})
    found.failures.update({path: said for path, said in whole.failures.items() if is_named(path)})
    for relative in named:
        file = root / unescape(relative)
        is_known = relative in found.files or relative in found.failures
        if not is_known and relative.rpartition("/")[0] in whole.folders and not os.path.isdir(file):
            _look(file, relative, found)  # one that a scan passes over, by its ending


def _leads_by_link(root: Path, relative: str) -> bool:
    """Tell whether a folder on the way from the root to a path, or the path itself as one, is a link."""
    place = str(root)
    for part in relative.split("/") if relative else ():
        place = os.path.join(place, unescape(part))
        if os.path.islink(place) and os.path.isdir(place):
            return True
    return False


class _Walk:
    """The way through a root: real folders first, then what links lead to."""

    def __init__(
        self, root: Path, excludes: Excludes, found: Scan, watch: Watch, others: Sequence[Path]
    ) -> None:
        self._root, self._excludes, self._found, self._watch = root, excludes, found, watch
        self._others = {Path(os.path.realpath(other)) for other in others}
        self._read: set[object] = set()
        self.links: list[str] = []
        """Links to folders that wait for all real folders to be read; a heap."""

    def read(self, start: str) -> None:
        """Read a folder and what lies below it, but not what links lead to."""
        above = [part for part in start.split("/")[:-1] if start]
        only = _read_of_root(self._place(start)) if not above else frozenset()
        waiting: list[tuple[str, frozenset[str]]] = [(start, only)]
        while waiting:
            self._tell()
            relative, only = waiting.pop()
            try:
                if not self._is_new(relative):
                    continue
                with os.scandir(self._place(relative)) as entries:
                    listing = sorted(entries, key=lambda entry: entry.name, reverse=True)
            except OSError as error:
                self._found.failures[relative or "."] = os_reason(error)
                continue
            self._found.folders.add(relative)
            waiting += self._take(relative, listing, only)

    def follow_links(self) -> None:
        """Read what the links that were met lead to, and those that are met there, in sorted order."""
        for other in self._others:
            with contextlib.suppress(OSError):
                self._read.add(self._identity(other))
        heapq.heapify(self.links)
        while self.links:
            relative = heapq.heappop(self.links)
            real = Path(os.path.realpath(self._place(relative)))
            if not self._others.intersection(real.parents):
                self.read(relative)

    def _take(
        self, relative: str, listing: Sequence[os.DirEntry[str]], only: frozenset[str]
    ) -> list[tuple[str, frozenset[str]]]:
        """Add the files of a folder; return the folders in it, and what alone is read in each."""
        folders = []
        for number, entry in enumerate(listing):
            if number % _TOLD == _TOLD - 1:
                self._tell()
            path = f"{relative}/{escape(entry.name)}" if relative else escape(entry.name)
            is_excluded = bool(self._excludes) and self._excludes(entry.name, unescape(path))
            if is_excluded or entry.name.startswith("."):
                continue
            if only and entry.name.lower() not in only:
                continue
            try:
                is_folder, is_link = entry.is_dir(), entry.is_symlink()
            except OSError as error:  # a loop of links: nobody can say what it was to be
                self._found.failures[path] = os_reason(error)
                continue
            ending = os.path.splitext(entry.name)[1].lower()
            if not is_folder and takes_up(ending):
                _look(entry, path, self._found)
            elif not is_folder:
                self._found.others[escape(ending)] += 1
            else:
                row = find_left_folder(entry.name)
                if row is not None and not row.read:
                    self._found.left_folders[escape(entry.name)] += 1
                elif is_link:
                    heapq.heappush(self.links, path)
                else:
                    folders.append((path, row.read if row else frozenset()))
        return folders

    def _is_new(self, relative: str) -> bool:
        """Tell whether a folder is to be read and was not yet; from now on, it was."""
        place = self._place(relative)
        kind = self._found.system.get(place.stat().st_dev)
        if kind is not None:
            self._found.failures[relative or "."] = _of_system("a folder", kind)
            return False
        identity = self._identity(place)
        if identity in self._read:
            return False
        self._read.add(identity)
        return True

    def _identity(self, place: Path) -> object:
        """Return what tells which folders are one: device and inode, but for disks that make these up."""
        status = place.stat()
        is_weak = status.st_dev in self._found.weak or not status.st_ino
        return os.path.realpath(place) if is_weak else (status.st_dev, status.st_ino)

    def _place(self, relative: str) -> Path:
        return self._root / unescape(relative) if relative else self._root

    def _tell(self) -> None:
        n_files = len(self._found.files)
        self._watch(Progress("scanning", n_files, words="looking for images", unit="images"))


def _of_system(what: str, kind: str) -> str:
    return f"{what} of the system's own ({kind}), which is not read"


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


def find_again(
    root: Path, relatives: Iterable[str], exclude: Sequence[str] = (), folders: Set[str] = frozenset()
) -> Scan:
    """Look for files that were named by hand once and that a scan passes over.

    Those that `exclude` matches by now, or that lie in a folder that it matches, are left out, and so are
    those that are gone, those in folders of other programs, and those that a link leads to whose folder is
    not among the `folders` that were read; what cannot be looked at fails.
    """
    found, excludes = Scan(), Excludes(exclude)
    above = [root.name] if _read_of_root(root) else []
    for relative in relatives:
        parts = relative.split("/")
        steps = [(part, "/".join(parts[: depth + 1])) for depth, part in enumerate(parts)]
        is_left = first_left_folder([*above, *parts[:-1]]) is not None
        inside = "/".join(parts[:-1])
        is_left = is_left or (inside not in folders and _leads_by_link(root, inside))
        if not is_left and not any(excludes(unescape(name), unescape(path)) for name, path in steps):
            _look(root / unescape(relative), relative, found)
    nothing = {os_reason(OSError(code, os.strerror(code))) for code in (errno.ENOENT, errno.ENOTDIR)}
    found.failures = {path: reason for path, reason in found.failures.items() if reason not in nothing}
    return found


def _why_unseen(file: Path | os.DirEntry[str], error: OSError) -> str:
    try:
        is_dangling = isinstance(error, FileNotFoundError) and file.is_symlink()
    except OSError as another:  # the disk has dropped out in between: nobody knows whether the file is there
        return os_reason(another)
    return "a link to a file that is not there" if is_dangling else os_reason(error)


def _look(file: Path | os.DirEntry[str], relative: str, found: Scan) -> None:
    try:
        status = file.stat()
    except OSError as error:
        found.failures[relative] = _why_unseen(file, error)
        return
    kind = found.system.get(status.st_dev)
    if stat.S_ISREG(status.st_mode) and kind is not None:
        found.failures[relative] = _of_system("a file", kind)
    elif stat.S_ISREG(status.st_mode):
        found.files[relative] = FileStat.of(status, found.weak)
    else:
        found.failures[relative] = "not a regular file"
