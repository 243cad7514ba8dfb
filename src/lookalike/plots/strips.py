"""The query and its hits, side by side."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import InvalidInputError
from lookalike.images.palette import parse_color
from lookalike.plots.style import drawable, fonts, new_figure, shorten, theme, write_title
from lookalike.system.checked_calls import checked, checked_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

_COLUMNS = 5
_TILE = 1.9  # inches
_LOWEST = 0.9  # inches: the least height of a tile
_ONE_HEIGHT = 0.85  # the share of pictures that are of one height, those that are wider apart
_CAPTION = 0.52  # inches below each tile: two lines


@checked_fields
@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a strip.

    Attributes
    ----------
    jpeg : bytes or None
        The picture, as an image file; None for words, which are drawn in its place.
    title, subtitle : str
        The two lines below it.
    words : str
        What is drawn where there is no picture.
    box : (float, float, float, float) or None
        A frame in the picture: left, top, width and height, as shares of it.
    """

    jpeg: bytes | None
    title: str
    subtitle: str = ""
    words: str = ""
    box: tuple[float, float, float, float] | None = None


@checked
def result_strip(queries: Sequence[Tile], hits: Sequence[Tile], title: str = "") -> Figure:
    """Draw the queries in a column on the left, and their hits, nearest first, in rows of five.

    Parameters
    ----------
    queries, hits : sequence of Tile
        At least one query.
    title : str
        Above it all.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not queries:
        raise InvalidInputError("there are no queries to draw; expected at least one")
    return _draw(queries, hits, min(len(hits), _COLUMNS), title)


@checked
def tile_sheet(tiles: Sequence[Tile], title: str = "") -> Figure:
    """Draw pictures in rows, about as many below as beside each other, up to ten beside.

    Parameters
    ----------
    tiles : sequence of Tile
        At least one.
    title : str
        Above it all.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not tiles:
        raise InvalidInputError("there are no pictures to draw; expected at least one")
    return _draw((), tiles, min(len(tiles), max(_COLUMNS, min(2 * _COLUMNS, math.isqrt(len(tiles))))), title)


def _draw(queries: Sequence[Tile], hits: Sequence[Tile], columns: int, title: str) -> Figure:
    rows = max(len(queries), -(-len(hits) // max(columns, 1)), 1)
    gap = 0.35  # inches between the queries and the hits
    start = (_TILE + gap * (columns > 0)) if queries else 0.0
    width = start + columns * _TILE
    top = 0.42 if title else 0.1
    high = _height([*queries, *hits])
    height = rows * (high + _CAPTION) + top
    figure = new_figure(width, height)
    if title:
        write_title(figure, title, 0.12, height - 0.26)

    def place(tile: Tile, row: int, x: float, is_query: bool) -> None:
        margin = 0.07
        bottom = height - top - (row + 1) * (high + _CAPTION) + _CAPTION
        box = (
            (x + margin) / width,
            (bottom + margin) / height,
            (_TILE - 2 * margin) / width,
            (high - 2 * margin) / height,
        )
        draw_tile(figure.add_axes(box), tile, _TILE - 0.2, theme().accent if is_query else None)

    for row, tile in enumerate(queries):
        place(tile, row, 0, is_query=True)
    for number, tile in enumerate(hits):
        place(tile, number // columns, start + number % columns * _TILE, is_query=False)
    return figure


def _height(tiles: Sequence[Tile]) -> float:
    """Return how high tiles are, inches: so that most pictures are of one height."""
    from PIL import Image

    shapes = []
    for tile in tiles:
        if tile.jpeg is None:
            return _TILE  # words need the room
        with Image.open(io.BytesIO(tile.jpeg)) as opened:
            shapes.append(opened.width / opened.height)
    wide = sorted(shapes)[int(_ONE_HEIGHT * (len(shapes) - 1))]
    return min(max(_TILE / wide, _LOWEST), _TILE)


@checked
def paint_swatch(color: str) -> bytes:
    """Return a PNG of one CSS colour, to be a `Tile`."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (16, 16), parse_color(color)).save(stream, "PNG")
    return stream.getvalue()


def draw_tile(axes: Axes, tile: Tile, room: float, color: str | None = None) -> None:
    """Draw one picture with its two lines below, these at most `room` inches wide; a colour frames it."""
    axes.patch.set_visible(False)
    if tile.jpeg is None:
        _draw_words(axes, tile.words)
    else:
        _draw_picture(axes, tile.jpeg, tile.box)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("S")
    for spine in axes.spines.values():
        spine.set_edgecolor(color or theme().line)
        spine.set_linewidth(2.5 if color else 0.6)
    shorten(_caption(axes, tile.title, -13, color=color or theme().ink, fontsize=8.5), room)
    shorten(_caption(axes, tile.subtitle, -25, color=theme().muted, fontsize=7.5), room, keeps_end=True)


def _draw_picture(axes: Axes, jpeg: bytes, box: tuple[float, float, float, float] | None = None) -> None:
    from matplotlib.patches import Rectangle
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as opened:
        picture = np.asarray(opened.convert("RGB"))
    axes.imshow(picture, interpolation="nearest" if max(picture.shape) <= 64 else "antialiased")
    if box is None:
        return
    height, width = picture.shape[:2]
    corner = box[0] * width - 0.5, box[1] * height - 0.5  # pixels are around whole numbers
    # White below the colour, so that it is seen on any picture.
    for color, line in (("white", 3.2), (theme().accent, 1.6)):
        frame = Rectangle(
            corner, box[2] * width, box[3] * height, fill=False, edgecolor=color, linewidth=line
        )
        axes.add_patch(frame)


def _draw_words(axes: Axes, words: str) -> None:
    """Write words into an empty square, as large as they fit."""
    import textwrap

    line = drawable(" ".join(words.split()))
    sizes = ((15, 11, 4), (11, 16, 6), (8, 22, 8))  # points, characters a line, lines
    fitting = (row for row in sizes if len(textwrap.wrap(line, row[1])) <= row[2])
    size, columns, rows = next(fitting, sizes[-1])
    lines = textwrap.wrap(line, columns, max_lines=rows, placeholder=" …")
    text = axes.text(
        0.5,
        0.5,
        "\n".join(lines),
        transform=axes.transAxes,
        ha="center",
        va="center",
        family=fonts(),
        parse_math=False,
        color=theme().ink,
        fontsize=size,
        linespacing=1.25,
    )
    room = (_TILE - 0.35) * axes.figure.dpi
    if (drawn := text.get_window_extent().width) > room:  # wide letters, or one long word
        text.set_fontsize(size * room / drawn)


def _caption(axes: Axes, line: str, y: float, **style: Any) -> Text:
    """Write a line below the axes, its baseline `y` points from their lower edge."""
    return axes.annotate(
        drawable(line),
        (0.5, 0),
        (0, y),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="baseline",
        family=fonts(),
        parse_math=False,  # dollar signs are dollar signs
        **style,
    )
