"""The trash of the system, from which a file can be put back.

On Linux it is that of freedesktop.org (Trash Specification 1.0), written here: what is to be undone has to be
known before it is done, and a name in the trash must be taken for good before a file gets it (``O_EXCL``), or
two programs that throw files of one name away put one over the other. send2trash 2.2 says no name, and only
looks whether one is free. macOS and Windows have calls of their own for it, which send2trash makes.
"""

from __future__ import annotations

import datetime
import errno
import importlib
import itertools
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from lookalike.system.file_moves import may_write
from lookalike.system.flush import flush_folder, flush_open

_LONGEST = 200  # bytes of a name in the trash, so that a number and an ending fit


class NoTrashError(OSError):
    """There is no trash that takes a file, and none can be made."""


@dataclass(frozen=True, slots=True)
class TrashPlace:
    """A place in the trash for a file.

    Attributes
    ----------
    file, info : Path
        Where it is to lie, and where it is written down where it lay.
    text : bytes
        What is written there.
    """

    file: Path
    info: Path
    text: bytes

    def take(self) -> None:
        """Take the place, for nobody else to have it.

        Raises
        ------
        FileExistsError
            If somebody else has it.
        OSError
            If the disk refuses it.
        """
        handle = os.open(self.info, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, self.text)
            flush_open(handle)
        except OSError:
            self.info.unlink()
            raise
        finally:
            os.close(handle)
        flush_folder(self.info.parent)

    def give_back(self, file: Path) -> None:
        """Let others have the place of a file that is not in it any more, if it is its own still."""
        if not os.path.lexists(self.file) and self.is_of(file):
            self.info.unlink(missing_ok=True)

    def is_of(self, file: Path) -> bool:
        """Tell whether it is written down that a file lay where this one does, or did."""
        try:
            text = self.info.read_bytes()
        except OSError:
            return False
        lines = dict(line.split(b"=", 1) for line in text.splitlines() if b"=" in line)
        path = os.fsdecode(unquote_to_bytes(lines.get(b"Path", b"")))
        return bool(path) and str(file).endswith(path)


def can_be_told() -> bool:
    """Tell whether it is known where a file will lie in the trash of this system."""
    return sys.platform.startswith(("linux", "freebsd", "openbsd", "netbsd"))


def throw_away(file: Path) -> None:
    """Put a file into the trash of a system that does not say where it will lie there.

    Raises
    ------
    OSError
        If it does not take it; NoTrashError, if there is none.
    """
    trash = importlib.import_module("send2trash")
    try:
        trash.send2trash(os.fspath(file))
    except trash.TrashPermissionError as error:
        raise NoTrashError(errno.EACCES, "there is no trash for it", str(file)) from error


def places_for(file: Path) -> Iterator[TrashPlace]:
    """Yield places in the trash that seem to be free, one after the other; the folders of it are made.

    Parameters
    ----------
    file : Path
        Absolute.

    Raises
    ------
    NoTrashError
        If there is no trash on the file's disk, and none can be made.
    """
    trash, top = _trash_for(file)
    shown = os.path.relpath(file, top) if top is not None else os.fspath(file)
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H:%M:%S")
    text = f"[Trash Info]\nPath={quote(os.fsencode(shown))}\nDeletionDate={now}\n".encode()
    stem, ending = os.path.splitext(file.name)
    stem = os.fsdecode(os.fsencode(stem)[:_LONGEST])
    for number in itertools.count(1):
        name = f"{stem}{ending}" if number == 1 else f"{stem}.{number}{ending}"
        place = TrashPlace(trash / "files" / name, trash / "info" / f"{name}.trashinfo", text)
        if not os.path.lexists(place.file) and not os.path.lexists(place.info):
            yield place


def _trash_for(file: Path) -> tuple[Path, Path | None]:
    """Return the trash that takes a file, and what paths in it are relative to, if they are."""
    device = os.lstat(file).st_dev
    home = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    trash = Path(home) / "Trash"
    there = next(each for each in (trash, *trash.parents) if each.exists())
    if there.stat().st_dev == device:
        return _made(trash, file), None
    top = file.parent.resolve()
    while top != top.parent and os.stat(top.parent).st_dev == device:
        top = top.parent
    shared = top / ".Trash"
    try:
        mode = os.lstat(shared).st_mode
    except OSError:
        mode = 0
    if stat.S_ISDIR(mode) and mode & stat.S_ISVTX:  # as the specification asks, no link among it
        try:
            return _made(shared / str(os.getuid()), file), top
        except NoTrashError:
            pass
    return _made(top / f".Trash-{os.getuid()}", file), top


def _made(trash: Path, file: Path) -> Path:
    try:
        for each in (trash, trash / "files", trash / "info"):
            each.mkdir(0o700, parents=True, exist_ok=True)
        if trash.is_symlink() or not may_write(trash / "files"):
            raise PermissionError(errno.EACCES, "it cannot be written to", str(trash))
    except OSError as error:
        reason = f"there is no trash for it: {trash}: {error.strerror or error}"
        raise NoTrashError(error.errno or errno.EACCES, reason, str(file)) from error
    return trash
