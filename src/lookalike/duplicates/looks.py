"""What a picture looks like, as verification takes it: grey at 256 pixels, colors at 64; some 60 KB."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image

Bytes: TypeAlias = npt.NDArray[np.uint8]

SIDE = 256
"""The long side of the grey picture, pixels; that of the colors is a quarter of it."""

_LEAST = 32  # the short side at least, pixels: pictures that are longer are shown wider


@dataclass(frozen=True, slots=True)
class Look:
    """A picture, ready to be laid on others.

    Attributes
    ----------
    grey : (h, w) uint8
        Its luminance; the longer side is 256, the other at least 32.
    colors : (2, h', w') uint8
        What is blue and red in it, as in JPEG, about 128; the longer side is 64.
    """

    grey: Bytes
    colors: Bytes

    @classmethod
    def of(cls, thumbnail: bytes | Image) -> Look:
        """Return that of a thumbnail, an image file or an image of Pillow's; transparent is white.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        from PIL import Image as Pillow

        try:
            image = Pillow.open(io.BytesIO(thumbnail)) if isinstance(thumbnail, bytes) else thumbnail
            if image.format == "JPEG":
                image.draft("YCbCr", (SIDE, SIDE))  # as it is stored, and not much larger than is wanted
            grey, *colors = _opaque(image).convert("YCbCr").split()
        except OSError:
            raise
        except Exception as error:  # image readers raise nearly anything on damaged bytes
            raise OSError(f"not an image that can be read: {error}") from error
        size = _size_of(*grey.size, SIDE, _LEAST)
        small = _size_of(*grey.size, SIDE // 4, _LEAST // 4)
        if grey.size != size:
            grey = grey.resize(size, Pillow.Resampling.BILINEAR)
        shrunk = [channel.resize(small, Pillow.Resampling.BOX) for channel in colors]
        return cls(np.asarray(grey), np.stack([np.asarray(channel) for channel in shrunk]))

    @property
    def n_bytes(self) -> int:
        """How much memory it takes."""
        return self.grey.nbytes + self.colors.nbytes


def _size_of(width: int, height: int, side: int, least: int) -> tuple[int, int]:
    scale = side / max(width, height)
    return max(least, round(width * scale)), max(least, round(height * scale))


def _opaque(image: Image) -> Image:
    """Return an image on white, if it is transparent anywhere."""
    from PIL import Image as Pillow

    if "A" not in image.getbands() and "transparency" not in image.info:
        return image if image.mode in ("RGB", "YCbCr", "L") else image.convert("RGB")
    layer = image.convert("RGBA")
    page = Pillow.new("RGB", layer.size, "white")
    page.paste(layer, mask=layer.getchannel("A"))
    return page
