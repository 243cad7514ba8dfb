"""Files that a user names, written so that nothing of theirs is ever lost.

What is there already is written over if it is empty, if it says of itself that lookalike made it, or if the
user says so (``force``). All else is refused, before any work is done and once more when the file takes its
place. Pipes and devices are written to. Whoever writes where a user says, writes by way of this module: a
test holds them to it.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from lookalike.errors import ConflictError, NotFoundError, ResourceError
from lookalike.hints import Hint
from lookalike.system.renaming import rename
from lookalike.system.replace_file import partial_of

IsOurs: TypeAlias = Callable[[bytes], bool]
"""Tells by the first and the last bytes of a file whether lookalike made it."""

_ENDS = 1 << 16  # bytes at either end of a file, in which such marks stand
_COLLECTION = (".lookalike", "collection.json")  # a collection's folder, and what tells it from others
_OPENED = re.compile(r"/dev/(stdin|stdout|stderr|fd/\d+)|/proc/(self|thread-self|\d+)/fd/\d+")


def check_output(file: Path, is_ours: IsOurs | None = None, *, force: bool = False) -> None:
    """Raise LookalikeError unless a file may be written.

    Parameters
    ----------
    file : Path
        As the user named it. A link stands for what it leads to.
    is_ours : callable, optional
        Given the first and the last 64 KiB of what is there, or all of less, tells whether lookalike made it.
        Without, nothing that is there may go.
    force : bool
        Whether the user wants what is there to be written over.

    Raises
    ------
    ConflictError
        If something is there that may not go: a file of the user's, a folder, a disk, a part of a collection.
    NotFoundError
        If there is no folder to hold it.
    ResourceError
        If the system does not let us look.

    Examples
    --------
    >>> check_output(Path("new.png"))  # nothing is there
    """
    if is_opened(file):
        return
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        folder = place_of(file).parent
        if not folder.is_dir():
            raise NotFoundError(f"{file}: there is no folder {folder}", field="file") from None
        status = None
    except OSError as error:
        raise ResourceError(f"cannot write {file}: {error.strerror or error}", field="file") from error
    refuse_collections(file)
    if status is None or is_stream(file):
        return
    if stat.S_ISDIR(status.st_mode):
        raise _conflict(f"{file} is a folder; expected the name of a file")
    if not stat.S_ISREG(status.st_mode):
        raise _conflict(f"{file} is no file, but a disk or a socket; it is left as it is")
    if not force and status.st_size and not (is_ours is not None and is_ours(_ends_of(file))):
        raise ConflictError(
            f"{file} is there already, and nothing that lookalike made; it is left as it is",
            hint=Hint("force_export"),
            field="file",
        )


def write_output(file: Path, content: bytes, is_ours: IsOurs | None = None, *, force: bool = False) -> None:
    """Write a file that the user named, whole or not at all; see `check_output`.

    Raises
    ------
    LookalikeError
        As of `check_output`; of those a ResourceError, too, if the disk does not take it.
    """
    check_output(file, is_ours, force=force)
    try:
        if is_stream(file):
            # Not cut first: behind `>>` there is something.
            with open(os.open(file, os.O_WRONLY | os.O_APPEND), "wb") as stream:
                stream.write(content)
            return
        place = place_of(file)
        partial = partial_of(place)
        try:
            partial.write_bytes(content)
            put_output(partial, file, is_ours, force=force)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise ResourceError(f"cannot write {file}: {error.strerror or error}", field="file") from error


def put_output(partial: Path, file: Path, is_ours: IsOurs | None = None, *, force: bool = False) -> None:
    """Put a file that was written beside its place into it, unless something is there by now that may not go.

    Raises
    ------
    OSError
        If the disk does not take it.
    LookalikeError
        As of `check_output`; what was written stays where it is.
    """
    place = place_of(file)
    with contextlib.suppress(OSError):  # what replaces a file may be read by whom that one might be read by
        partial.chmod(stat.S_IMODE(place.stat().st_mode))
    try:
        os.link(partial, place)  # which fails where something is, even if it came a moment ago
    except FileExistsError:
        check_output(file, is_ours, force=force)
        rename(partial, place)
    except (OSError, NotImplementedError):  # a disk without hard links
        check_output(file, is_ours, force=force)
        rename(partial, place)
    else:
        partial.unlink()


def check_new_folder(folder: Path) -> None:
    """Raise LookalikeError unless a folder that the user named can be made: it is not there, or is empty.

    Raises
    ------
    ConflictError
        If something is there.
    NotFoundError
        If there is no folder to hold it.
    """
    refuse_collections(folder)
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise _conflict(f"{folder} is there and not an empty folder", "name a new folder")
    if not place_of(folder).parent.is_dir():
        raise NotFoundError(f"{folder}: there is no folder {place_of(folder).parent}")


def refuse_collections(file: Path) -> None:
    """Raise ConflictError if a path lies in the folder of a collection, where nothing but it writes."""
    name, mark = _COLLECTION
    place = place_of(file)
    for folder in (place, *place.parents):
        if folder.name == name and (folder / mark).exists():
            raise _conflict(f"{file} lies in {folder}, which is a collection's own")


def place_of(file: Path) -> Path:
    """Return where a file that the user named really lies, or will lie: through all links."""
    return Path(os.path.realpath(file))


def is_stream(file: Path) -> bool:
    """Tell whether a path is a pipe or a device, or what the shell has opened: it has no place to take."""
    if is_opened(file):
        return True
    try:
        mode = file.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def is_opened(file: Path) -> bool:
    """Tell whether a path names a file that whoever started us has opened already: ``/dev/stdout``."""
    return _OPENED.fullmatch(os.path.normpath(file)) is not None


def _ends_of(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            start = stream.read(_ENDS)
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(len(start), length - _ENDS))
            return start + stream.read(_ENDS)
    except OSError:  # nobody knows what is in it
        return b""


def _conflict(sentence: str, hint: str = "name another file") -> ConflictError:
    return ConflictError(sentence, hint=hint, field="file")
