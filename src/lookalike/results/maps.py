"""Maps, as they are now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.results.documents import Result, all_rounded
from lookalike.results.lookup import NOTHING, Lookup
from lookalike.results.notebook import show_points
from lookalike.system.tables import Columns, Table, escape
from lookalike.system.wording import count_images
from lookalike.types import Hit, Metric, Vectors

FOLD = "fold"
"""The parameter of a map on which near-duplicates share a place."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageMap(Table, Result):
    """A map of a collection's images, as they are now; a sequence of its images.

    As a table it has a row an image.

    Attributes
    ----------
    name, model : str
    method : str
        A row of `lookalike.projection.MAP_METHODS`.
    metric : {"cosine", "euclidean"}
    perplexity : float or None
        As it was asked for; what was used is among the parameters.
    parameters, figures : mapping of str to number
        As used, and how good the map is; see `lookalike.projection.Projection`.
    random_state : int
    made : str
        When, as ISO 8601.
    images : tuple of Hit
        Of rank 0 and distance 0: they answer no query. Those that have left the collection are not among
        them.
    points : (n, 2) float32
        Row i is that of ``images[i]``; x to the right, y upwards.
    is_placed : (n,) bool
        Which images came later, and were placed on the map that was there.
    n_unplaced : int
        Images of the collection that are not on the map yet.
    lookup : Lookup
        The collection behind it.
    """

    name: str
    model: str
    method: str
    metric: Metric
    perplexity: float | None
    parameters: Mapping[str, float]
    figures: Mapping[str, float]
    random_state: int
    made: str
    images: tuple[Hit, ...]
    points: Vectors
    is_placed: npt.NDArray[np.bool_]
    n_unplaced: int
    lookup: Lookup = field(default=NOTHING, repr=False)

    @property
    def fold(self) -> bool:
        """Whether near-duplicates share a place."""
        return FOLD in self.parameters

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.images)

    def __getitem__(self, at: int) -> Hit:
        return self.images[at]

    def __repr__(self) -> str:
        return f"<ImageMap {self.name!r}: {count_images(len(self.images))}, {self.method}, {self.model}>"

    def about(self) -> dict[str, Any]:
        """Return what it is as a document of JSON, without its points."""
        return {
            "name": self.name,
            "method": self.method,
            "parameters": dict(self.parameters),
            "figures": all_rounded(self.figures),
            "random_state": self.random_state,
            "model": self.model,
            "made": self.made,
            "images": len(self.images),
            "placed": int(self.is_placed.sum()),
            "unplaced": self.n_unplaced,
        }

    def to_dict(self, path: Callable[[str], str] = str, tell: Callable[[str], str] = str) -> dict[str, Any]:
        """Return it as a document of JSON, so that other programs can draw it; see `SearchResult.to_dict`."""
        rows = zip(self.images, self.points.tolist(), self.is_placed.tolist(), strict=True)
        return self.about() | {
            "points": [
                {
                    "path": path(image.path),
                    "x": x,
                    "y": y,
                    "label": image.label,
                    "id": image.hex_id,
                    "placed": is_placed,
                }
                for image, (x, y), is_placed in rows
            ]
        }

    def _columns(self) -> Columns:
        return {
            "id": [image.hex_id for image in self.images],
            "path": [image.path for image in self.images],
            "label": [image.label for image in self.images],
            "x": self.points[:, 0],
            "y": self.points[:, 1],
            "placed": self.is_placed,
        }

    def _repr_html_(self) -> str:
        """Show where the images lie in a notebook, in the colours of their labels."""
        drawn = show_points(self.points, [image.label for image in self.images])
        return f"<p>{escape(repr(self)[1:-1])}</p>{drawn}"


@dataclass(frozen=True, slots=True, eq=False)
class MapUpdate:
    """A map that was brought up to date, and how.

    Attributes
    ----------
    map : ImageMap
    is_new : bool
        Whether it was made now.
    n_placed : int
        How many images came later, and were placed on the map that was there.
    replaced : ImageMap or None
        The map of another kind that was there under its name, if it was made anew in place of one.
    """

    map: ImageMap
    is_new: bool
    n_placed: int = 0
    replaced: ImageMap | None = None

    def _repr_html_(self) -> str:
        """Show the map in a notebook."""
        return self.map._repr_html_()
