"""Flush files and folders to the disk, so that they are there after a power cut."""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
from pathlib import Path

from lookalike.system import this_system

_CANNOT_FLUSH_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
"""What disks say that flush files, but no folders: CIFS, some of FUSE's."""


def flush_file(file: Path | str) -> None:
    """Return once the content of a file is on the disk.

    Raises
    ------
    OSError
        If the disk refuses it.
    """
    # Windows flushes by a handle that may write.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) if this_system.WINDOWS else os.O_RDONLY
    handle = os.open(file, flags)
    try:
        flush_open(handle)
    finally:
        os.close(handle)


def flush_open(handle: int) -> None:
    """Return once the content of an open file is on the disk.

    Raises
    ------
    OSError
        If the disk refuses it.
    """
    if this_system.MACOS:  # there, fsync returns once the disk has it in a memory of its own
        with contextlib.suppress(OSError):  # not every disk knows the request
            fcntl = importlib.import_module("fcntl")
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def flush_folder(folder: Path | str) -> None:
    """Return once the names in a folder are on the disk, as far as system and disk can tell.

    Raises
    ------
    OSError
        If the disk refuses it.
    """
    if this_system.WINDOWS:  # which opens no folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        flush_open(handle)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH_FOLDERS:
            raise
    finally:
        os.close(handle)


def make_durable_folder(folder: Path) -> None:
    """Make a folder that need not be there, and those above it, so that a power cut takes none of them.

    Raises
    ------
    OSError
        If one cannot be made.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        flush_folder(each.parent)
