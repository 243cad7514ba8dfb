"""Whether another ctime or inode of a file, whose size and time are as they were, says that it changed.

Of a few files it does: something was renamed over them. Where nearly all of a root differ at once, something
was done to all of them: a copy, a restored backup, a new mount, ``chmod -R``. Then the new ones are taken for
granted, as git does with ``core.checkStat=minimal``; reading a whole library would find nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lookalike.images import FileStat
from lookalike.store.store import FileRow

NEARLY_ALL = 0.9
FEW_FILES = 100
"""So many are compared in any case: that takes a moment, and says more than their share of a small root."""


@dataclass(slots=True)
class Evidence:
    """What the ctimes and inodes of each root are worth; made by `weigh`."""

    _seen: Counter[str] = field(default_factory=Counter)
    _ctimes: Counter[str] = field(default_factory=Counter)
    _inodes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def weigh(cls, files: Iterable[tuple[str, FileStat, FileRow]]) -> Evidence:
        """Count the files of each root that differ.

        Parameters
        ----------
        files : iterable of (stored path, FileStat, FileRow)
            As they are now, and as they were.
        """
        evidence = cls()
        for path, stat, row in files:
            if (stat.size, stat.mtime_ns) == (row.size, row.mtime_ns):
                root = path.partition(":")[0]
                evidence._seen[root] += 1
                evidence._ctimes[root] += _differ(stat.ctime_ns, row.ctime_ns)
                evidence._inodes[root] += _differ(stat.inode, row.inode)
        return evidence

    def speaks_against(self, path: str, stat: FileStat, row: FileRow) -> bool:
        """Tell whether a file of the size and time that it had may have another content."""
        root = path.partition(":")[0]
        return (_differ(stat.ctime_ns, row.ctime_ns) and self._counts(root, self._ctimes)) or (
            _differ(stat.inode, row.inode) and self._counts(root, self._inodes)
        )

    def _counts(self, root: str, differing: Counter[str]) -> bool:
        return differing[root] <= max(FEW_FILES, NEARLY_ALL * self._seen[root])


def _differ(now: int | None, before: int | None) -> bool:
    """Tell whether both are known, and not the same."""
    return now is not None and before is not None and now != before
