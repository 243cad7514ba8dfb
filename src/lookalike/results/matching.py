"""Two sets of images matched one to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from lookalike.results.documents import Result, rounded
from lookalike.results.hits import show_hits
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.system.tables import Columns, Table, escape
from lookalike.system.wording import count_of
from lookalike.types import Hit, format_id

_SHOWN = 20  # pairs, in a notebook


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """An image of the one side, and its counterpart on the other.

    Attributes
    ----------
    a, b : Hit
        Of rank as the pair's.
    score : float
        The cosine of the two.
    scaled : float
        The same less half of how near either is to its ten nearest on the other side: what pairs are chosen
        by, the highest first.
    is_mutual : bool
        Whether each is the best for the other of all there is, and not only of what was left.
    """

    a: Hit
    b: Hit
    score: float
    scaled: float
    is_mutual: bool

    def to_dict(self, path: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON."""
        return {
            "a": _side(self.a, path),
            "b": _side(self.b, path),
            "score": rounded(self.score),
            "scaled": rounded(self.scaled),
            "mutual": self.is_mutual,
        }


def _side(hit: Hit, path: Callable[[str], str]) -> dict[str, Any]:
    return {"id": format_id(hit.id), "path": path(hit.path), "label": hit.label}


@dataclass(frozen=True, slots=True)
class Matching(Table, Result):
    """Pairs of images of two sides, the surest first; a sequence of them, and as a table a row each.

    Attributes
    ----------
    pairs : tuple of MatchedPair
        No image is in two.
    model : str
    n_a, n_b : int
        Images of either side.
    lookups : (Lookup, Lookup)
        The collections behind either side, for their thumbnails.

    Examples
    --------
    >>> old, new = (Hit(1, image, (f"{image}.png",), 0.1, 0.9, None) for image in (1, 2))
    >>> found = Matching((MatchedPair(old, new, 0.9, 0.4, True),), "lite0", 1, 5)
    >>> len(found), found[0].b.path, found.n_alone
    (1, '2.png', (0, 4))
    """

    pairs: tuple[MatchedPair, ...]
    model: str
    n_a: int
    n_b: int
    lookups: tuple[Lookup, Lookup] = field(default=(NOTHING, NOTHING), repr=False, compare=False)

    @property
    def n_alone(self) -> tuple[int, int]:
        """How many images of either side have no counterpart, the other side being smaller."""
        n_pairs = min(self.n_a, self.n_b)
        return self.n_a - n_pairs, self.n_b - n_pairs

    @property
    def n_mutual(self) -> int:
        """How many pairs are mutual."""
        return sum(pair.is_mutual for pair in self.pairs)

    def only_mutual(self) -> Matching:
        """Return one with the mutual pairs alone."""
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair.is_mutual))

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[MatchedPair]:
        return iter(self.pairs)

    def __getitem__(self, at: int) -> MatchedPair:
        return self.pairs[at]

    def __repr__(self) -> str:
        pairs = count_of(len(self.pairs), "pair")
        return (
            f"<Matching: {pairs}, {self.n_mutual:,} mutual, of {self.n_a:,} and {self.n_b:,}, {self.model}>"
        )

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON; see `SearchResult.to_dict`."""
        return {
            "model": self.model,
            "images": [self.n_a, self.n_b],
            "mutual": self.n_mutual,
            "pairs": [pair.to_dict(path) for pair in self.pairs],
        }

    def _columns(self) -> Columns:
        pairs = self.pairs
        return {
            "a": [pair.a.path for pair in pairs],
            "b": [pair.b.path for pair in pairs],
            "score": [pair.score for pair in pairs],
            "scaled": [pair.scaled for pair in pairs],
            "mutual": [pair.is_mutual for pair in pairs],
            "a_id": [format_id(pair.a.id) for pair in pairs],
            "b_id": [format_id(pair.b.id) for pair in pairs],
            "a_label": [pair.a.label for pair in pairs],
            "b_label": [pair.b.label for pair in pairs],
        }

    def _repr_html_(self) -> str:
        """Show the first pairs in a notebook, one side above the other."""
        shown = self.pairs[:_SHOWN]
        first, second = self.lookups
        return (
            f"<p>{escape(repr(self)[1:-1])}</p>"
            + show_hits([pair.a for pair in shown], first, lambda hit: hit.path.rsplit("/", 1)[-1])
            + show_hits([pair.b for pair in shown], second, lambda hit: hit.path.rsplit("/", 1)[-1])
        )
