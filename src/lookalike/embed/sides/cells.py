"""Parts of a picture, so that a part finds the picture it is of, and an object the scenes that it is in.

A picture has 3 × 3 cells, each 3/7 as wide and as high as it, every 2/7 one: they overlap. Of each there are
the means of two blocks of the network: the last one says what it is, the one of twice as fine a grain how it
looks. Each is whitened to 80 numbers,

    u = x / |x|,    y = (u - mean) · axes,    v = y / |y|,

see `lookalike.embed.whitening`, and both make the cell: unit[v_last, 1.4 · v_low], 160 numbers in four bits
each, see `lookalike.four_bits`. A picture takes 720 bytes, its cells row by row.

What is searched for is seen as large as it is likely to be in the whole: drawn in half the width and height,
four times beside each other, so that no border shows (`as_part`). Its vector is the mean of the cells of that
(`query_of`).

All this was chosen with parts of the pictures of a third of Caltech-101. Beside 2 × 2 cells of the last block
alone, 128 numbers in 8 bits, and the query in full size: by cells alone, the wholes of .82, .84, .77 instead
of .84, .73, .46 of parts of 40, 25 and 15 % of the area came first, and of small pictures .83 instead of .46
found the scenes that they were pasted into within 10, of 350.

Cost: 0.15 ms an image, of 5.5, half of it for what the network pools.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.embed.frozen import read_frozen
from lookalike.four_bits import decode as decode_rows
from lookalike.four_bits import encode as encode_rows
from lookalike.types import PixelArray, Vectors

if TYPE_CHECKING:
    from PIL.Image import Image

Region = tuple[float, float, float, float]

GRID = 3
N_CELLS = GRID * GRID
DIMENSION = 160
WIDTH = N_CELLS * DIMENSION // 2

PARTS = (("last", 320, 80, 1.0), ("low", 112, 80, 1.4))
"""Names, how many numbers the network gives, how many are kept, and how much they weigh."""

FILE = "lite0_cells.npz"
SHA256 = "cd529e03d24bcf2d676a5080299919230c50a8c344dfa8f9082e1a7fdd65c316"

_SIDE, _STEP = 3 / 7, 2 / 7  # of a cell, in shares of the picture

Doubles = npt.NDArray[np.float64]


def encode(pooled: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Make cells of what the network gave.

    Parameters
    ----------
    pooled : (n, 3888) float32
        As ``efficientnet_lite`` pools it: of each part (channel, row, column). Rows that are not finite have
        cells all the same, which mean nothing.

    Returns
    -------
    (n, 720) uint8
    """
    parts = []
    for (name, *_, weight), rows in zip(PARTS, split(pooled), strict=True):
        mean, axes = _whitening()[name]
        # In float64, so that no rounding depends on how many images there are at once.
        parts.append(weight * _units((_units(rows.astype(np.float64)) - mean) @ axes))
    cells = _units(np.concatenate(parts, axis=1)).astype(np.float32)
    return encode_rows(cells).reshape(-1, WIDTH)


def decode(rows: npt.NDArray[np.uint8]) -> Vectors:
    """Read what `encode` made: (n, 9, 160) float32, unit rows."""
    return decode_rows(np.ascontiguousarray(rows).reshape(-1, DIMENSION // 2)).reshape(-1, N_CELLS, DIMENSION)


def query_of(rows: npt.NDArray[np.uint8]) -> Vectors:
    """Return what to compare cells with: of pictures that were made by `as_part`, (n, 160) float32."""
    mean = decode(rows).mean(axis=1)
    return np.asarray(_units(mean), np.float32)


def as_part(picture: Image, side: int) -> PixelArray:
    """Draw a picture as a network should see it that looks for it in others.

    Returns
    -------
    (side, side, 3) uint8
    """
    from PIL.Image import Resampling

    half = -(-side // 2)
    small = np.asarray(picture.convert("RGB").resize((half, half), Resampling.BICUBIC, reducing_gap=3.0))
    return np.tile(small, (2, 2, 1))[:side, :side]


def box_of(cell: int) -> Region:
    """Return where a cell is: left, top, width and height, as shares of the upright picture.

    >>> [round(7 * share) for share in box_of(5)]
    [4, 2, 3, 3]
    """
    row, column = divmod(cell, GRID)
    return column * _STEP, row * _STEP, _SIDE, _SIDE


def split(pooled: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """Return the parts of what the network pooled: (n · 9, channels) each, the cells row by row."""
    ends = np.cumsum([channels * N_CELLS for _, channels, *_ in PARTS])
    return [
        np.ascontiguousarray(part.reshape(len(pooled), channels, N_CELLS).transpose(0, 2, 1)).reshape(
            -1, channels
        )
        for (_, channels, *_), part in zip(PARTS, np.split(pooled, ends[:-1], axis=1), strict=True)
    ]


def _units(rows: Doubles | Vectors) -> Doubles:
    """Return unit rows; zeros where a row has no direction."""
    with np.errstate(all="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))[:, None]
        found: Doubles = np.where((lengths > 0) & np.isfinite(lengths), rows / lengths, 0)
    return found


_loaded: dict[str, tuple[Doubles, Doubles]] = {}
_lock = threading.Lock()


def _whitening() -> dict[str, tuple[Doubles, Doubles]]:
    """Return mean and axes of each part, which come with lookalike.

    Raises
    ------
    ModelError
        If their file is missing or damaged.
    """
    with _lock:
        if not _loaded:
            arrays = read_frozen(Path(__file__).with_name(FILE), SHA256)
            for name, *_ in PARTS:
                axes = arrays[f"{name}_axes"].astype(np.float64) * arrays[f"{name}_steps"]
                _loaded[name] = arrays[f"{name}_mean"].astype(np.float64), axes
    return _loaded
