"""What was decided of pairs, as groups need it: who is kept, who goes, and who must not stand together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lookalike.collection.said import Said

T = TypeVar("T", bound=Hashable)

KEPT, NEUTRAL, REMOVED = range(3)
"""What was decided of one beside others: that it stays, nothing, or that another stays rather than it.

To be kept rather than another is no word on a third: which of these is the better one is left to the rules.
"""


@dataclass(slots=True)
class Verdicts(Generic[T]):
    """Decisions on pairs of things of one kind: images, by their ids, or files, by their stored paths.

    Attributes
    ----------
    kept : dict of (T, T) to T
        By pair, both ways round: which of the two is to be kept.
    both : set of (T, T)
        Pairs of which both are wanted, both ways round.
    apart : set of (T, T)
        Pairs that are no duplicates, both ways round.
    """

    kept: dict[tuple[T, T], T] = field(default_factory=dict)
    both: set[tuple[T, T]] = field(default_factory=set)
    apart: set[tuple[T, T]] = field(default_factory=set)

    def add(self, about: T, other: T, decision: str) -> None:
        """Take in a decision."""
        ways = (about, other), (other, about)
        if decision == "not_duplicate":
            self.apart.update(ways)
        elif decision == "alternates":
            self.both.update(ways)
        else:
            self.kept.update(dict.fromkeys(ways, about if decision == "keep" else other))

    def has(self, a: T, b: T) -> bool:
        """Tell whether anything was decided of a pair."""
        return (a, b) in self.kept or (a, b) in self.both or (a, b) in self.apart

    def standing(self, one: T, others: Iterable[T]) -> int:
        """Return what was decided of one beside others."""
        found = NEUTRAL
        for other in others:
            kept = self.kept.get((one, other))
            if kept is not None and kept != one:
                return REMOVED
            if kept is not None or (one, other) in self.both:
                found = KEPT
        return found

    def removed(self) -> set[T]:
        """Return those that go, as another was kept rather than they."""
        return {each for pair, kept in self.kept.items() for each in pair if each != kept}


@dataclass(frozen=True, slots=True)
class Decided:
    """All decisions.

    Attributes
    ----------
    images : Verdicts of int
    files : Verdicts of str
    """

    images: Verdicts[int]
    files: Verdicts[str]


def read_decided(said: Said) -> Decided:
    """Return what people decided."""
    images, files = Verdicts[int](), Verdicts[str]()
    for decision in said.decisions:
        a, b = decision.a, decision.b
        if isinstance(a, str) and isinstance(b, str):
            files.add(a, b, decision.decision)
        elif not isinstance(a, str) and not isinstance(b, str):
            images.add(int(a), int(b), decision.decision)
    return Decided(images, files)
