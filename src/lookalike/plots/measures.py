"""Measures as pictures: which classes are taken for which, the worst queries, the variance of components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.as_numbers import as_finite
from lookalike.errors import InvalidInputError
from lookalike.plots.strips import Tile, draw_tile
from lookalike.plots.style import (
    new_figure,
    quieten_axes,
    shorten,
    theme,
    title_axes,
    write_line,
    write_title,
)
from lookalike.system.checked_calls import checked, checked_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARGIN = 0.15  # inches
_TITLE = 0.45
_SIDE = 1.2  # of a tile of a worst query
_HEADING = 0.34  # above each row of them
_CAPTIONS = 0.45  # below
_MOST_ROWS = 40
_STRONG = 0.3  # a share of wrong hits that has the full colour, unless there is a larger one
_CELL = 0.36
_LONGEST_LABEL = 1.6
_LEAST_WIDTH = 5.5
_RIGHT, _WRONG = "✓", "✗"

Doubles = npt.NDArray[np.float64]


@checked_fields
@dataclass(frozen=True, slots=True)
class QueryRow:
    """A query and its hits.

    Attributes
    ----------
    query : Tile
        Its title and subtitle stand above the row.
    hits : sequence of Tile
        Nearest first.
    is_right : sequence of bool
        Which hits have the query's label.
    note : str
        Said beside the title: a measure.
    """

    query: Tile
    hits: Sequence[Tile]
    is_right: Sequence[bool]
    note: str = ""


@checked
def worst_queries(rows: Sequence[QueryRow], title: str = "") -> Figure:
    """Draw a strip for each query: itself, and its hits, framed and marked as right or wrong.

    Parameters
    ----------
    rows : sequence of QueryRow
        At least one; of many, the first 40 are drawn.
    title : str
        Above it all.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if not rows:
        raise InvalidInputError("there are no queries to draw; expected at least one")
    if len(rows) > _MOST_ROWS:
        title = f"{title}; the first {_MOST_ROWS}"
    rows = rows[:_MOST_ROWS]
    gap, margin = 0.25, 0.06
    columns = 1 + max(len(row.hits) for row in rows)
    width = max(2 * _MARGIN + columns * _SIDE + gap, _LEAST_WIDTH)
    height = _TITLE + len(rows) * (_HEADING + _SIDE + _CAPTIONS) + _MARGIN
    figure = new_figure(width, height)
    write_title(figure, title, _MARGIN, height - 0.25)
    for number, row in enumerate(rows):
        top = height - _TITLE - number * (_HEADING + _SIDE + _CAPTIONS)
        _write_heading(figure, row, width, top - 0.6 * _HEADING)
        colors = [theme().accent if is_right else theme().mark for is_right in row.is_right]
        hits = [
            Tile(hit.jpeg, f"{_RIGHT if is_right else _WRONG} {hit.title}", hit.subtitle, hit.words)
            for hit, is_right in zip(row.hits, row.is_right, strict=True)
        ]
        query = Tile(row.query.jpeg, "query", "", row.query.words)
        bottom = top - _HEADING - _SIDE
        for column, (tile, color) in enumerate(zip([query, *hits], [theme().ink, *colors], strict=True)):
            x = _MARGIN + column * _SIDE + gap * (column > 0)
            side = _SIDE - 2 * margin
            box = ((x + margin) / width, (bottom + margin) / height, side / width, side / height)
            draw_tile(figure.add_axes(box), tile, _SIDE - 0.1, color)
    return figure


@checked
def confusion(labels: Sequence[str], shares: Doubles, title: str = "", is_part: bool = False) -> Figure:
    """Draw which classes the hits of each class's queries are of: a row for each, the shares in percent.

    Right hits, on the diagonal, stand apart; of the others, the more there are, the stronger the colour.

    Parameters
    ----------
    labels : sequence of str
    shares : (n, n) float64
        A row for each class of queries, a column for each class of hits.
    title : str
        Above it all.
    is_part : bool
        Whether there are other classes: a column more says how much goes to those.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there are no labels, or not as many shares.
    """
    from matplotlib.patches import Rectangle

    n = len(labels)
    if not n or shares.shape != (n, n):
        raise InvalidInputError(f"there are {n} labels and shares of shape {shares.shape}; expected (n, n)")
    figure = new_figure(_LEAST_WIDTH, _LEAST_WIDTH)  # measured first, then made as large as it takes
    names = [write_line(figure, label, 0, 0, 8.5) for label in labels]
    for name in names:
        shorten(name, _LONGEST_LABEL)
    longest = max(name.get_window_extent().width for name in names) / figure.dpi
    left, above = _MARGIN + 0.3 + longest + 0.1, _TITLE + 0.3 + max(longest, 0.9 * is_part) + 0.1
    n_columns = n + 1.3 * is_part
    width, height = max(left + n_columns * _CELL + _MARGIN, _LEAST_WIDTH), above + n * _CELL + 0.2
    figure.set_size_inches(width, height)
    write_title(figure, title, _MARGIN, height - 0.25)
    # In inches, its rows downwards, so that text and cells are placed alike.
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    most = max(float(np.max(shares - np.diag(np.diag(shares)))), _STRONG)
    top = height - above
    for row in range(n):
        y = top - (row + 1) * _CELL
        for column in range(n):
            share = float(shares[row, column])
            strength = share / most if row != column and round(100 * share) else 0.0
            color = theme().line if row == column else _blend(theme().paper, theme().mark, strength)
            cell = Rectangle(
                (left + column * _CELL, y),
                _CELL,
                _CELL,
                facecolor=color,
                edgecolor=theme().line,
                linewidth=0.5,
            )
            axes.add_patch(cell)
            if round(100 * share) or row == column:
                _number(axes, share, left + (column + 0.5) * _CELL, y + _CELL / 2, _ink_on(color))
        if is_part:
            x = left + (n + 0.8) * _CELL
            _number(axes, 1 - float(shares[row].sum()), x, y + _CELL / 2, theme().muted)
    for number, name in enumerate(names):
        middle = top - (number + 0.5) * _CELL
        name.set(x=(left - 0.08) / width, y=middle / height, ha="right", color=theme().ink)
        across = write_line(figure, name.get_text(), left + (number + 0.5) * _CELL, top + 0.08, 8.5)
        is_wide = longest > _CELL - 0.04
        across.set(rotation=90 * is_wide, ha="center", va="bottom", color=theme().ink)
    if is_part:
        other = write_line(figure, "other classes", left + (n + 0.8) * _CELL, top + 0.08, 8.5)
        shorten(other, max(longest, 0.9))
        other.set(rotation=90, ha="center", va="bottom")
    hits = write_line(figure, "class of the hits, % of each row", left, height - _TITLE - 0.13, 8.5)
    shorten(hits, width - left - _MARGIN)
    asked = write_line(figure, "class of the query", _MARGIN + 0.1, top - n * _CELL / 2, 8.5)
    shorten(asked, n * _CELL)
    asked.set(rotation=90, ha="center", va="center")
    return figure


@checked
def scree(shares: Sequence[float] | Doubles, kept: int, title: str = "", mark: float = 0.95) -> Figure:
    """Draw the share of the variance that each component has, and what the first so many have together.

    Parameters
    ----------
    shares : (m,) float
        Falling; all of the components there are, or the first ones.
    kept : int
        How many components are kept.
    title : str
        Above it.
    mark : float
        A sum that is marked, if it is reached.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there are no shares, or fewer than are kept.
    """
    from matplotlib.ticker import FixedLocator, MaxNLocator

    each = as_finite(shares, "shares")
    if each.ndim != 1 or not 1 <= kept <= len(each):
        raise InvalidInputError(f"there are shares of shape {each.shape}, {kept} of them kept; expected (m,)")
    together = np.cumsum(each)
    figure = new_figure(7.2, 5.4, constrained=True)
    upper, lower = figure.subplots(2, 1, sharex=True)
    numbers = np.arange(1, len(each) + 1)
    style = {"color": theme().accent, "linewidth": 1.8, "marker": "o" if len(each) <= 30 else ""}
    lower.plot(numbers, 100 * each, **style)
    upper.plot(numbers, 100 * together, **style)
    lower.set_ylabel("% of the variance,\neach component", color=theme().ink)
    upper.set_ylabel("% of the variance,\nthe first ones together", color=theme().ink)
    lower.set_xlabel("component", color=theme().ink)
    upper.set_ylim(0, 105)
    lower.set_ylim(0, 108 * each[0] or 1.0)
    beside = max(0.02 * len(each), 0.5)
    lower.xaxis.set_major_locator(
        FixedLocator(range(1, len(each) + 1)) if len(each) <= 12 else MaxNLocator(integer=True)
    )
    for axes in (upper, lower):
        quieten_axes(axes)
        axes.set_xlim(1 - beside, len(each) + beside)
        axes.tick_params(labelsize=9)
    lines = [(kept, f"kept: {kept:,}, {together[kept - 1]:.1%}", theme().ink)]
    if together[-1] >= mark:
        first = int(np.searchsorted(together, mark)) + 1
        if first != kept:
            lines.append((first, f"{mark:.0%}: {first:,}", theme().mark))
        upper.axhline(100 * mark, color=theme().mark, linewidth=1, linestyle=(0, (4, 3)))
    for place, (number, words, color) in enumerate(lines):
        for axes in (upper, lower):
            axes.axvline(number, color=color, linewidth=1, linestyle=(0, (4, 3)))
        is_left = number < 0.6 * len(each)
        upper.annotate(
            words,
            (number, 8 + 14 * place),
            (6 if is_left else -6, 0),
            textcoords="offset points",
            ha="left" if is_left else "right",
            color=color,
            fontsize=9,
            bbox={"facecolor": theme().paper, "edgecolor": "none", "pad": 1.5},
        )
    title_axes(upper, title)
    return figure


def _write_heading(figure: Figure, row: QueryRow, width: float, y: float) -> None:
    title = write_line(figure, row.query.title, _MARGIN + 0.06, y, 9, "bold")
    shorten(title, (width - 2 * _MARGIN) * 0.4)
    end = title.get_window_extent().x1 / figure.dpi + 0.12
    words = "  ·  ".join(part for part in (row.note, row.query.subtitle) if part)
    shorten(write_line(figure, words, end, y, 8.5), width - _MARGIN - end, keeps_end=True)


def _number(axes: Axes, share: float, x: float, y: float, color: str) -> None:
    axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=color, fontsize=7.5)


def _blend(first: str, second: str, share: float) -> str:
    """Return the colour that lies this share of the way from the first to the second."""
    from matplotlib.colors import to_hex, to_rgb

    start, end = np.array(to_rgb(first)), np.array(to_rgb(second))
    return to_hex(start + np.clip(share, 0, 1) * (end - start))


def _ink_on(color: str) -> str:
    """Return black or white, whichever is read more easily on a colour."""
    from matplotlib.colors import to_rgb

    linear = np.power(to_rgb(color), 2.2) @ (0.2126, 0.7152, 0.0722)
    return "#000000" if linear > 0.18 else "#ffffff"
