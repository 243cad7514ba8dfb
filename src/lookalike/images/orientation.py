"""Which way up a picture is: the EXIF orientation, found and undone.

A camera stores the picture as its sensor lay and says in one entry of the EXIF data how to turn it. Readers
of EXIF give up at the first entry that is broken, be it a comment that points behind the end of the file,
and the picture would lie on its side. So where they find no orientation, that one entry is looked for
alone.

HEIC and AVIF have turned the picture already when they hand it over: there the container's own properties
hold, EXIF is only a copy of them (ISO/IEC 23008-12).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from lookalike.images.metadata.tags import ORIENTATION

if TYPE_CHECKING:
    from PIL.Image import Image

SWAPS_SIDES = frozenset({5, 6, 7, 8})
"""Orientations under which width and height change places."""

_TURNED_BY_CONTAINER = frozenset({"HEIF", "AVIF"})  # Pillow's names
_RAW_PROFILE = "Raw profile type exif"  # ImageMagick's, in a text of a PNG


def orientation_of(image: Image) -> int:
    """Return the EXIF orientation of a loaded image, 1 to 8; 1 where there is none or it is nonsense."""
    try:
        value = None if _is_swollen(_exif(image)) else image.getexif().get(ORIENTATION)
    except Exception:  # damaged EXIF data must not lose the picture
        value = None
    if value is None and image.format not in _TURNED_BY_CONTAINER:
        stored = getattr(image, "stored_orientation", None)  # our reader of TIFFs knows
        value = _look_for_it(_exif(image)) if stored is None else stored
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def turn(image: Image, orientation: int) -> Image:
    """Undo an EXIF orientation."""
    from PIL.Image import Transpose

    method = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if method is None else image.transpose(method)


def _exif(image: Image) -> bytes:
    """Return the EXIF data as they stand in the file, empty where there are none."""
    data = image.info.get("exif")
    if data is None and isinstance(text := image.info.get(_RAW_PROFILE), str):
        try:
            data = bytes.fromhex("".join(text.split("\n")[3:]))
        except ValueError:
            data = None
    return data if isinstance(data, bytes) else b""


def _is_swollen(data: bytes) -> bool:
    """Tell whether the entries of EXIF data claim more bytes than there are: Pillow would read them all."""
    from lookalike.images.metadata.ifd import claimed_bytes, open_tiff

    tiff = open_tiff(io.BytesIO(data.removeprefix(b"Exif\0\0")))
    return tiff is not None and claimed_bytes(tiff, tiff.first, len(data)) > 2 * len(data)


def _look_for_it(data: bytes) -> int | None:
    """Return the orientation in the first directory of EXIF data, whatever the other entries are."""
    from lookalike.images.metadata.ifd import first_number, open_tiff, read_directory

    tiff = open_tiff(io.BytesIO(data.removeprefix(b"Exif\0\0")))
    if tiff is None:
        return None
    return first_number(read_directory(tiff, tiff.first, frozenset({ORIENTATION})).get(ORIENTATION))
