"""The pixels themselves as a vector: for digits and thumbnails, where the picture is the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.embed.models import Model
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image


class PixelsEmbedder:
    """Gives the values of the pixels, 0 to 255, row by row.

    Parameters
    ----------
    model : Model
        Of the architecture ``pixels``.
    """

    batch_size = 1

    def __init__(self, model: Model) -> None:
        self.model = model
        self._mode = "L" if model.dimension == model.size**2 else "RGB"

    def prepare(self, image: Image) -> PixelArray:
        """Bring an RGB image to the model's size; the whole of it, whatever its proportions.

        Returns
        -------
        (size, size) or (size, size, 3) uint8
        """
        from PIL.Image import Resampling

        side = self.model.size
        converted = image.convert(self._mode)
        if converted.size != (side, side):
            converted = converted.resize((side, side), Resampling.BICUBIC, reducing_gap=3.0)
        return np.asarray(converted)

    def embed(self, images: PixelArray) -> Vectors:
        """Return prepared images, (n, …) uint8, as (n, dimension) float32."""
        return images.reshape(len(images), -1).astype(np.float32)
