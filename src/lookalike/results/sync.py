"""What a sync did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lookalike.images.finding.passed_over import PassedOver
from lookalike.results.documents import Result
from lookalike.results.notebook import show_facts
from lookalike.system.tables import MOST_ROWS

_COUNTS = (
    *("added", "embedded", "changed", "moved", "removed", "unchanged", "refreshed", "doubtful", "failed"),
    *("carried", "replaced", "copies"),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is in the folder but could not be taken into the collection, and why."""

    path: str
    reason: str

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, str]:
        """Return it as a document of JSON."""
        return {"path": path(self.path), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Note:
    """A file that is in the collection although a part of it is missing, and what that is."""

    path: str
    note: str

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, str]:
        """Return it as a document of JSON."""
        return {"path": path(self.path), "note": self.note}


@dataclass(frozen=True, slots=True)
class SyncReport(Result):
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
    failed_before : frozenset of str
        The paths of those failures that were known before, for the same reason.
    copies : int
        Of the files that were added, those whose content was there already, or came more than once: all but
        the first of each. Not known with ``dry_run``.
    alike : int or None
        Images that came with this sync and are near-duplicates of one that was there before, or came with it,
        all but one of each; see `Collection.duplicates`. None where they were not compared: no duplicates
        were looked for in this collection before, too many images came, or it was not to be.
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
    failed_before: frozenset[str] = frozenset()
    copies: int = 0
    alike: int | None = None

    @property
    def failed(self) -> int:
        """How many files fail now."""
        return len(self.failures)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            **self._counts(),
            "alike": self.alike,
            "failed_before": len(self.failed_before),
            "failures": [each.to_dict(path) for each in self.failures],
            "notes": [each.to_dict(path) for each in self.notes],
            "passed_over": {name: _passed_over(each) for name, each in self.passed_over.items()},
            "seconds": round(self.seconds, 3),
        }

    def _counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in _COUNTS}

    def __repr__(self) -> str:
        counts = (f"{count:,} {name}" for name, count in self._counts().items() if count)
        return f"<SyncReport: {', '.join(counts) or 'nothing'}>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook, and the first failures."""
        failures = {each.path: each.reason for each in self.failures[:MOST_ROWS]}
        more = {"…": f"{self.failed - MOST_ROWS:,} more"} if self.failed > MOST_ROWS else {}
        facts: dict[str, object] = {name: count for name, count in self._counts().items() if count}
        return show_facts("sync", facts | {"seconds": round(self.seconds, 1)}) + (
            show_facts("could not be read", failures | more) if failures else ""
        )


def _passed_over(passed: PassedOver) -> dict[str, Any]:
    read_with = {"read_with": passed.read_with} if passed.read_with else {}
    return {"count": passed.count, "names": list(passed.names), **read_with}
