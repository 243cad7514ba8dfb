"""What tells a file from another one in its place, without reading it."""

from __future__ import annotations

import os
from typing import NamedTuple


class FileIdentity(NamedTuple):
    """What tells a file from the one that stood in its place before.

    It is always replaced as a whole, so that the number of the file is another one, too, where the disk has
    such numbers.
    """

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, facts: os.stat_result) -> FileIdentity:
        """Take it from what the system says of a file."""
        return cls(facts.st_mtime_ns, facts.st_size, facts.st_ino)
