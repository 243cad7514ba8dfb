"""Maps of a collection's images: made, and extended by what came later."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass

import numpy as np

from lookalike.collection.embedded import Embedded
from lookalike.collection.stored.maps import StoredMap, check_map_name
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.projection import Projection, place, project
from lookalike.projection.methods import DEFAULT_METHOD, MAP_METHODS, get_method
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.reports import ShareReport
from lookalike.types import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRequest:
    """What is asked of a map, checked as far as it can be without the images.

    Attributes
    ----------
    method : str
        A row of `lookalike.projection.MAP_METHODS`.
    name : str or None
        Under which it is kept; the method's by default.
    perplexity : float or None
        About how many neighbours each image has, where the method takes that.
    random_state : int

    Raises
    ------
    InvalidInputError
        If there is no such method, it does not take what was given, or something cannot be what it is.
    """

    method: str = DEFAULT_METHOD
    name: str | None = None
    perplexity: float | None = None
    random_state: int = RANDOM_STATE

    def __post_init__(self) -> None:
        row = get_method(self.method)
        check_map_name(self.kept_as)
        if self.perplexity is not None and not row.takes_perplexity:
            others = ", ".join(each.name for each in MAP_METHODS if each.takes_perplexity)
            raise InvalidInputError(
                f"perplexity is {self.perplexity!r}, but {row.name} has none; it is for {others}"
            )
        check_seed(self.random_state)

    @property
    def kept_as(self) -> str:
        """The name under which it is kept."""
        return self.method if self.name is None else self.name


def make_map(request: MapRequest, model: Model, embedded: Embedded, report: ShareReport) -> StoredMap:
    """Make a map of all images that a model has embedded; see `Collection.map`."""
    vectors = embedded.take()
    found = project(
        vectors,
        request.method,
        metric=model.metric,
        perplexity=request.perplexity,
        random_state=int(request.random_state),
        report=report,
    )
    return StoredMap(
        name=request.kept_as,
        model=model.name,
        method=request.method,
        perplexity=request.perplexity,
        random_state=int(request.random_state),
        parameters=found.parameters,
        figures=found.figures,
        made=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        ids=embedded.ids,
        points=found.points,
        is_placed=np.zeros(len(vectors), bool),
        state=found.state,
    )


def place_later(stored: StoredMap, embedded: Embedded, metric: Metric) -> tuple[StoredMap, int]:
    """Place images that came later on a map, without those that have left; return how many came.

    They are placed by those that the map was made of: what was placed before has no say.
    """
    new = np.setdiff1d(embedded.ids, stored.ids)
    if not len(new):
        return stored, 0
    is_there = np.isin(stored.ids, embedded.ids)
    is_base = is_there & ~stored.is_placed
    if not is_base.any() and not get_method(stored.method).places_alone:
        raise CollectionConflictError(
            f"none of the images that the map {stored.name!r} was made of is left; make it anew with"
            f" `lookalike map --name '{stored.name}' --new`"
        )
    base = Projection(stored.points[is_base], stored.method, stored.parameters, stored.figures, stored.state)
    vectors = embedded.take(stored.ids[is_base])
    points = place(embedded.take(new), vectors, base, metric=metric, random_state=stored.random_state)
    ids = np.concatenate([stored.ids[is_there], new])
    order = np.argsort(ids)
    return dataclasses.replace(
        stored,
        ids=ids[order],
        points=np.concatenate([stored.points[is_there], points])[order],
        is_placed=np.concatenate([stored.is_placed[is_there], np.ones(len(new), bool)])[order],
    ), len(new)
