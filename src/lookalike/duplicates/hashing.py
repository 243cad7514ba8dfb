"""Hashes of a picture in all eight turns, plain and trimmed, by which its copies are looked for.

The 64 bits of `lookalike.images.hashing` come from the 8 × 8 lowest cosine frequencies of a picture. Those of
the picture turned or mirrored are the same numbers: a transposition swaps the axes, a mirror image changes
the sign of every odd frequency along its axis. So one transform gives the hashes of all eight turns; which
bits are set is decided for each by its own median.

Borders and letterboxes change every frequency. So a second row of hashes is of the picture *trimmed* of its
flat margins: the rows and columns from an edge on whose grey levels hardly differ, neither among one another
nor from the outermost. A picture without margins has the same hashes twice.

One picture takes some 0.6 ms, nearly all for reading the thumbnail.
"""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.images.hashing import bits_of, low_frequencies
from lookalike.system.checked_calls import checked

if TYPE_CHECKING:
    from PIL.Image import Image

Hashes: TypeAlias = npt.NDArray[np.uint64]

HASHES_VERSION = 1
"""Changes whenever a picture gets other hashes than before."""

PLAIN, TRIMMED = 0, 1
"""The rows of the hashes of one picture."""

N_TURNS = 8

_SIDE = 128  # pixels a thumbnail is read at, at least, where its format allows
_SPREAD = 4.5  # the standard deviation of the grey levels of a line that is flat, at most
_STEP = 8.0  # by which its mean may differ from that of the outermost
_LEAST_LEFT = 0.25  # of the width, and of the height
_ROUNDS = 2  # a frame in a letterbox


@checked
def turned_hashes(thumbnail: bytes | Image) -> Hashes:
    """Return the hashes of a picture in all turns.

    Parameters
    ----------
    thumbnail : bytes or PIL.Image.Image
        A small picture, as a file or read already.

    Returns
    -------
    (2, 8) uint64
        Of the picture, and of the picture trimmed of flat margins; in column t - 1 as it is after being
        turned as EXIF's orientation t says.

    Raises
    ------
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from PIL import Image
    >>> slope = Image.linear_gradient("L")  # from black at the top to white
    >>> hashes = turned_hashes(slope)
    >>> bool(hashes[0, 0] == turned_hashes(slope.transpose(Image.Transpose.ROTATE_180))[0, 2])
    True
    """
    picture = _read(thumbnail)
    low = low_frequencies(picture)
    box = _within_margins(np.asarray(picture, np.float32))
    trimmed = low if box == (0, 0, *picture.size) else low_frequencies(picture.crop(box))
    return bits_of(_in_all_turns(np.stack([low, trimmed])))


def _read(thumbnail: bytes | Image) -> Image:
    """Return a picture in grey."""
    from PIL import Image as PillowImage

    if not isinstance(thumbnail, bytes):
        return thumbnail.convert("L")
    try:
        picture = PillowImage.open(io.BytesIO(thumbnail))
        if picture.format == "JPEG":
            picture.draft("L", (_SIDE, _SIDE))
        return picture.convert("L")
    except (ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise OSError(f"the picture cannot be read: {error}") from error


def _in_all_turns(low: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the frequencies of pictures in all turns: (..., 8, 8) to (..., 8, 8, 8)."""
    is_swapped, signs = _turns()
    both = np.stack([low, low.swapaxes(-1, -2)], axis=-3)  # (..., 2, 8, 8)
    found: npt.NDArray[np.float64] = both[..., is_swapped, :, :] * signs
    return found


@functools.cache
def _turns() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """For each turn whether the axes are swapped, (8,), and the signs of frequencies then, (8, 8, 8)."""
    odd = 1.0 - 2.0 * (np.arange(8) % 2)
    even = np.ones(8)
    turns = range(1, N_TURNS + 1)
    signs = [np.outer(odd if t in (3, 4, 7, 8) else even, odd if t in (2, 3, 6, 7) else even) for t in turns]
    return np.array([int(t >= 5) for t in turns], np.intp), np.stack(signs)


def _within_margins(grey: npt.NDArray[np.float32]) -> tuple[int, int, int, int]:
    """Return what is within flat margins: left, top, right and bottom, pixels."""
    box = [[0, grey.shape[0]], [0, grey.shape[1]]]  # from and to, of rows and of columns
    for _ in range(_ROUNDS):
        before = [list(side) for side in box]
        for axis in (0, 1):
            inside = grey[box[0][0] : box[0][1], box[1][0] : box[1][1]]
            means, spreads = inside.mean(axis=1 - axis), inside.std(axis=1 - axis)
            first, last = _flat(means, spreads), _flat(means[::-1], spreads[::-1])
            if (box[axis][1] - box[axis][0]) - first - last >= _LEAST_LEFT * grey.shape[axis]:
                box[axis] = [box[axis][0] + first, box[axis][1] - last]
        if box == before:
            break
    (top, bottom), (left, right) = box
    return left, top, right, bottom


def _flat(means: npt.NDArray[np.float32], spreads: npt.NDArray[np.float32]) -> int:
    """Return how many lines from the first on are flat."""
    is_other = (spreads >= _SPREAD) | (np.abs(means - means[0]) >= _STEP)
    return int(is_other.argmax()) if is_other.any() else len(means)
