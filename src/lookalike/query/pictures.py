"""Whatever holds a picture in memory, as pixels: arrays, images of Pillow's, files as bytes, open files.

Of an array its type says what its numbers mean, never the numbers alone: bytes are levels, truth values
black and white, floats go from 0 to 1. Others are refused, as a picture that was guessed wrong would be
searched for without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import ImageError, QueryInputError
from lookalike.images import decode
from lookalike.images.decode import MAX_FILE_BYTES, read_open_file, upright_rgb
from lookalike.system.checked_calls import shown
from lookalike.types import PixelArray

if TYPE_CHECKING:
    from PIL.Image import Image

_EXPECTED = (
    "expected uint8 of shape (height, width, 3), or grey or with alpha: (height, width), (height, width, 1 to"
    " 4); true and false, or floats from 0 to 1, may stand for uint8"
)
_AS_LEVELS = "where the numbers go from 0 to 255, give pixels.astype('uint8')"
_OVERSHOOT = 1e-3  # by which what was resized may leave 0 to 1
_UNIT = 1e-3  # by which the length of a row may differ from 1


def is_picture(value: object) -> bool:
    """Tell whether something is an image of Pillow's, or the bytes of a file, or an open one."""
    from PIL import Image as Pillow

    return isinstance(value, Pillow.Image) or is_file_in_memory(value)


def is_file_in_memory(value: object) -> bool:
    """Tell whether something is the bytes of a file, or an open one."""
    return isinstance(value, bytes | bytearray | memoryview) or callable(getattr(value, "read", None))


def read_in_memory(file: Any) -> bytes:
    """Return the bytes of a file, be they given as such or to be read from its beginning, where it has one.

    Raises
    ------
    QueryInputError
        If it cannot be read, is open as text, empty, or has more than a file may have.
    """
    if not isinstance(file, bytes | bytearray | memoryview):
        try:
            file = read_open_file(file)
        except Exception as error:  # any class may call itself a file
            raise QueryInputError(f"the query, an open file, cannot be read: {error}") from error
    if not isinstance(file, bytes | bytearray | memoryview):
        raise QueryInputError(
            f"the query is an open file that gives {type(file).__name__}; expected bytes, as of open(…, 'rb')"
        )
    if not len(file):
        raise QueryInputError("the query is an empty file; expected an image file")
    data = bytes(file)
    if len(data) > MAX_FILE_BYTES:
        raise QueryInputError(f"the query has {len(data) / (1 << 30):.1f} GiB; at most 1 GiB is read")
    return data


def as_pixels(picture: Any) -> PixelArray:
    """Return what is in memory as pixels of its own, (height, width, 3) uint8, which cannot be written to.

    Parameters
    ----------
    picture : array, PIL.Image.Image, or bytes of a file
        What is transparent is laid on a ground, as it is for files.

    Raises
    ------
    QueryInputError
        If it is no picture, or cannot be read.
    """
    from PIL import Image as Pillow

    if isinstance(picture, bytes):
        try:
            picture = decode(picture, "the picture").image
        except ImageError as error:
            raise QueryInputError(f"the query cannot be read: {error}") from error
    elif isinstance(picture, Pillow.Image):
        picture = _upright(picture)
    own = np.array(_of_array(picture), np.uint8, order="C")
    own.setflags(write=False)
    return own


def _upright(picture: Image) -> Image:
    if 0 in picture.size:
        raise QueryInputError(
            f"the query has {picture.width} × {picture.height} pixels; expected at least one"
        )
    try:
        return upright_rgb(picture)
    except Exception as error:  # Pillow reads a file only now, and raises nearly anything where it is bad
        raise QueryInputError(f"the query cannot be read: {error}") from error


def _of_array(given: Any) -> npt.NDArray[Any]:
    """Return the pixels of an array, (h, w, 3)."""
    from PIL import Image as Pillow

    levels = _levels(as_array(given))
    if levels.ndim == 3 and levels.shape[2] == 1:
        levels = levels[..., 0]
    if levels.ndim == 2:
        return np.repeat(levels[..., None], 3, axis=2)
    if levels.shape[2] == 3:
        return levels
    mode = "LA" if levels.shape[2] == 2 else "RGBA"
    height, width = levels.shape[:2]
    return np.asarray(_upright(Pillow.frombytes(mode, (width, height), levels.tobytes())))


def as_array(given: Any) -> npt.NDArray[Any]:
    """Return what may be an array as one.

    Raises
    ------
    QueryInputError
        If it cannot be made one.
    """
    if np.ma.is_masked(given):
        raise QueryInputError("the query is an array of which some is masked; expected all of it")
    try:
        return np.asarray(given)
    except Exception as error:  # lists of different lengths; whatever another library's tensor raises
        raise QueryInputError(f"the query is no picture ({error})") from error


def _levels(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the numbers of a picture as uint8, its shape checked."""
    kind = pixels.dtype.kind
    if not (pixels.ndim == 2 or (pixels.ndim == 3 and 1 <= pixels.shape[2] <= 4)) or 0 in pixels.shape:
        raise QueryInputError(f"the query is {pixels.dtype} of shape {pixels.shape}; {_EXPECTED}")
    if not (pixels.dtype == np.uint8 or kind in "bf"):
        hint = _AS_LEVELS if kind in "iu" else None
        raise QueryInputError(f"the query is {pixels.dtype} of shape {pixels.shape}; {_EXPECTED}", hint=hint)
    if kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if kind != "f":
        return pixels
    values = pixels.astype(np.float64)
    low, high = values.min(), values.max()
    if not (low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT):  # of NaN, too
        raise QueryInputError(
            f"the query is {pixels.dtype} from {low:.4g} to {high:.4g}; {_EXPECTED}",
            hint=_AS_LEVELS,
        )
    if pixels.ndim == 2 and _are_unit_rows(values):
        raise QueryInputError(
            f"the query is {pixels.dtype} of shape {pixels.shape}, with rows of length 1, as vectors are;"
            " expected a picture, or one vector",
            hint="give several vectors as a list: list(vectors)",
        )
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _are_unit_rows(values: npt.NDArray[np.float64]) -> bool:
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values))
    return values.shape[1] > 1 and bool(np.abs(lengths - 1).max() <= _UNIT)


def describe_kind(value: object) -> str:
    """Say in a few words what something is.

    >>> describe_kind(None), describe_kind({"a": 1}), describe_kind(np.zeros(3))
    ('None', "a dict, {'a': 1}", 'float64 of shape (3,)')
    """
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}, {shown(value)}"
