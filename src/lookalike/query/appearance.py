"""What the images of a collection look like: their colours, sizes and sharpness, over the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionConflictError, InvalidInputError
from lookalike.hints import Hint
from lookalike.images.palette import (
    MAX_COLORS,
    Palette,
    lab_to_hex,
    lab_to_rgb,
    palettes,
    parse_color,
    rgb_to_lab,
    score_color,
)
from lookalike.query.filter import SQUARE
from lookalike.store import Store
from lookalike.types import Ids

LEAST_SCORE = 0.05
"""An image has a colour if its score is at least this: a twentieth of the picture is of it."""


@dataclass(frozen=True, slots=True)
class Color:
    """One of the colours of a picture.

    Attributes
    ----------
    hex : str
        In sRGB, as CSS writes it.
    share : float
        Of the picture, 0 to 1.
    """

    hex: str
    share: float


@dataclass(frozen=True, slots=True)
class Appearance:
    """What the images of a collection look like, taken together.

    Attributes
    ----------
    widths, heights : (int, int, int)
        Smallest, median, largest; pixels.
    shapes : dict of str to int
        How many images are landscape, portrait, square.
    sharpness : float or None
        The median; None while the images have not been looked at, see `Collection.sync`.
    colors : tuple of Color
        Those of all pictures together, each picture counting the same.
    """

    widths: tuple[int, int, int]
    heights: tuple[int, int, int]
    shapes: dict[str, int]
    sharpness: float | None
    colors: tuple[Color, ...]


def read_color(color: str) -> str:
    """Return a colour as ``#rrggbb``; see `parse_color`."""
    if not isinstance(color, str):
        raise InvalidInputError(f"the colour is {color!r}; expected a text such as '#c33'")
    red, green, blue = parse_color(color)
    return f"#{red:02x}{green:02x}{blue:02x}"


def score_colors(store: Store, colors: Sequence[str]) -> tuple[Ids, npt.NDArray[np.float64]]:
    """Score every image by how much of it is of some colours.

    Parameters
    ----------
    store : Store
    colors : sequence of str
        All must be there: the score is that of the colour that there is least of.

    Returns
    -------
    ids : (n,) int64
    scores : (n,) float64
        From 0 to 1, see `score_color`.

    Raises
    ------
    CollectionError
        If the collection was made before there were colours.
    """
    check_appearance_known(store)
    rows = store.images.read(["id", "colours"], "colours IS NOT NULL")
    ids: Ids = rows["id"].to_numpy()
    numbers = rows["colours"].combine_chunks().flatten().to_numpy()
    palettes = numbers.reshape(-1, MAX_COLORS, 4)
    labs = rgb_to_lab([parse_color(color) for color in colors])
    return ids, np.min([score_color(palettes, lab) for lab in labs], axis=0)


def check_appearance_known(store: Store) -> None:
    """Raise CollectionError where an earlier lookalike made the collection."""
    if store.needs_upgrade():
        raise CollectionConflictError(
            f"the collection in {store.folder} was made by an earlier lookalike, which kept neither colours"
            " nor sharpness",
            hint=Hint("sync", then=" once, it adds them without opening the images"),
        )


def name_colors(colors: Palette) -> tuple[Color, ...]:
    """Turn rows of L*, a*, b* and share into colours for people; rows of no share are left out."""
    return tuple(Color(lab_to_hex(row[:3]), round(float(row[3]), 4)) for row in colors if row[3] > 0)


def shape_of(width: int, height: int) -> str:
    """Return landscape, portrait or square.

    >>> shape_of(1000, 1003), shape_of(3, 2)
    ('square', 'landscape')
    """
    if width > height * SQUARE:
        return "landscape"
    return "portrait" if height > width * SQUARE else "square"


def summarize(store: Store) -> Appearance | None:
    """Say what the images look like, taken together; None if there are none."""
    sides = store.images.read(["width", "height"])
    if not len(sides):
        return None
    widths, heights = sides["width"].to_numpy(), sides["height"].to_numpy()
    landscape, portrait = int((widths > heights * SQUARE).sum()), int((heights > widths * SQUARE).sum())
    shapes = {"landscape": landscape, "portrait": portrait, "square": len(sides) - landscape - portrait}
    sharpness, colors = None, tuple[Color, ...]()
    if not store.needs_upgrade():
        looked_at = store.images.read(["colours", "sharpness"], "sharpness IS NOT NULL")
        if len(looked_at):
            sharpness = float(np.median(looked_at["sharpness"].to_numpy()))
            rows = looked_at["colours"].combine_chunks().flatten().to_numpy().reshape(-1, 4)
            rows = rows[rows[:, 3] > 0]
            colors = name_colors(palettes(lab_to_rgb(rows[:, :3])[None], rows[None, :, 3])[0])
    return Appearance(_range(widths), _range(heights), shapes, sharpness, colors)


def _range(values: npt.NDArray[np.int32]) -> tuple[int, int, int]:
    return int(values.min()), int(np.median(values)), int(values.max())
