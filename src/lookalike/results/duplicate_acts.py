"""What was done with duplicates, file by file, and what was put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from lookalike.results.documents import Result
from lookalike.results.notebook import show_facts
from lookalike.system.checked_calls import checked


@checked
@dataclass(frozen=True, slots=True)
class ActedFile:
    """What became of a file.

    Attributes
    ----------
    path : str
        Where it was when this began.
    to : str or None
        Where it is now; None where it stayed, or where nobody says.
    why : str
        Why it stayed; empty where it did not.
    size : int
        Bytes.
    """

    path: str
    to: str | None = None
    why: str = ""
    size: int = 0

    @property
    def is_done(self) -> bool:
        """Whether it was done."""
        return not self.why

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "path": path(self.path),
            "to": None if self.to is None else path(self.to),
            "done": self.is_done,
            "why": self.why or None,
            "bytes": self.size,
        }


@dataclass(frozen=True, slots=True, repr=False)
class ActReport(Result, Sequence[ActedFile]):
    """What was done with duplicates, or put back, file by file.

    Attributes
    ----------
    act : int or None
        The number by which `undo` knows it; None where nothing was done.
    how : {"trash", "move", "hardlink", "undo"}
    files : tuple of ActedFile
    is_dry_run : bool
        Whether this is only what would have been done.
    change : int or None
        The number of the change by which what was said passed on, or came back.
    notes : tuple of str
        What else is to be known: a `Sentence` each.
    """

    act: int | None
    how: str
    files: tuple[ActedFile, ...]
    is_dry_run: bool = False
    change: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> tuple[ActedFile, ...]:
        """The files with which it was done."""
        return tuple(each for each in self.files if each.is_done)

    @property
    def skipped(self) -> tuple[ActedFile, ...]:
        """The files that stayed as they were."""
        return tuple(each for each in self.files if not each.is_done)

    @property
    def size(self) -> int:
        """Bytes of the files with which it was done."""
        return sum(each.size for each in self.done)

    def __repr__(self) -> str:
        would = "would be " if self.is_dry_run else ""
        return f"<ActReport: {self.how}, {len(self.done):,} {would}done, {len(self.skipped):,} skipped>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook."""
        facts = {"how": self.how, "done": len(self.done), "skipped": len(self.skipped), "bytes": self.size}
        return show_facts("duplicates", facts)

    def __len__(self) -> int:
        """Return how many files there are."""
        return len(self.files)

    @overload
    def __getitem__(self, index: int) -> ActedFile: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ActedFile, ...]: ...
    def __getitem__(self, index: int | slice) -> ActedFile | tuple[ActedFile, ...]:
        """Return a file, or some."""
        return self.files[index]

    def __iter__(self) -> Iterator[ActedFile]:
        """Go through the files."""
        return iter(self.files)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "act": self.act,
            "how": self.how,
            "dry_run": self.is_dry_run,
            "done": len(self.done),
            "skipped": len(self.skipped),
            "bytes": self.size,
            "change": self.change,
            "files": [each.to_dict(path) for each in self.files],
            "notes": [tell(each) for each in self.notes],
        }
