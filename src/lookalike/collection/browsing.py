"""Images without a query: listed in an order, counted, and counted by what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lookalike.collection.facets import count_facets
from lookalike.collection.orders import Order, order_images, values_of
from lookalike.collection.places import Places
from lookalike.collection.resources import Resources
from lookalike.collection.searching import Describer
from lookalike.collection.selecting import Passing, check_known, select
from lookalike.errors import QueryInputError
from lookalike.query.filter import Filter
from lookalike.query.request import SearchRequest
from lookalike.results.browsing import BrowseResult, Facets
from lookalike.results.hits import Hits

USUAL = "path"
"""By what images are listed where nobody says."""


def browse(resources: Resources, request: SearchRequest, offset: int = 0) -> BrowseResult:
    """List images; see `Collection.browse`."""
    if not request.is_browse:
        raise QueryInputError(
            "images are listed without a query", hint="search for it, or leave query and colours out"
        )
    if request.unlike:
        raise QueryInputError("what is not wanted is taken from a query, and there is none", field="unlike")
    if request.fold:
        raise QueryInputError("near-duplicates are folded into hits, and there is no query", field="fold")
    for name in ("min_probability", "min_score"):
        if getattr(request, name) is not None:
            raise QueryInputError(f"{name} is of hits of a query, and there is none", field=name)
    where, cluster = request.where, request.same_cluster
    if cluster is not None:
        if cluster.number is None:
            raise QueryInputError(
                "the query's own cluster is asked for, and there is no query; expected a cluster's number",
                field="same_cluster",
            )
        where = where.within(cluster)
    places, sort = resources.places, request.sort or USUAL
    known = check_known(places, sort in ("sharpness", "color"), sort in ("date", "rating"))
    selection = select(places, where)
    clusterings = {each.clustering for each in where.clusters}
    clustering = clusterings.pop() if sort == "central" and len(clusterings) == 1 else None
    order = order_images(resources, sort, request.random_state, clustering)
    if sort == "path" and selection.files is not None:  # of several places the first that counts
        order = Order.of_known(places.snapshot.joined.by_path_of(selection.files))
    is_all = selection.images is None and selection.files is None
    chosen = order.among(None if is_all else selection.rows(), request.descending)
    total, listed = len(chosen), chosen if request.k is None else chosen[: offset + request.k]
    rows = order.rows[listed]
    describer = Describer(places, Passing(None, selection.files), has_scores=False)
    hits = Hits(
        places.snapshot.images.ids[rows],
        np.zeros(len(listed)) if order.keys is None else order.keys[listed],
        describer.describe,
        describer.has_scores,
        describer.lookup,
    )
    warnings = dict.fromkeys((*places.labels.damaged, *known, *selection.warnings))
    return BrowseResult(
        hits[offset:],
        total,
        sort,
        order.keys[listed[offset:]]
        if order.keys is not None
        else values_of(places.snapshot, sort, rows[offset:]),
        tuple(warnings),
        replace(request, sort=sort),
        describer.lookup,
    )


def count(places: Places, where: Filter) -> int:
    """Return how many images pass a filter."""
    return int(np.count_nonzero(select(places, where).rows()))


def facets(places: Places, where: Filter, names: Sequence[str]) -> Facets:
    """Count the images that pass a filter by what they are; see `Collection.facets`."""
    return count_facets(places, select(places, where), names)
