"""Rows of images, each with a heading: the clusters of a collection, the leaves of a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.errors import InvalidInputError
from lookalike.plots.style import DPI, fit_picture, new_figure, shorten, theme, write_line, write_title
from lookalike.system.checked_calls import checked, checked_fields

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

_TILE = 0.8  # inches
_GAP = 0.05
_HEADING = 0.3  # inches above each row
_MARGIN = 0.15
_TITLE = 0.45
_LEAST = 4  # columns: the room of a heading


_MOST_COLUMNS = 200


@checked_fields
@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row of a sheet.

    Attributes
    ----------
    title, note : str
        The heading, and what is said more quietly beside it.
    images : sequence of bytes
        Image files.
    marked : sequence of bool
        Which images get a frame; none if it is empty.
    """

    title: str
    note: str
    images: Sequence[bytes]
    marked: Sequence[bool] = ()


@checked
def contact_sheet(rows: Sequence[SheetRow], title: str = "", columns: int = 12) -> Figure:
    """Draw rows of images, each below its heading; short ones side by side.

    Parameters
    ----------
    rows : sequence of SheetRow
        Of a row's images the first `columns` are drawn.
    title : str
        Above it all.
    columns : int

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there are no rows, or no columns.
    """
    if not len(rows) or not 1 <= columns <= _MOST_COLUMNS:
        raise InvalidInputError(f"there are {len(rows)} rows of {columns} images to draw; expected some")
    width = 2 * _MARGIN + columns * (_TILE + _GAP)
    top = _TITLE if title else _MARGIN
    places = lay_rows([len(row.images) for row in rows], columns)
    n_lines = places[-1][0] + 1
    height = top + n_lines * (_HEADING + _TILE + _GAP) + _MARGIN
    figure = new_figure(width, height)
    if title:
        write_title(figure, title, _MARGIN, height - 0.25)
    for row, (line, column) in zip(rows, places, strict=True):
        x = _MARGIN + column * (_TILE + _GAP)
        y = height - top - line * (_HEADING + _TILE + _GAP)
        n_columns = min(len(row.images), columns)
        room = max(n_columns, min(_LEAST, columns - column)) * (_TILE + _GAP) - _GAP
        _write_heading(figure, row, x, y - 0.6 * _HEADING, room)
        if not n_columns:
            continue
        bottom = y - _HEADING - _TILE
        box = (x / width, bottom / height, n_columns * (_TILE + _GAP) / width, _TILE / height)
        axes = figure.add_axes(box)
        axes.imshow(_mosaic(row, n_columns), interpolation="none", aspect="auto")
        axes.set_axis_off()
    return figure


def lay_rows(sizes: Sequence[int], columns: int) -> list[tuple[int, int]]:
    """Return the line and the first column of each row, in their order: as many in a line as find room.

    >>> lay_rows([12, 2, 3, 5, 1], 12)
    [(0, 0), (1, 0), (1, 4), (2, 0), (2, 6)]
    """
    places: list[tuple[int, int]] = []
    line, column = -1, columns
    for size in sizes:
        if column + max(size, min(_LEAST, columns)) > columns:
            line, column = line + 1, 0
        places.append((line, column))
        column += max(size + 1, _LEAST)
    return places


def _write_heading(figure: Figure, row: SheetRow, x: float, y: float, room: float) -> None:
    """Write a heading, its left end at x, inches."""
    title = write_line(figure, row.title, x, y, 9, "bold")
    shorten(title, room * 0.6)
    end = title.get_window_extent().x1 / DPI + 0.12
    note = write_line(figure, row.note, end, y, 8.5)
    shorten(note, x + room - end)


def _mosaic(row: SheetRow, columns: int) -> Image:
    """Paste a row's images side by side, each as large as its square allows."""
    from PIL import Image, ImageDraw

    side, step = round(_TILE * DPI), round((_TILE + _GAP) * DPI)
    mosaic = Image.new("RGB", (columns * step, side), theme().paper)
    draw = ImageDraw.Draw(mosaic)
    for column, content in enumerate(row.images[:columns]):
        picture = fit_picture(content, side)
        corner = (column * step + (side - picture.width) // 2, (side - picture.height) // 2)
        mosaic.paste(picture, corner)
        if column < len(row.marked) and row.marked[column]:
            draw.rectangle(
                (column * step, 0, column * step + side - 1, side - 1), outline=theme().accent, width=4
            )
    return mosaic
