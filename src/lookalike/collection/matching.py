"""Two collections, or two parts of one, matched one to one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.collection.embedded import Embedded, nothing_embedded
from lookalike.collection.places import FileLocation, make_hit
from lookalike.collection.resources import Resources
from lookalike.collection.selecting import Passing, pass_filter
from lookalike.embed import Model, unit_rows
from lookalike.errors import InvalidInputError, ModelConflictError
from lookalike.index.pairing import Pairing, pair
from lookalike.query.filter import Filter
from lookalike.results.lookup import Lookup
from lookalike.results.matching import MatchedPair, Matching
from lookalike.system.progress import Watch
from lookalike.system.wording import count_images
from lookalike.types import Hit, Ids, ImageId, Vectors


@dataclass(frozen=True, slots=True)
class Side:
    """What is matched: a collection, and which of its images."""

    resources: Resources
    where: Filter


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """The images of a side: which, and where they lie."""

    embedded: Embedded
    ids: Ids
    locations: dict[int, list[FileLocation]]
    lookup: Lookup

    def rows(self) -> Vectors:
        """Return their vectors, (n, d) float32, unit rows."""
        return unit_rows(self.embedded.take(self.ids))

    def hit(self, rank: int, row: int, score: float) -> Hit:
        """Return one of them as a hit."""
        image = int(self.ids[row])
        return make_hit(rank, ImageId(image), 1 - score, score, self.locations[image], self.lookup)


def match_sides(a: Side, b: Side, name: str | None, is_one: bool, watch: Watch) -> Matching:
    """Match two sides; see `Collection.match`.

    Parameters
    ----------
    name : str, optional
        The model.
    is_one : bool
        Whether both are of one collection.
    """
    model = _model_of_both(a.resources, b.resources, name)
    one, other = _take(a, model, name, "first"), _take(b, model, name, "second")
    if is_one:
        _check_apart(one, other)
    found = pair(one.rows(), other.rows(), watch)
    return Matching(
        tuple(_pairs(one, other, found)),
        model.name,
        len(one.ids),
        len(other.ids),
        (one.lookup, other.lookup),
    )


def _pairs(one: _Taken, other: _Taken, found: Pairing) -> list[MatchedPair]:
    columns = (found.a, found.b, found.cosines, found.scaled, found.is_mutual)
    return [
        MatchedPair(one.hit(rank, row, score), other.hit(rank, its, score), score, scaled, is_mutual)
        for rank, (row, its, score, scaled, is_mutual) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True), 1
        )
    ]


def _model_of_both(a: Resources, b: Resources, name: str | None) -> Model:
    """Return the model that is named; else the first collection's own, or the second's, if both have it."""
    names = [name] if name is not None else [a.places.manifest.model, b.places.manifest.model]
    in_both = [each for each in names if each in a.model_names() and each in b.model_names()]
    chosen = (in_both or names)[0]
    model, others = a.model(chosen), b.model(chosen)
    if model.metric != "cosine":
        raise InvalidInputError(
            f"images are matched by cosine, but the vectors of {model.name} are compared by {model.metric}"
            " distance",
            field="model",
            hint="name another model",
        )
    if (model.weights, model.dimension, model.metric) != (others.weights, others.dimension, others.metric):
        raise ModelConflictError(
            f"the model {model.name} of the one collection is not that of the other",
            hint="name another model, which both have",
        )
    return model


def _take(side: Side, model: Model, asked: str | None, which: str) -> _Taken:
    """Return the images of a side; `which` is what the message calls it."""
    resources = side.resources
    embedded = resources.embedded(model)
    if not len(embedded):
        raise nothing_embedded(resources.store, model.name, asked)
    passing: Passing = pass_filter(resources.places, side.where)
    ids = embedded.ids if passing.ids is None else np.intersect1d(embedded.ids, passing.ids)
    locations = resources.places.of_images(ids.tolist(), passing.files)
    ids = ids[np.isin(ids, list(locations))]
    if not len(ids):
        raise InvalidInputError(
            f"no image of the collection in {resources.store.folder} is on the {which} side; expected some on"
            " both"
        )
    return _Taken(embedded, ids, locations, resources.places.lookup())


def _check_apart(one: _Taken, other: _Taken) -> None:
    """Raise InvalidInputError if a file is on both sides."""
    both = np.intersect1d(one.ids, other.ids).tolist()
    shared = [
        place.path
        for image in both
        for place in one.locations[image]
        if place.path in {its.path for its in other.locations[image]}
    ]
    if shared:
        raise InvalidInputError(
            f"{count_images(len(shared))} on both sides, such as {shared[0]}; expected two sides that share"
            " none"
        )
