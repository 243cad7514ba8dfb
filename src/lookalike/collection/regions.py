"""Regions of queries: looked for in whole pictures and in their cells, in two steps.

First both give candidates: the pictures whose vectors are nearest to the region's, by the index, and those of
which one cell is nearest to it, by a look at all cells. Then all candidates have both cosines, and

    score = share · cosine of the nearest cell + (1 - share) · cosine of the whole

with a share of 4/7 for a part of a picture, whose whole it is like, too; and of 1 for all of one, which is
looked for as a part of others: of an object and of a scene that it is in, the wholes are nothing alike.
Pictures without cells count by their wholes alone.

Shares were chosen with parts of the pictures of a third of Caltech-101: of 0, 2/3, 4/7 and 1, found first are
.90, .93, .94, .82 of the wholes of 40 % of the area, .73, .88, .87, .84 of 25 %, .53, .83, .81, .77 of 15 %.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt

from lookalike.collection.columns import are_in, common
from lookalike.collection.resources import Resources
from lookalike.embed import Compute, Model, SidedEmbedder, base_name
from lookalike.embed.sides import SideRows, cells
from lookalike.hints import Hint, Sentence
from lookalike.index.cells import nearest_cells
from lookalike.query.embedding import EmbeddedQuery
from lookalike.query.terms import PictureTerm, Region, Term
from lookalike.system.progress import Watch
from lookalike.system.wording import count_images
from lookalike.types import Ids, Near

Whole = Callable[[int, Ids | None], Near]
"""Gives so many of the nearest by whole vectors, only of some images where those are given; and how far they
are."""

SHARE = 4 / 7
"""What the nearest cell counts, where the region is a part; the rest is the whole's."""

MODEL_WITH_CELLS = "lite0-deep-int8"

_LEAST_CANDIDATES, _CANDIDATES_EACH = 1_000, 4
_NEARLY_ALL = 1 - 1e-6


def model_of_cells(resources: Resources, model: Model, terms: Sequence[Term]) -> Model | None:
    """Return the model that gives cells for the regions of a search; None if none does, or there are none."""
    if not any(has_region(term) for term in terms):
        return None
    base = base_name(model.name)
    found = model if base is None else resources.models.get(base)
    return found if "cells" in found.sides else None


def load_with_cells(resources: Resources, model: Model, compute: Compute, watch: Watch) -> SidedEmbedder:
    """Return the model that gives cells, loaded."""
    return cast(SidedEmbedder, resources.models.load(model.name, compute, watch=watch))


def has_region(term: Term) -> bool:
    """Tell whether a term is about a region of a picture, be it all of it."""
    return isinstance(term, PictureTerm) and term.region is not None


def says_whole_only(model: Model, cells_of: Model | None, terms: Sequence[Term]) -> list[Sentence]:
    """Say that regions are compared with whole pictures only, where they are."""
    if cells_of is not None or not any(map(has_region, terms)):
        return []
    return [
        Sentence(
            f"the model {model.name} knows no parts of pictures: the region is compared with whole ones",
            hint=Hint("sync_model", model=MODEL_WITH_CELLS),
        )
    ]


@dataclass(frozen=True)
class Regions:
    """The regions of a search, and the cells that they are looked for in.

    Attributes
    ----------
    queries : tuple of EmbeddedQuery
        Those that are regions, the heaviest first.
    shares : tuple of float
        What their cells count, by query; of the whole search, all together at most 1.
    ids : (n,) int64
        The images that have cells, rising.
    rows : (n, width) uint8
        Their cells.
    passing : (m,) int64 or None
        Which images may be hits.
    boxes : dict of int to Region
        Where the heaviest of them was found, by image: filled by `nearest`.
    """

    queries: tuple[EmbeddedQuery, ...]
    shares: tuple[float, ...]
    ids: Ids
    rows: SideRows
    passing: Ids | None
    boxes: dict[int, Region] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        side: tuple[Ids, SideRows],
        terms: Sequence[Term],
        wanted: Sequence[EmbeddedQuery],
        is_pushed: bool,
        passing: Ids | None,
    ) -> Regions | None:
        """Return those of a search; None where it has none, or no image has cells.

        Parameters
        ----------
        side
            The images that have cells, and those.
        terms, wanted
            What is searched for, before and after it was embedded.
        is_pushed : bool
            Whether there is something that is not wanted, which only wholes know.
        passing : (m,) int64, optional
        """
        weight = sum(query.weight for query in wanted)
        found = []
        for term, query in zip(terms, wanted, strict=True):
            if query.cells is not None and isinstance(term, PictureTerm) and term.region is not None:
                is_all = min(term.region[2:]) >= _NEARLY_ALL and not is_pushed
                found.append((query.weight / weight * (1 if is_all else SHARE), query))
        found.sort(key=lambda each: -each[0])
        if not found or not len(side[0]):
            return None
        return cls(tuple(query for _, query in found), tuple(share for share, _ in found), *side, passing)

    def say_without_cells(self, searched: Ids) -> list[Sentence]:
        """Say how many of the images that are searched, rising, could only be compared as wholes."""
        could = searched if self.passing is None else common(searched, np.unique(self.passing))
        n = int((~are_in(could, self.ids)).sum())
        if not n:
            return []
        are, as_wholes = ("was", "is compared as a whole") if n == 1 else ("were", "are compared as wholes")
        return [Sentence(f"{count_images(n)} {are} embedded before there were cells, and {as_wholes}")]

    def nearest(self, n: int, whole: Whole) -> Near:
        """Return the n nearest images, by the nearest of their cells and as wholes."""
        n_candidates = max(_LEAST_CANDIDATES, _CANDIDATES_EACH * n)
        ids, similar, places = self._by_cells()
        most = np.argsort(-similar, kind="stable")[:n_candidates]
        share = sum(self.shares)
        by_whole, distances = whole(n_candidates, None)
        rest = np.setdiff1d(ids[most], by_whole)
        if len(rest):
            more, their_distances = whole(len(rest), rest)
            by_whole = np.concatenate([by_whole, more])
            distances = np.concatenate([distances, their_distances])
        scores = 1 - np.asarray(distances, np.float64)
        have, at = are_in(by_whole, ids), np.searchsorted(ids, by_whole)
        scores[have] = similar[at[have]] + (1 - share) * scores[have]
        best = np.lexsort((by_whole, -scores))[:n]
        with_cells = best[have[best]]
        found = zip(by_whole[with_cells].tolist(), places[at[with_cells]].tolist(), strict=True)
        self.boxes.update((image, cells.box_of(place)) for image, place in found)
        return by_whole[best], 1 - scores[best]

    def _by_cells(self) -> tuple[Ids, npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
        """Return the images that may be hits, what their nearest cells count, and which cell it is."""
        chosen = None if self.passing is None else np.flatnonzero(are_in(self.ids, np.unique(self.passing)))
        ids = self.ids if chosen is None else self.ids[chosen]
        similar = np.zeros(len(ids))
        places = np.zeros(len(ids), np.uint8)
        for number, (query, share) in enumerate(zip(self.queries, self.shares, strict=True)):
            assert query.cells is not None
            found = nearest_cells(query.cells, self.rows, cells.N_CELLS, chosen)
            similar += share * found.cosines.astype(np.float64)
            if number == 0:
                places = found.cells
        return ids, similar, places
