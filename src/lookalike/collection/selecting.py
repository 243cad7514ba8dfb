"""From a filter to the images that it lets pass, and the places of theirs that it is about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lookalike.collection.places import Places
from lookalike.errors import QueryError
from lookalike.hints import Hint, Sentence
from lookalike.query.appearance import check_appearance_known
from lookalike.query.facts import check_facts_known, count_unread
from lookalike.query.filter import Filter, find_passing
from lookalike.system.wording import count_images
from lookalike.types import Ids


@dataclass(frozen=True, slots=True)
class Passing:
    """The images that may be hits.

    Attributes
    ----------
    ids : (n,) int64 or None
        None if all may.
    of_files : str or None
        What must hold for their places, as SQL: copies may have other labels, and lie elsewhere.
    by_cluster : (m,) int64
        The images that have one of the labels as the name of their cluster, wherever they lie.
    of_other_files : str or None
        What must hold for the places of those.
    warnings : tuple of Sentence
        What may be missing.
    """

    ids: Ids | None
    of_files: str | None
    by_cluster: Ids = field(default_factory=lambda: np.empty(0, np.int64))
    of_other_files: str | None = None
    warnings: tuple[Sentence, ...] = ()


def pass_filter(places: Places, where: Filter) -> Passing:
    """Return the images that pass a filter."""
    if where.needs_sharpness:
        check_appearance_known(places.store)
    if not where.needs_metadata:
        return _pass_filter(places, where)
    check_facts_known(places.store)
    unread = count_unread(places.store)
    warning = Sentence(
        f"what the files of {count_images(unread)} say is not known yet, so that no filter by it lets them"
        " pass",
        Hint("sync", then=""),
    )
    warnings = (warning,) if unread else ()
    try:
        return replace(_pass_filter(places, where), warnings=warnings)
    except QueryError as error:
        raise error.amended(*warnings) from error


def _pass_filter(places: Places, where: Filter) -> Passing:
    beginnings = [start for folder in where.folders for start in places.beginnings(folder)]
    if not where.labels:
        return Passing(find_passing(places.store, where, beginnings), where.of_files_below(beginnings))
    labels = places.labels
    in_clusters = {label: labels.images(label) for label in where.labels if label in labels.names}
    try:
        ids = find_passing(places.store, where, beginnings, in_clusters, labels.names)
    except QueryError as error:
        # The label may be a name in a clustering that cannot be read.
        raise error.amended(*labels.damaged) from error
    return Passing(
        ids,
        where.of_files_below(beginnings),
        np.unique(np.concatenate([np.empty(0, np.int64), *in_clusters.values()])),
        replace(where, labels=()).of_files_below(beginnings),
    )
