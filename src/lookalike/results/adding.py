"""What became of images that were added by call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lookalike.results.documents import Result
from lookalike.results.notebook import show_facts
from lookalike.system.tables import MOST_ROWS
from lookalike.types import ImageId, format_id

AddOutcome = Literal["added", "changed", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class AddedImage(Result):
    """What became of one image.

    Attributes
    ----------
    key : str
        As it was given; a text that shows it, where it was none.
    outcome : {"added", "changed", "unchanged", "failed"}
        Changed: its bytes, its label or its fields are others than before. What failed is as it was before.
    id : ImageId or None
        None where it failed.
    reason : str or None
        Why it failed.
    """

    key: str
    outcome: AddOutcome
    id: ImageId | None = None
    reason: str | None = None

    @property
    def hex_id(self) -> str | None:
        """The id as people and JSON see it."""
        return None if self.id is None else format_id(self.id)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {"key": self.key, "id": self.hex_id, "outcome": self.outcome, "reason": self.reason}

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        return show_facts(self.key, self.to_dict())


@dataclass(frozen=True, slots=True, repr=False)
class AddReport(Result):
    """What `Collection.add` did.

    Attributes
    ----------
    images : tuple of AddedImage
        In the order in which they were given.
    embedded : int
        Images that went through the network. What the collection has already does not.
    seconds : float
    """

    images: tuple[AddedImage, ...]
    embedded: int
    seconds: float

    @property
    def added(self) -> int:
        """How many keys are new."""
        return self._count("added")

    @property
    def changed(self) -> int:
        """How many keys have other bytes, or another label or other fields, than before."""
        return self._count("changed")

    @property
    def unchanged(self) -> int:
        """How many keys were there as they are."""
        return self._count("unchanged")

    @property
    def failed(self) -> int:
        """How many could not be added."""
        return self._count("failed")

    @property
    def failures(self) -> tuple[AddedImage, ...]:
        """Those that could not be added, and why."""
        return tuple(each for each in self.images if each.outcome == "failed")

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        names = ("added", "changed", "unchanged", "failed", "embedded")
        return {
            **{name: getattr(self, name) for name in names},
            "images": [each.to_dict() for each in self.images],
            "seconds": round(self.seconds, 3),
        }

    def _count(self, outcome: AddOutcome) -> int:
        return sum(each.outcome == outcome for each in self.images)

    def __repr__(self) -> str:
        return f"<AddReport: {_summary(self)}>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook, and the first failures."""
        return show_facts("add", _counts(self)) + _show_failures(self.failures)


@dataclass(frozen=True, slots=True, repr=False)
class FieldReport(Result):
    """What setting fields did.

    Attributes
    ----------
    files : int
        Files that were named.
    changed : int
        Those of them of which something else is known now.
    unknown : tuple of str
        What was named and is no file of the collection.
    kinds : mapping of str to str
        The columns that were given, and what they hold.
    """

    files: int
    changed: int
    unknown: tuple[str, ...]
    kinds: dict[str, str]

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "files": self.files,
            "changed": self.changed,
            "unknown": list(self.unknown),
            "kinds": dict(self.kinds),
        }

    def __repr__(self) -> str:
        return f"<FieldReport: {self.files:,} files, {self.changed:,} changed, {len(self.unknown):,} unknown>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook, and what the columns hold."""
        counts = {"files": self.files, "changed": self.changed, "unknown": len(self.unknown)}
        return show_facts("fields", {**counts, **self.kinds})


@dataclass(frozen=True, slots=True, repr=False)
class VectorReport(Result):
    """What `Collection.add_vectors` did.

    Attributes
    ----------
    model : str
    added, changed, unchanged : int
        Images, by what became of their vectors.
    failures : tuple of AddedImage
        What was named and is no image of the collection, and vectors that cannot be compared.
    """

    model: str
    added: int
    changed: int
    unchanged: int
    failures: tuple[AddedImage, ...]

    @property
    def failed(self) -> int:
        """How many could not be added."""
        return len(self.failures)

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "model": self.model,
            **{name: getattr(self, name) for name in ("added", "changed", "unchanged", "failed")},
            "failures": [each.to_dict() for each in self.failures],
        }

    def __repr__(self) -> str:
        return f"<VectorReport: {self.model}, {_summary(self)}>"

    def _repr_html_(self) -> str:
        """Show the counts in a notebook, and the first failures."""
        return show_facts(self.model, _counts(self)) + _show_failures(self.failures)


def _counts(result: AddReport | VectorReport) -> dict[str, object]:
    counts = {name: getattr(result, name) for name in ("added", "changed", "unchanged", "failed")}
    return {name: count for name, count in counts.items() if count}


def _summary(result: AddReport | VectorReport) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in _counts(result).items()) or "nothing"


def _show_failures(failures: Sequence[AddedImage]) -> str:
    if not failures:
        return ""
    reasons: dict[str, object] = {each.key: each.reason for each in failures[:MOST_ROWS]}
    more = {"…": f"{len(failures) - MOST_ROWS:,} more"} if len(failures) > MOST_ROWS else {}
    return show_facts("could not be added", reasons | more)
