"""A model of what a disk holds when the power is cut, from what a process has flushed.

Lance flushes nothing, and all that lookalike flushes it flushes by `os.fsync`: so who watches that call knows
what must be on the disk. Of all else this takes any part, by chance: of each name in a folder that was made,
removed or replaced since the folder was flushed, the old or the new; of each file whose content was changed
since it was flushed, the old, the new, a piece of it, zeros, or nothing. No file system is as harsh.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Names = dict[str, int]
"""The files and folders in a folder, by name: their inodes."""


class Disk:
    """What is certain to be on the disk of all that lies in a folder.

    Parameters
    ----------
    root : Path
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: dict[int, Names] = {}
        self._files: dict[int, bytes] = {}
        self._held: dict[int, int] = {}  # open, so that no other file gets the inode
        self.flush_all()

    def flush_all(self) -> None:
        """Take all that is there now for flushed."""
        self.close()
        self._folders.clear()
        self._files.clear()
        for path in (self.root, *self.root.rglob("*")):
            handle = os.open(path, os.O_RDONLY)
            self.flush(handle)
            os.close(handle)

    def flush(self, handle: int) -> None:
        """Take a file or folder for flushed, as `os.fsync` was called for it."""
        facts = os.fstat(handle)
        if facts.st_ino not in self._held:
            self._held[facts.st_ino] = os.dup(handle)
        if stat.S_ISDIR(facts.st_mode):
            names = _names(f"/proc/self/fd/{handle}")
            self._folders[facts.st_ino] = names
            for name, inode in names.items():
                if inode not in self._held:
                    with contextlib.suppress(FileNotFoundError):
                        self._held[inode] = os.open(f"/proc/self/fd/{handle}/{name}", os.O_RDONLY)
        else:
            with open(f"/proc/self/fd/{handle}", "rb") as stream:
                self._files[facts.st_ino] = stream.read()

    def cut(self, to: Path, chance: random.Random) -> None:
        """Write what the disk may hold now to a folder that is not there."""
        paths = {os.lstat(self.root).st_ino: self.root}
        for path in self.root.rglob("*"):
            try:
                paths[os.lstat(path).st_ino] = path
            except FileNotFoundError:
                continue
        self._cut(os.lstat(self.root).st_ino, to, paths, chance)

    def close(self) -> None:
        """Let go of the files that are held open."""
        for handle in self._held.values():
            os.close(handle)
        self._held.clear()

    def _cut(self, inode: int, to: Path, paths: dict[int, Path], chance: random.Random) -> None:
        path = paths.get(inode)
        is_folder = path.is_dir() if path is not None else inode in self._folders
        if not is_folder:
            to.write_bytes(self._content(inode, path, chance))
            if path is not None:
                facts = path.stat()
                os.utime(to, ns=(facts.st_atime_ns, facts.st_mtime_ns))
            return
        to.mkdir()
        old = self._folders.get(inode, {})
        new = {} if path is None else _names(path)
        for name in sorted(old.keys() | new.keys()):
            chosen = chance.choice((old.get(name), new.get(name)))
            if chosen is not None and (chosen in paths or chosen in self._folders or chosen in self._files):
                self._cut(chosen, to / name, paths, chance)

    def _content(self, inode: int, path: Path | None, chance: random.Random) -> bytes:
        old = self._files.get(inode)
        if path is None:
            return old or b""
        new = path.read_bytes()
        if old == new:
            return new
        kept = old or b""
        length = chance.randint(0, len(new))
        return chance.choice(
            (kept, new, new[:length], bytes(len(new)), kept + bytes(max(0, len(new) - len(kept))))
        )


def _names(folder: Path | str) -> Names:
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries}


@contextmanager
def watching(disk: Disk, moment: Callable[[], None]) -> Iterator[None]:
    """Have a disk told of what is flushed, and `moment` called before and after each time."""
    flush = os.fsync

    def fsync(handle: int) -> None:
        moment()
        flush(handle)
        if os.readlink(f"/proc/self/fd/{handle}").startswith(str(disk.root)):
            disk.flush(handle)
        moment()

    os.fsync = fsync
    try:
        yield
    finally:
        os.fsync = flush
