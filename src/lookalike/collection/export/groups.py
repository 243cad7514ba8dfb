"""Which group an image that is exported is in, and what the folder of a group is called."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lookalike.collection.export.rows import Export
from lookalike.system.this_system import is_reserved

UNLABELLED, NO_SPLIT = "unlabelled", "no-split"

_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_ENDS = re.compile(r"^[\s.]+|[\s.]+$")  # hidden before a name, dropped by Windows behind it
_LONGEST = 100  # characters: of four bytes each, and with a number behind, a name has 255


def group_of(export: Export, at: int, label: str | None, split: str | None) -> str | None:
    """Return the group of an image, by its place in the order; None where nothing tells."""
    if export.groups is not None:
        return export.groups[at]
    return split if export.by == "split" else label


class FolderNames:
    """Names of folders for groups, whatever these are called: safe on every disk, and each its own."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, group: str) -> str:
        """Return the name of a group's folder.

        >>> name = FolderNames()
        >>> name("cats"), name("Cats"), name("a/b"), name(".."), name("cats")
        ('cats', 'Cats-2', 'a_b', '_', 'cats')
        """
        if group not in self._names:
            plain = safe_name(group)
            name, number = plain, 1
            while name.casefold() in self._taken:
                number += 1
                name = f"{plain}-{number}"
            self._taken.add(name.casefold())
            self._names[group] = name
        return self._names[group]

    @property
    def names(self) -> Mapping[str, str]:
        """Those that were given, by group."""
        return self._names


def safe_name(group: str) -> str:
    """Return a text as the name of a folder.

    >>> safe_name("owls"), safe_name("../x"), safe_name("nul"), safe_name(" ")
    ('owls', '_x', 'nul_', '_')
    """
    name = _ENDS.sub("", _UNSAFE.sub("_", group)[:_LONGEST])
    return f"{name}_" if is_reserved(name) else name or "_"
