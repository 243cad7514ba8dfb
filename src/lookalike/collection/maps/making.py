"""Maps of a collection's images: made, and extended by what came later."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np

from lookalike.collection.clusterings.making import check_seed
from lookalike.collection.embedded import Embedded
from lookalike.collection.stored.maps import StoredMap
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.projection import Method, Projection, Report, place, project
from lookalike.types import Metric


def make_map(
    name: str,
    model: str,
    metric: Metric,
    embedded: Embedded,
    method: Method,
    perplexity: float | None,
    random_state: int,
    report: Report,
) -> StoredMap:
    """Make a map of all images that a model has embedded; see `Collection.map`."""
    if perplexity is not None and method != "tsne":
        raise InvalidInputError(f"perplexity is {perplexity!r}, but {method} has none; it is for tsne")
    check_seed(random_state)
    vectors = embedded.take()
    found = project(
        vectors, method, metric=metric, perplexity=perplexity, random_state=random_state, report=report
    )
    return StoredMap(
        name=name,
        model=model,
        method=method,
        perplexity=perplexity,
        random_state=int(random_state),
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
    if not is_base.any() and "components" not in stored.state:
        raise CollectionConflictError(
            f"none of the images that the map {stored.name!r} was made of is left",
            hint=Hint("map_anew", name=stored.name),
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
