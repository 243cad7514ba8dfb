"""What the disk under a collection can do, found by trying: a name says little, and a mount may lie.

Lance commits by a hard link, which is refused where the name is taken: so of two writers one loses. exFAT,
FAT32 and many network disks have no hard links. There, Lance can be given a lock instead, and renames the
file into its place (``commit_lock`` of ``lance.dataset`` and ``lance.write_dataset``). The writer's lock of
the collection keeps all others out already, so that this one has nothing to do.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from lookalike.hints import Hint

CommitLock = Callable[[int], AbstractContextManager[None]]
"""Called with the version that is about to be committed."""

ANOTHER_DISK = Hint("another_disk")

CANNOT_FLUSH_FOLDERS = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF})
"""What disks say that flush files, but no folders: CIFS, some of FUSE's."""


def commit_lock(folder: Path) -> CommitLock | None:
    """Return what Lance needs to commit to tables below `folder`; None on a disk that takes hard links."""
    there = next(place for place in (folder, *folder.parents) if os.path.isdir(place))
    return None if has_hard_links(there) else _unlocked


@functools.cache
def has_hard_links(folder: Path) -> bool:
    """Tell whether a file in `folder` can have two names; where none can be made, it is taken for granted."""
    try:
        handle, name = tempfile.mkstemp(prefix=".links-", dir=folder)
    except OSError:  # writing will say what is wrong
        return True
    os.close(handle)
    other = f"{name}-2"
    try:
        os.link(name, other)
        return True
    except (OSError, NotImplementedError):
        return False
    finally:
        for each in (name, other):
            with contextlib.suppress(OSError):
                os.unlink(each)


def _unlocked(version: int) -> AbstractContextManager[None]:
    return contextlib.nullcontext()
