"""Small copies of the images: what result pages and maps show, without touching the originals."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from lookalike.errors import InvalidInputError
from lookalike.system.limits import LEAST_THUMBNAIL_SIDE, MOST_THUMBNAIL_SIDE, THUMBNAIL_SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITY = 85
"""JPEG quality: the knee of size against visible loss at this size."""

_MADE_FOR = b"lookalike thumbnail "  # and the side, a comment in the file, unless that is the usual one


def check_thumbnail_side(side: int) -> int:
    """Return the longest side that thumbnails are to have, pixels.

    Raises
    ------
    InvalidInputError
        If it is less than 64 or more than 1024.
    """
    if not LEAST_THUMBNAIL_SIDE <= side <= MOST_THUMBNAIL_SIDE:
        raise InvalidInputError(
            f"the longer side of thumbnails is {side} pixels;"
            f" expected {LEAST_THUMBNAIL_SIDE} to {MOST_THUMBNAIL_SIDE}",
            field="thumbnail_side",
        )
    return side


def make_thumbnail(image: Image, side: int = THUMBNAIL_SIDE) -> Image:
    """Shrink an RGB image to at most `side` × `side`, keeping its proportions; small ones stay as they are.

    Small is up to a quarter more: to shrink these takes three times as long as writing them whole.
    """
    from PIL.Image import Resampling

    width, height = image.size
    if max(width, height) <= _left_as_they_are(side):
        return image
    scale = side / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return image.resize(size, Resampling.BILINEAR, reducing_gap=2.0)


def shorter_side_for(width: int, height: int, side: int) -> int:
    """Return how many pixels the shorter side of a picture needs, for a thumbnail of this longer side.

    Examples
    --------
    >>> shorter_side_for(4000, 3000, 512), shorter_side_for(300, 400, 512), shorter_side_for(9000, 2, 512)
    (384, 300, 1)
    """
    longer, shorter = max(width, height), min(width, height)
    return math.ceil(shorter * min(longer, side) / longer)


def encode_thumbnail(thumbnail: Image, side: int = THUMBNAIL_SIDE) -> bytes:
    """Return the thumbnail as a JPEG file, which says for which side it was made."""
    stream = io.BytesIO()
    comment = {} if side == THUMBNAIL_SIDE else {"comment": b"%s%d" % (_MADE_FOR, side)}
    thumbnail.save(stream, "JPEG", quality=QUALITY, **comment)
    return stream.getvalue()


def is_made_for(jpeg: bytes, side: int, width: int, height: int) -> bool:
    """Tell whether the thumbnail of an image of this size has the size that it is made in for a side."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(jpeg)) as opened:
            made_for, size = _read_side(opened.info.get("comment")), opened.size
    except Exception:  # image readers raise nearly anything on damaged bytes
        return False
    return made_for == side or (size == (width, height) and max(size) <= _left_as_they_are(side))


def _read_side(comment: bytes | None) -> int:
    digits = (comment or b"").removeprefix(_MADE_FOR)
    return int(digits) if digits != comment and digits.isdigit() else THUMBNAIL_SIDE


def _left_as_they_are(side: int) -> int:
    """Return the longest side of images that are not worth shrinking."""
    return side + side // 4
