"""The vectors of images, to be taken by their ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.collection.embedded import vector_table
from lookalike.collection.resources import Resources
from lookalike.embed import Model
from lookalike.index.row_parts import RowParts
from lookalike.types import Ids, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class ImageVectors:
    """The vectors of a model, to be taken by image.

    Attributes
    ----------
    ids : (n,) int64
        Rising.
    places : (n,) int64
        The row of each.
    vectors : (n, d) float32
        Perhaps memory-mapped.
    """

    ids: Ids
    places: npt.NDArray[np.intp]
    vectors: Vectors | RowParts

    @classmethod
    def read(cls, resources: Resources, model: Model) -> ImageVectors:
        """Read those of a model."""
        table = vector_table(resources.store, model)
        ids, vectors = resources.searchers.read_vectors(table, model.name, model.metric)
        order = np.argsort(ids)
        return cls(ids[order], order, vectors)

    def of(self, images: Ids) -> Vectors:
        """Return those of some images, (m, d) float32; the model must have embedded them."""
        return np.asarray(self.vectors[self.places[np.searchsorted(self.ids, images)]], np.float32)
