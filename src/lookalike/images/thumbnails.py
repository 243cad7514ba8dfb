"""Small copies of the images: what result pages and maps show, without touching the originals."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 256
"""Longest side of a thumbnail that was shrunk, pixels."""

LEFT_AS_THEY_ARE = 320
"""Longest side of images that are not worth shrinking: it takes three times as long as writing them whole."""

QUALITY = 85
"""JPEG quality: the knee of size against visible loss at this size."""


def make_thumbnail(image: Image) -> Image:
    """Shrink an RGB image to at most 256 × 256, keeping its proportions; small ones stay as they are."""
    from PIL.Image import Resampling

    width, height = image.size
    if max(width, height) <= LEFT_AS_THEY_ARE:
        return image
    scale = SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.resize(size, Resampling.BILINEAR, reducing_gap=2.0)


def encode_thumbnail(thumbnail: Image) -> bytes:
    """Return the thumbnail as a JPEG file."""
    stream = io.BytesIO()
    thumbnail.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
