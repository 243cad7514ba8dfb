"""Maps of a collection's images: made, kept in ``maps/<name>/`` of the ``.lookalike`` folder, extended."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import Embedded
from lookalike.collection.grouping import check_seed
from lookalike.collection.named_folders import NamedFolders, check_name, parse_facts, read_arrays
from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.projection import Method, Projection, Report, place, project
from lookalike.types import Ids, Metric, Vectors

_FACTS = "map.json"
_EXAMPLE = "by-colour"
_ARRAYS = {"ids": (np.int64, 1), "points": (np.float32, 2), "is_placed": (np.bool_, 1)}
_EXPECTED: dict[str, Any] = dict.fromkeys(("name", "model", "method", "made"), str)
_EXPECTED |= {"parameters": dict, "figures": dict, "random_state": int, "perplexity": float | int | None}
_STATE = "state "  # and then the name of an array


@dataclass(frozen=True, slots=True, eq=False)
class StoredMap:
    """A map, as it is kept.

    Attributes
    ----------
    name, model : str
    method : {"pca", "tsne", "umap"}
    perplexity : float or None
        As it was asked for; what was used is among the parameters.
    random_state : int
    parameters, figures : mapping of str to number
        See `lookalike.projection.Projection`.
    made : str
        When, as ISO 8601.
    ids : (n,) int64
        Rising.
    points : (n, 2) float32
    is_placed : (n,) bool
        Which images came later, and were placed on the map that was there.
    state : mapping of str to arrays
        What placing needs; see `lookalike.projection.Projection`.
    """

    name: str
    model: str
    method: Method
    perplexity: float | None
    random_state: int
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    made: str
    ids: Ids
    points: Vectors
    is_placed: npt.NDArray[np.bool_]
    state: Mapping[str, npt.NDArray[Any]]


def check_map_name(name: str) -> str:
    """Return a name that can be that of a folder on any system."""
    return check_name("map", name, _EXAMPLE)


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


class Maps:
    """The maps of the collection in a ``.lookalike`` folder."""

    def __init__(self, folder: Path) -> None:
        self._folders = NamedFolders(folder / "maps", "map", _EXAMPLE)

    def names(self) -> list[str]:
        """Return the names of those that are there."""
        return self._folders.names()

    def read(self, name: str) -> StoredMap:
        """Read a map.

        Raises
        ------
        CollectionError
            If there is none of that name.
        StoreError
            If it is damaged.
        """
        return self._folders.read(name, _read)

    def write(self, made: StoredMap) -> None:
        """Keep a map in place of the one of its name; the caller holds the lock."""
        fields = {field.name for field in dataclasses.fields(made)} - _ARRAYS.keys() - {"state"}
        facts = {name: getattr(made, name) for name in sorted(fields)}
        arrays = {name: getattr(made, name) for name in _ARRAYS}
        arrays |= {f"{_STATE}{name}": array for name, array in made.state.items()}
        self._folders.write(made.name, facts, arrays)

    def delete(self, name: str) -> None:
        """Delete a map, damaged or not."""
        self._folders.delete(name)

    def lock(self) -> AbstractContextManager[None]:
        """Let nobody else change maps."""
        return self._folders.lock()


def _read(folder: Path) -> StoredMap:
    facts = parse_facts((folder / _FACTS).read_bytes(), _EXPECTED)
    facts["name"] = folder.name  # should somebody have renamed the folder
    arrays = read_arrays(folder / Path(facts.pop("arrays")).name, _ARRAYS)
    columns: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    n = len(columns["ids"])
    if columns["points"].shape != (n, 2) or len(columns["is_placed"]) != n:
        raise ValueError("its arrays differ in length")
    state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
    return StoredMap(**facts, **columns, state=state)
