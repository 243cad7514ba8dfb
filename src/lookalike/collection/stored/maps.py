"""Maps as they lie on the disk: ``maps/<name>/`` in the ``.lookalike`` folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.stored.named_folders import NamedFolders, parse_facts, read_arrays
from lookalike.types import Ids, Vectors

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
    method : str
        A row of `lookalike.projection.MAP_METHODS`.
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
    method: str
    perplexity: float | None
    random_state: int
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    made: str
    ids: Ids
    points: Vectors
    is_placed: npt.NDArray[np.bool_]
    state: Mapping[str, npt.NDArray[Any]]


class StoredMaps(NamedFolders[StoredMap]):
    """The maps of the collection in a ``.lookalike`` folder."""

    kind = "map"

    def _parse(self, folder: Path, facts_name: str = "") -> StoredMap:
        facts = parse_facts((folder / (facts_name or self._facts)).read_bytes(), _EXPECTED)
        facts["name"] = folder.name  # should somebody have renamed the folder
        arrays = read_arrays(folder / Path(facts.pop("arrays")).name, _ARRAYS)
        columns: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        n = len(columns["ids"])
        if columns["points"].shape != (n, 2) or len(columns["is_placed"]) != n:
            raise ValueError("its arrays differ in length")
        state = {
            name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)
        }
        return StoredMap(**facts, **columns, state=state)

    def write(self, made: StoredMap) -> None:
        """Keep a map in place of the one of its name; the caller holds the lock."""
        fields = {field.name for field in dataclasses.fields(made)} - _ARRAYS.keys() - {"state"}
        facts = {name: getattr(made, name) for name in sorted(fields)}
        arrays = {name: getattr(made, name) for name in _ARRAYS}
        arrays |= {f"{_STATE}{name}": array for name, array in made.state.items()}
        self._write(made.name, facts, arrays)
