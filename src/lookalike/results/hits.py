"""Images that were found: ranked all at once, described when they are looked at.

Layout: ids and distances, an array each, nearest first; a slice is a range of places in the same arrays.
What a hit says beside these, its paths and labels, is fetched for a page of hits at a time, once, by a
function that whoever has ranked them leaves here. So to rank 100,000 images costs 16 bytes each, and to look
at sixty of them the describing of one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from lookalike.results.lookup import NOTHING, Lookup
from lookalike.results.notebook import MOST_PICTURES, Card, show_cards
from lookalike.system.checked_calls import checked
from lookalike.system.tables import escape
from lookalike.types import Hit, Ids

Describe: TypeAlias = "Callable[[range, Ids, npt.NDArray[np.float64]], Sequence[Hit]]"
"""Describes some hits, by their ranks, images and distances."""

PAGE = 256  # hits that are described at once
_SHOWN = 3  # in a repr


@dataclass(frozen=True, slots=True, eq=False)
class Sure:
    """How sure some hits are.

    Attributes
    ----------
    probabilities : (n,) float64 or None
        How likely each is of the query's kind; None where that is not known.
    below_chance : int or None
        The rank from which on hits are no nearer than chance has it: 1, if nothing is like the query; None if
        all are nearer, or it is not known.
    """

    probabilities: npt.NDArray[np.float64] | None = None
    below_chance: int | None = None


NOT_KNOWN = Sure()


class _Ranking:
    """What slices of the same hits share."""

    __slots__ = ("describe", "distances", "ids", "lookup", "pages", "sure")

    def __init__(
        self, ids: Ids, distances: npt.NDArray[np.float64], describe: Describe, lookup: Lookup, sure: Sure
    ) -> None:
        self.ids, self.distances, self.describe, self.lookup = ids, distances, describe, lookup
        self.sure = sure
        self.pages: dict[int, Sequence[Hit]] = {}

    def hit(self, place: int) -> Hit:
        number, inside = divmod(place, PAGE)
        page = self.pages.get(number)
        if page is None:
            places = range(number * PAGE, min((number + 1) * PAGE, len(self.ids)))
            some = slice(places.start, places.stop)
            ranks = range(places.start + 1, places.stop + 1)
            # Who comes meanwhile may describe it, too: both say the same.
            page = self.pages.setdefault(number, self.describe(ranks, self.ids[some], self.distances[some]))
        return page[inside]


@checked
class Hits(Sequence[Hit]):
    """Images that were found, nearest first: an unchanging sequence of `Hit`.

    A hit is described when it is first looked at, and then as the collection was when it was found, whatever
    has been committed since. Slices are hits, too, and keep their ranks. Several threads may look. Pickled
    hits have been described, and need no collection.

    Parameters
    ----------
    ids : (n,) int64
        Of the images, nearest first.
    distances : (n,) float
    describe : callable
        Describes some of them.
    has_scores : bool
        Whether 1 less the distance is a score.
    lookup : Lookup
        The collection behind them, for its thumbnails.
    sure : Sure
        How sure they are.

    Examples
    --------
    >>> def describe(ranks, ids, distances):
    ...     return [
    ...         Hit(rank, image, (f"{image}.png",), distance, None, None)
    ...         for rank, image, distance in zip(ranks, ids.tolist(), distances.tolist())
    ...     ]
    >>> hits = Hits([7, 3, 5], [0.0, 0.5, 1.0], describe, has_scores=False)
    >>> hits[1].path, hits.ids, [hit.rank for hit in hits[1:]]
    ('3.png', array([7, 3, 5]), [2, 3])
    """

    __slots__ = ("_has_scores", "_places", "_ranking")

    def __init__(
        self,
        ids: npt.ArrayLike,
        distances: npt.ArrayLike,
        describe: Describe,
        has_scores: bool = True,
        lookup: Lookup = NOTHING,
        sure: Sure = NOT_KNOWN,
    ) -> None:
        arrays = np.array(ids, np.int64), np.array(distances, np.float64)
        for array in arrays:
            array.flags.writeable = False
        if sure.probabilities is not None:
            sure.probabilities.flags.writeable = False
        self._ranking = _Ranking(*arrays, describe, lookup, sure)
        self._places = range(len(arrays[0]))
        self._has_scores = has_scores

    @classmethod
    def of(cls, hits: Sequence[Hit]) -> Hits:
        """Return hits that are described already; ranked from 1."""
        described = tuple(hits)

        def describe(ranks: range, ids: Ids, distances: npt.NDArray[np.float64]) -> Sequence[Hit]:
            return described[ranks.start - 1 : ranks.stop - 1]

        return cls(
            [hit.id for hit in described],
            [hit.distance for hit in described],
            describe,
            has_scores=all(hit.score is not None for hit in described),
            sure=Sure(_probabilities_of(described)),
        )

    @property
    def ids(self) -> Ids:
        """(n,) int64: the images, nearest first."""
        return self._ranking.ids[self._slice]

    @property
    def distances(self) -> npt.NDArray[np.float64]:
        """(n,) float64: 1 - cosine, or euclidean where the model is compared so."""
        return self._ranking.distances[self._slice]

    @property
    def scores(self) -> npt.NDArray[np.float64] | None:
        """(n,) float64: cosine similarities; None for models that are not compared by cosine."""
        return 1 - self.distances if self._has_scores else None

    @property
    def probabilities(self) -> npt.NDArray[np.float64] | None:
        """(n,) float64: how likely each is of the query's kind; None where that is not known."""
        known = self._ranking.sure.probabilities
        return None if known is None else known[self._slice]

    @property
    def below_chance(self) -> int | None:
        """The rank from which on hits are no nearer than chance has it: 1, if nothing is like the query.

        Of all that were found, whichever slice of them this is; None if all are nearer, or it is not known.
        """
        return self._ranking.sure.below_chance

    @property
    def _slice(self) -> slice:
        if not self._places:
            return slice(0)  # its ends may lie before the first one, which as a slice means the last
        stop = self._places.stop
        return slice(self._places.start, None if stop < 0 else stop, self._places.step)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Hit: ...

    @overload
    def __getitem__(self, at: slice) -> Hits: ...

    def __getitem__(self, at: int | slice) -> Hit | Hits:
        if not isinstance(at, slice):
            return self._ranking.hit(self._places[at])
        part = object.__new__(Hits)
        part._ranking, part._has_scores = self._ranking, self._has_scores
        part._places = self._places[at]
        return part

    def __iter__(self) -> Iterator[Hit]:
        return map(self._ranking.hit, self._places)

    def __eq__(self, other: object) -> bool:
        """Tell whether they say the same; a tuple of hits may, too."""
        if isinstance(other, Hits):
            if other._ranking is self._ranking and other._places == self._places:
                return True
            if not (np.array_equal(self.ids, other.ids) and np.array_equal(self.distances, other.distances)):
                return False
        elif not isinstance(other, tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(Hit.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __add__(self, other: Sequence[Hit]) -> tuple[Hit, ...]:
        return (*self, *other)

    def __radd__(self, other: Sequence[Hit]) -> tuple[Hit, ...]:
        return (*other, *self)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:_SHOWN]))
        more = len(self) - _SHOWN
        return f"Hits({shown}{f', … {more:,} more' if more > 0 else ''})"

    def _repr_html_(self) -> str:
        """Show the first in a notebook."""
        return show_hits(self, self._ranking.lookup)

    def __reduce__(self) -> tuple[Any, ...]:
        sure = Sure(self.probabilities, self.below_chance)
        return Hits._unpickled, (tuple(self), self.ids, self.distances, self._has_scores, sure)

    @staticmethod
    def _unpickled(
        hits: tuple[Hit, ...], ids: Ids, distances: npt.NDArray[np.float64], has_scores: bool, sure: Sure
    ) -> Hits:
        def describe(ranks: range, *_: object) -> Sequence[Hit]:
            return hits[ranks.start - 1 : ranks.stop - 1]

        return Hits(ids, distances, describe, has_scores, sure=sure)


def _probabilities_of(hits: Sequence[Hit]) -> npt.NDArray[np.float64] | None:
    known = [hit.probability for hit in hits if hit.probability is not None]
    return np.array(known, np.float64) if known and len(known) == len(hits) else None


class OfHits:
    """A result that is the sequence of its hits."""

    __slots__ = ()

    hits: Hits

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @overload
    def __getitem__(self, at: int) -> Hit: ...

    @overload
    def __getitem__(self, at: slice) -> Hits: ...

    def __getitem__(self, at: int | slice) -> Hit | Hits:
        return self.hits[at]


def show_hits(hits: Sequence[Hit], lookup: Lookup, caption: Callable[[Hit], str] | None = None) -> str:
    """Return the first of some hits as pictures, in HTML, and how many more there are."""
    shown = list(hits[:MOST_PICTURES])
    pictures = lookup.thumbnails([hit.id for hit in shown])
    say = caption or _caption
    cards = [Card(pictures.get(hit.id), say(hit), hit.path, PurePath(hit.path).name) for hit in shown]
    return show_cards(cards, len(hits) - len(shown))


def show_hit(lookup: Lookup, hit: Hit) -> str:
    """Return a hit as a picture, in HTML, with where it lies."""
    return show_hits([hit], lookup) + f"<p>{escape(hit.path)}</p>"


def _caption(hit: Hit) -> str:
    """Say what hit it is, how like the query, and how likely, where it answers one, and its labels."""
    likeness = hit.distance if hit.score is None else hit.score
    likely = "" if hit.probability is None else f"{hit.probability:.0%}"
    numbers = [f"{hit.rank}:" if hit.rank else "", f"{likeness:.3f}" if likeness else "", likely]
    return " ".join(filter(None, [*numbers, " · ".join(hit.labels)]))
