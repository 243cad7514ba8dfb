"""Maps of a collection's images: made, extended by what came later, made anew where they are others."""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass, replace

import numpy as np

from lookalike.collection.embedded import Embedded
from lookalike.collection.folding import Copies, folded_ids
from lookalike.collection.maps.describing import describe_map, read_map
from lookalike.collection.resources import Resources
from lookalike.collection.stored.maps import StoredMap
from lookalike.collection.stored.named_folders import check_name, read_each
from lookalike.embed import Model
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.projection import Projection, place, project
from lookalike.projection.methods import DEFAULT_METHOD, MAP_METHODS, get_method
from lookalike.results.maps import FOLD, ImageMap, MapUpdate
from lookalike.system.chance import RANDOM_STATE, check_seed
from lookalike.system.checked_calls import shown
from lookalike.system.progress import Watch
from lookalike.types import Metric

_KIND = (
    "method",
    "model",
    "perplexity",
    "random_state",
    "fold",
)  # a map is another kind if one of these differs


@dataclass(frozen=True, slots=True)
class MapRequest:
    """What map is asked for, and what nothing was said of: None. See `Maps.make` and `Maps.make_or_place`.

    Attributes
    ----------
    name : str or None
    method : str or None
        A row of `lookalike.projection.MAP_METHODS`.
    model : str or None
        As the user called it, if at all.
    perplexity : float or None
    random_state : int or None
    fold : bool or None
        Whether near-duplicates share a place.

    Raises
    ------
    InvalidInputError
        If there is no such method, it does not take what was given, or something cannot be what it is.
    """

    name: str | None = None
    method: str | None = None
    model: str | None = None
    perplexity: float | None = None
    random_state: int | None = None
    fold: bool | None = None

    def __post_init__(self) -> None:
        row = get_method(self.its_method)
        _ = self.its_name  # which is checked
        if self.perplexity is not None and not row.takes_perplexity:
            others = ", ".join(each.name for each in MAP_METHODS if each.takes_perplexity)
            raise InvalidInputError(
                f"perplexity is {shown(self.perplexity)}, but {row.name} has none; it is for {others}",
                field="perplexity",
            )
        check_seed(self.its_random_state)

    @property
    def its_method(self) -> str:
        """The method that a new map would be made by."""
        return DEFAULT_METHOD if self.method is None else self.method

    @property
    def its_random_state(self) -> int:
        """What a new map would be drawn from."""
        return RANDOM_STATE if self.random_state is None else self.random_state

    @property
    def its_name(self) -> str:
        """The name of the map that is meant."""
        return check_name("map", self.its_method if self.name is None else self.name)


def make_map(resources: Resources, request: MapRequest, watch: Watch) -> ImageMap:
    """Make a map of all images that a model has embedded, and keep it; see `Maps.make`."""
    model, embedded = resources.some_embedded(request.model)
    copies = Copies.needed(resources) if request.fold else None
    made = project_images(request, model, embedded, watch, copies)
    with resources.maps.lock():
        watch.check()
        resources.maps.write(made)
    return describe_map(resources, made, model)


def place_on_map(resources: Resources, name: str, watch: Watch) -> tuple[ImageMap, int]:
    """Place images that came later on a map, and keep it; see `Maps.place`."""
    with resources.maps.lock():
        stored = resources.maps.read(name)
        model, embedded = resources.some_embedded(stored.model)
        stored, n_placed = place_later(stored, embedded, model.metric, watch)
        watch.check()
        if n_placed:
            resources.maps.write(stored)
    return describe_map(resources, stored, model), n_placed


def make_or_place(resources: Resources, request: MapRequest, new: bool, watch: Watch) -> MapUpdate:
    """Return a map brought up to date, made anew where it is of another kind; see `Maps.make_or_place`."""
    name = request.its_name
    earlier = _read_earlier(resources, name, new)
    if earlier is not None and not new and _is_as_asked(earlier, resources, request):
        found, n_placed = place_on_map(resources, name, watch) if earlier.n_unplaced else (earlier, 0)
        return MapUpdate(found, is_new=False, n_placed=n_placed)
    found = make_map(resources, request if earlier is None else _filled(request, earlier), watch)
    is_same_kind = all(getattr(earlier, each, None) == getattr(found, each) for each in _KIND)
    return MapUpdate(found, is_new=True, replaced=None if is_same_kind else earlier)


def _read_earlier(resources: Resources, name: str, new: bool) -> ImageMap | None:
    """Return the map of that name, if there is one; where it is made anew anyway, a damaged one is none."""
    if name not in resources.maps.names():
        return None
    if not new:
        return read_map(resources, name)
    found, _ = read_each([name], lambda name: read_map(resources, name))
    return found[0] if found else None


def _is_as_asked(found: ImageMap, resources: Resources, request: MapRequest) -> bool:
    """Tell whether a map is of the kind that is asked for; what nothing was said of is fine as it is."""
    if request.model is not None:  # a file, perhaps
        request = replace(request, model=resources.model(request.model).name)
    return all(getattr(request, each) in (None, getattr(found, each)) for each in _KIND)


def _filled(request: MapRequest, earlier: ImageMap) -> MapRequest:
    """Return what a map is to be that takes the place of another: like that, where nothing was said of it."""
    method = earlier.method if request.method is None else request.method
    facts = ("model", "random_state", "fold", *(["perplexity"] if method == earlier.method else []))
    kept = {each: getattr(earlier, each) for each in facts if getattr(request, each) is None}
    return replace(request, method=method, **kept)


def project_images(
    request: MapRequest, model: Model, embedded: Embedded, watch: Watch, copies: Copies | None = None
) -> StoredMap:
    """Make a map of all images that a model has embedded; copies lie where the one of them does."""
    ids, places = (embedded.ids, slice(None)) if copies is None else folded_ids(copies, embedded.ids)
    vectors, random_state = embedded.take(ids), int(request.its_random_state)
    found = project(
        vectors,
        request.its_method,
        metric=model.metric,
        perplexity=request.perplexity,
        random_state=random_state,
        **watch.told,
    )
    return StoredMap(
        name=request.its_name,
        model=model.name,
        method=request.its_method,
        perplexity=request.perplexity,
        random_state=random_state,
        parameters={**found.parameters, **({} if copies is None else {FOLD: 1.0})},
        figures=found.figures,
        made=datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        ids=embedded.ids,
        points=found.points[places],
        is_placed=np.zeros(len(embedded), bool),
        state=found.state,
    )


def place_later(stored: StoredMap, embedded: Embedded, metric: Metric, watch: Watch) -> tuple[StoredMap, int]:
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
            f"none of the images that the map {stored.name!r} was made of is left",
            hint=Hint("map_anew", name=stored.name, method=stored.method),
        )
    base = Projection(stored.points[is_base], stored.method, stored.parameters, stored.figures, stored.state)
    vectors = embedded.take(stored.ids[is_base])
    points = place(
        embedded.take(new),
        vectors,
        base,
        metric=metric,
        random_state=stored.random_state,
        **watch.told,
    )
    ids = np.concatenate([stored.ids[is_there], new])
    order = np.argsort(ids)
    return dataclasses.replace(
        stored,
        ids=ids[order],
        points=np.concatenate([stored.points[is_there], points])[order],
        is_placed=np.concatenate([stored.is_placed[is_there], np.ones(len(new), bool)])[order],
    ), len(new)
