"""What every model, loaded, can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lookalike.embed.models import Model
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


class TextEmbedder(Embedder, Protocol):
    """A model that also knows text: one whose `Model.has_text` is true."""

    def embed_text(self, words: Sequence[str]) -> Vectors:
        """Turn texts into (n, dimension) float32 unit rows, comparable with those of images."""
        ...
