"""What a sync did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lookalike.images.finding.passed_over import PassedOver


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is in the folder but could not be taken into the collection, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Note:
    """A file that is in the collection although a part of it is missing, and what that is."""

    path: str
    note: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with ``dry_run`` would do.

    Attributes
    ----------
    added, changed, moved, removed, unchanged : int
        Files, by what became of them. A file that fails is in none of these, but for one that has changed
        and is no image any more: it counts as removed. What could only not be read now stays.
    embedded : int
        Images that went through the network. Copies and renamed files do not.
    failures : tuple of Failure
        All files that fail now, not only the new ones.
    seconds : float
    refreshed : int
        Files that were read again: for `reread`, or because an earlier version had read them. They are in
        one of the counts above, too.
    doubtful : int
        With ``dry_run``, which opens no file: how many of the counts above are guesses. The content of these
        files would be compared, since they may have been touched or changed, or be others under a new name;
        they are counted as unchanged or moved.
    notes : tuple of Note
        All files of which a part is missing, not only the new ones. None of them has failed.
    passed_over : mapping of str to PassedOver
        By kind, such as ``videos``, how many files and folders were not looked at, or are no pictures of
        the user's. Hidden ones do not count.
    unmet_excludes : frozenset of str
        What is to be excluded, but nothing that was looked at is it.
    carried : int
        Images that were edited, of which something had been said that holds for the new content, too.
    replaced : int
        Files that hold another picture now, of whose old one something had been said: the new one inherits
        nothing.
    """

    added: int
    embedded: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    failures: tuple[Failure, ...]
    seconds: float
    refreshed: int = 0
    doubtful: int = 0
    notes: tuple[Note, ...] = ()
    passed_over: Mapping[str, PassedOver] = field(default_factory=dict, hash=False)
    unmet_excludes: frozenset[str] = frozenset()
    carried: int = 0
    replaced: int = 0

    @property
    def failed(self) -> int:
        """How many files fail now."""
        return len(self.failures)
