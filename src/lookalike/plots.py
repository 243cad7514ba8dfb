"""Pictures for people: PNG, SVG, PDF or JPEG, by the file's ending."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.replace_file import replace_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg")

_COLUMNS = 5
_TILE = 1.9  # inches
_CAPTION = 0.52  # inches below each tile: two lines
_INK = "#1a1a1a"
_MUTED = "#5a5a5a"
_ACCENT = "#0072b2"  # of Okabe and Ito's palette, told apart by colour-blind readers
_MARK = "#d55e00"  # of the same palette
_UNDATED = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}

_FONT = "DejaVu Sans"  # comes with matplotlib
_FONTS_BEYOND = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Segoe UI Emoji",
)
"""For what the first font lacks, where the system has them."""


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
    """

    jpeg: bytes | None
    title: str
    subtitle: str = ""
    words: str = ""


def check_ending(path: Path) -> None:
    """Raise InvalidInputError unless a figure can be saved under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInputError(f"{path}: a figure is saved as one of {', '.join(ENDINGS)}")
    if not os.path.isdir(path.absolute().parent):
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

    if not queries:
        raise InvalidInputError("there are no queries to draw; expected at least one")
    rows = max(len(queries), -(-len(hits) // _COLUMNS), 1)
    columns = min(len(hits), _COLUMNS)
    gap = 0.35  # inches between the queries and the hits
    width = (columns + 1) * _TILE + gap * (columns > 0)
    top = 0.42 if title else 0.1
    height = rows * (_TILE + _CAPTION) + top
    figure = Figure(figsize=(width, height), dpi=150, facecolor="white")
    if title:
        text = figure.text(
            0.12 / width,
            1 - 0.26 / height,
            _drawable(title, "bold"),
            family=_fonts(),
            parse_math=False,
            color=_INK,
            fontsize=11,
            weight="bold",
            va="center",
        )
        _shorten(text, width - 0.24)

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


def distance_curve(
    distances: npt.NDArray[np.float32], min_samples: int, eps: float, unit: str, title: str = ""
) -> Figure:
    """Draw the sorted k-distance curve, and where a suggested `eps` cuts it.

    Parameters
    ----------
    distances : (n,) float32
        Rising: how far each image's `min_samples`-th nearest is, itself counted.
    min_samples : int
    eps : float
    unit : str
        What distances are, for the axis: "euclidean distance", say.
    title : str
        Above it.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    if not len(distances):
        raise InvalidInputError("there are no distances to draw; expected at least one")
    figure = Figure(figsize=(7, 4.2), dpi=150, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    n = len(distances)
    share = np.arange(1, n + 1) / n * 100
    n_core = int(np.searchsorted(distances, eps, side="right"))
    axes.plot(share, distances, color=_ACCENT, linewidth=2)
    axes.fill_between(share[:n_core], distances[:n_core], color=_ACCENT, alpha=0.15, linewidth=0)
    axes.axhline(eps, color=_MARK, linewidth=1.5, linestyle="--")
    # Above the line on the left, where the curve is below it; below it on the right otherwise.
    is_left = n_core > 0.45 * n
    axes.annotate(
        f"eps = {eps:.3g}: {n_core / n:.0%} are core images",
        (0.02 if is_left else 0.98, eps),
        (0, 5 if is_left else -5),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        ha="left" if is_left else "right",
        va="bottom" if is_left else "top",
        color=_INK,
        fontsize=10,
    )
    axes.set_xlabel("share of images, densest first (%)", color=_INK)
    axes.set_ylabel(f"{unit} to the {_ordinal(min_samples)} nearest,\nitself counted", color=_INK)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(float(distances[-1]), eps) * 1.08)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
    if title:
        axes.set_title(_drawable(title, "bold"), family=_fonts(), parse_math=False, color=_INK, weight="bold")
    return figure


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def paint_swatch(color: str) -> bytes:
    """Return a PNG of one CSS colour, to be a `Tile`."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (16, 16), color).save(stream, "PNG")
    return stream.getvalue()


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure; see `check_ending`."""
    from matplotlib import rc_context

    check_ending(path)
    try:
        # No date, no random ids: the same picture gives the same file.
        with rc_context({"svg.hashsalt": "lookalike"}):
            metadata = _UNDATED.get(path.suffix.lower())
            # To memory first: a disk that fills up must not cost the picture that was there.
            content = io.BytesIO()
            form = path.suffix.lower().lstrip(".")
            figure.savefig(content, format=form, metadata=metadata, facecolor=figure.get_facecolor())
        replace_file(path, content.getvalue())
    except OSError as error:
        raise InvalidInputError(f"cannot write {path}: {error.strerror or error}") from error


def _draw(axes: Axes, tile: Tile, is_query: bool) -> None:
    if tile.jpeg is None:
        _draw_words(axes, tile.words)
    else:
        _draw_picture(axes, tile.jpeg)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_anchor("S")
    for spine in axes.spines.values():
        spine.set_edgecolor(_ACCENT if is_query else "#d0d0d0")
        spine.set_linewidth(2.5 if is_query else 0.6)
    _shorten(_caption(axes, tile.title, -13, color=_ACCENT if is_query else _INK, fontsize=8.5))
    _shorten(_caption(axes, tile.subtitle, -25, color=_MUTED, fontsize=7.5), keeps_end=True)


def _draw_picture(axes: Axes, jpeg: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(jpeg)) as opened:
        picture = np.asarray(opened.convert("RGB"))
    axes.imshow(picture, interpolation="nearest" if max(picture.shape) <= 64 else "antialiased")


def _draw_words(axes: Axes, words: str) -> None:
    """Write words into an empty square, as large as they fit."""
    import textwrap

    drawable = _drawable(" ".join(words.split()))
    sizes = ((15, 11, 4), (11, 16, 6), (8, 22, 8))  # points, characters a line, lines
    fitting = (row for row in sizes if len(textwrap.wrap(drawable, row[1])) <= row[2])
    size, columns, rows = next(fitting, sizes[-1])
    lines = textwrap.wrap(drawable, columns, max_lines=rows, placeholder=" …")
    text = axes.text(
        0.5,
        0.5,
        "\n".join(lines),
        transform=axes.transAxes,
        ha="center",
        va="center",
        family=_fonts(),
        parse_math=False,
        color=_INK,
        fontsize=size,
        linespacing=1.25,
    )
    room = (_TILE - 0.35) * axes.figure.dpi
    if (drawn := text.get_window_extent().width) > room:  # wide letters, or one long word
        text.set_fontsize(size * room / drawn)


def _caption(axes: Axes, line: str, y: float, **style: Any) -> Text:
    """Write a line below the axes, its baseline `y` points from their lower edge."""
    return axes.annotate(
        _drawable(line),
        (0.5, 0),
        (0, y),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center",
        va="baseline",
        family=_fonts(),
        parse_math=False,  # dollar signs are dollar signs
        **style,
    )


def _shorten(text: Text, width: float = _TILE - 0.2, keeps_end: bool = False) -> None:
    """Cut a line of text, at its end or in its middle, until it is at most `width` inches wide."""
    line = text.get_text()
    kept = len(line)
    limit = width * text.figure.dpi
    while kept > 1 and (drawn := text.get_window_extent().width) > limit:
        kept = min(kept - 1, int(kept * limit / drawn))
        tail = kept // 2 if keeps_end else 0  # a file's name ends in what tells it from its like
        text.set_text(f"{line[: kept - tail]}…{line[len(line) - tail :]}")


def _drawable(line: str, weight: str = "normal") -> str:
    """Put the replacement character for those that cannot be printed, or that no font here has."""
    return "".join(
        character
        if character.isprintable() and any(ord(character) in _characters(font, weight) for font in _fonts())
        else "\N{REPLACEMENT CHARACTER}"
        for character in line
    )


@functools.cache
def _fonts() -> list[str]:
    """Return the fonts to draw with, the preferred one first."""
    from matplotlib import font_manager

    there = set(font_manager.get_font_names())
    return [_FONT, *(font for font in _FONTS_BEYOND if font in there)]


@functools.cache
def _characters(font: str, weight: str) -> frozenset[int]:
    """Return the code points that a font has a glyph for."""
    from matplotlib import font_manager

    file = font_manager.findfont(font_manager.FontProperties(family=font, weight=weight))
    return frozenset(font_manager.get_font(file).get_charmap())
