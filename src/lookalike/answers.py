"""What a collection answers: the results of a sync, of a search, and of a look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lookalike.query import EmbeddedQuery
from lookalike.types import Hit


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that is in the folder but could not be taken into the collection, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, or with ``dry_run`` would do.

    Attributes
    ----------
    added, changed, moved, removed, unchanged : int
        Files, by what became of them. A file that fails is in none of these, but counts as removed if it
        was in the collection before.
    embedded : int
        Images that went through the network. Copies and renamed files do not.
    failures : tuple of Failure
        All files that fail now, not only the new ones.
    seconds : float
    """

    added: int
    embedded: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def failed(self) -> int:
        """How many files fail now."""
        return len(self.failures)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of a search.

    Attributes
    ----------
    hits : tuple of Hit
        Nearest first.
    model, index : str
        What answered.
    queries, unwanted : tuple of EmbeddedQuery
        What was asked.
    """

    hits: tuple[Hit, ...]
    model: str
    index: str
    queries: tuple[EmbeddedQuery, ...]
    unwanted: tuple[EmbeddedQuery, ...] = ()


@dataclass(frozen=True, slots=True)
class Info:
    """What a collection holds.

    Attributes
    ----------
    folder : Path
        The ``.lookalike`` folder.
    roots : tuple of Path
        Folders of images.
    datasets : tuple of str
        Data sets that were added by name.
    files, images : int
        Content that lies in several places is one image.
    models : dict of str to int
        Images embedded, by model.
    model : str
        The default model.
    formats, labels : dict of str to int
        Images by format; files by label. Most frequent first.
    failures : tuple of Failure
    size : int
        Bytes on the disk.
    """

    folder: Path
    roots: tuple[Path, ...]
    datasets: tuple[str, ...]
    files: int
    images: int
    models: dict[str, int]
    model: str
    formats: dict[str, int]
    labels: dict[str, int]
    failures: tuple[Failure, ...]
    size: int
