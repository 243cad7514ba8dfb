"""Pictures for people: PNG, SVG, PDF or JPEG, by the file's ending."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg")

_COLUMNS = 5
_TILE = 1.9  # inches
_CAPTION = 0.52  # inches below each tile: two lines
_INK = "#1a1a1a"
_MUTED = "#5a5a5a"
_ACCENT = "#0072b2"  # of Okabe and Ito's palette, told apart by colour-blind readers
_LINE_CHARACTERS = 26


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of a strip.

    Attributes
    ----------
    jpeg : bytes
        The picture, as an image file.
    title, subtitle : str
        The two lines below it.
    """

    jpeg: bytes
    title: str
    subtitle: str = ""


def check_ending(path: Path) -> None:
    """Raise InvalidInputError unless a figure can be saved under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInputError(f"{path}: a figure is saved as one of {', '.join(ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise InvalidInputError(f"{path}: there is no folder {path.absolute().parent}")


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
    from matplotlib.figure import Figure

    rows = max(len(queries), -(-len(hits) // _COLUMNS), 1)
    columns = min(len(hits), _COLUMNS)
    gap = 0.35  # inches between the queries and the hits
    width = (columns + 1) * _TILE + gap * (columns > 0)
    top = 0.42 if title else 0.1
    height = rows * (_TILE + _CAPTION) + top
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    if title:
        figure.text(
            0.12 / width,
            1 - 0.26 / height,
            _escape(title),
            color=_INK,
            fontsize=11,
            weight="bold",
            va="center",
        )

    def place(tile: Tile, row: int, x: float, is_query: bool) -> None:
        margin = 0.07
        bottom = height - top - (row + 1) * (_TILE + _CAPTION) + _CAPTION
        box = (
            (x + margin) / width,
            (bottom + margin) / height,
            (_TILE - 2 * margin) / width,
            (_TILE - 2 * margin) / height,
        )
        _draw(figure.add_axes(box), tile, is_query)

    for row, tile in enumerate(queries):
        place(tile, row, 0, is_query=True)
    for number, tile in enumerate(hits):
        place(tile, number // _COLUMNS, _TILE + gap + number % _COLUMNS * _TILE, is_query=False)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure; see `check_ending`."""
    check_ending(path)
    try:
        # No date, no random ids: the same picture gives the same file.
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        figure.savefig(path, metadata=metadata, facecolor=figure.get_facecolor())
    except OSError as error:
        raise InvalidInputError(f"cannot write {path}: {error.strerror or error}") from error


def _draw(axes: Axes, tile: Tile, is_query: bool) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(tile.jpeg)) as opened:
        picture = np.asarray(opened.convert("RGB"))
    axes.imshow(picture, interpolation="nearest" if max(picture.shape) <= 64 else "antialiased")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("S")
    for spine in axes.spines.values():
        spine.set_edgecolor(_ACCENT if is_query else "#d0d0d0")
        spine.set_linewidth(2.5 if is_query else 0.6)
    below: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "ha": "center",
        "va": "top",
    }
    colour = _ACCENT if is_query else _INK
    axes.annotate(_shorten(tile.title), (0.5, 0), xytext=(0, -5), color=colour, fontsize=8.5, **below)
    axes.annotate(_shorten(tile.subtitle), (0.5, 0), xytext=(0, -18), color=_MUTED, fontsize=7.5, **below)


def _shorten(line: str) -> str:
    """Cut the middle out of a line that would run into its neighbour."""
    if len(line) > _LINE_CHARACTERS:
        half = (_LINE_CHARACTERS - 1) // 2
        line = f"{line[:half]}…{line[-half:]}"
    return _escape(line)


def _escape(line: str) -> str:
    """Keep dollar signs from being read as mathematics, and unprintable characters from being drawn."""
    printable = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line
    )
    return printable.replace("$", r"\$")
