"""Which pictures the demo begins with: some of every folder, and the same ones on each run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import zip_longest

FIRST = 1_500
"""Pictures to begin with, where there are many more."""

_NEARLY = 2_000  # so few are taken whole


def choose_first(files: Iterable[str], known: Iterable[str] = (), n: int = FIRST) -> list[str]:
    """Choose files to begin with: of each folder as many, as far as it has them.

    Parameters
    ----------
    files : iterable of str
        Relative paths, with ``/``.
    known : iterable of str
        Those that were taken before. They are taken again.
    n : int
        How many, without those that are known. A third more is taken whole.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> choose_first(["a/1", "a/2", "a/3", "a/4", "b/1"], n=3)
    ['a/1', 'a/4', 'b/1']
    """
    there = set(files)
    if len(there) <= n * _NEARLY // FIRST:
        return sorted(there)
    folders: dict[str, list[str]] = {}
    # Neighbors in a folder are often alike, so they come in an order that has nothing to do with their names.
    for file in sorted(there, key=_shuffled):
        folders.setdefault(file.rpartition("/")[0], []).append(file)
    in_turn = (file for turn in zip_longest(*folders.values()) for file in turn if file is not None)
    chosen = {file for file, _ in zip(in_turn, range(n), strict=False)}
    return sorted(chosen | (there & set(known)))


def _shuffled(file: str) -> bytes:
    return hashlib.sha1(file.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
