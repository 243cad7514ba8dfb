"""What every model, loaded, can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from lookalike.embed.models import Model
from lookalike.embed.sides import SideRows
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


class Embedder(Protocol):
    """A model, loaded; safe to call from several threads at once."""

    model: Model
    batch_size: int
    """Images that `embed` is best given at once."""

    def prepare(self, image: Image) -> PixelArray:
        """Cut and scale an RGB image to what the model sees."""
        ...

    def embed(self, images: PixelArray) -> Vectors:
        """Turn prepared images, (n, …) uint8, into (n, dimension) float32; unit rows for cosine."""
        ...


class Outputs(NamedTuple):
    """What a model makes of some images.

    Attributes
    ----------
    vectors : (n, dimension) float32
        As `Embedder.embed` gives them.
    sides : mapping of str to (n, width) uint8
        What stands beside them, by the names of ``Model.sides``.
    """

    vectors: Vectors
    sides: Mapping[str, SideRows]

    def of(self, row: int) -> Outputs:
        """Return those of one image: (dimension,) and (width,)."""
        return Outputs(self.vectors[row], {name: rows[row] for name, rows in self.sides.items()})

    @classmethod
    def stack(cls, images: Sequence[Outputs]) -> Outputs:
        """Return together what `of` took apart; of one image at least."""
        sides = {name: np.stack([each.sides[name] for each in images]) for name in images[0].sides}
        return cls(np.stack([each.vectors for each in images]), sides)


class SidedEmbedder(Embedder, Protocol):
    """A model that gives more than a vector: one whose `Model.sides` are not empty."""

    def embed_with_sides(self, images: PixelArray) -> Outputs:
        """Turn prepared images, (n, …) uint8, into vectors and what stands beside them, in one pass."""
        ...


class TextEmbedder(Embedder, Protocol):
    """A model that also knows text: one whose `Model.has_text` is true."""

    def embed_text(self, words: Sequence[str]) -> Vectors:
        """Turn texts into (n, dimension) float32 unit rows, comparable with those of images."""
        ...
