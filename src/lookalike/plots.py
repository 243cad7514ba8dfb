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


def k_curves(
    ks: Sequence[int], inertias: Sequence[float], silhouettes: Sequence[float], suggested: int
) -> Figure:
    """Draw what was found for each number of clusters: the distortion above, the silhouette below.

    Parameters
    ----------
    ks : sequence of int
        Rising.
    inertias : sequence of float
    silhouettes : sequence of float
        NaN where there is none.
    suggested : int
        One of `ks`, marked.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, NullLocator

    if suggested not in ks or not len(ks) == len(inertias) == len(silhouettes):
        raise InvalidInputError(
            f"cannot draw {len(ks)} numbers of clusters with {len(inertias)} inertias, {len(silhouettes)}"
            f" silhouettes and {suggested} suggested; expected as many of each, and one of the numbers"
        )
    figure = Figure(figsize=(6.4, 5.2), dpi=150, facecolor="white", layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    at = list(ks).index(suggested)
    for axes, values, name in (
        (upper, inertias, "distortion\n(sum of squared distances)"),
        (lower, silhouettes, "silhouette\n(1 well apart, 0 on the border)"),
    ):
        axes.axvline(suggested, color=_MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(ks, values, color=_ACCENT, linewidth=1.8, marker="o", markersize=5)
        axes.plot(suggested, values[at], color=_ACCENT, marker="o", markersize=11, fillstyle="none")
        axes.set_ylabel(name, color=_INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#e6e6e6")
        axes.set_axisbelow(True)
        axes.tick_params(colors=_MUTED, labelsize=9)
    upper.set_ylim(0, 1.08 * max(inertias) or 1.0)
    upper.set_title(f"{suggested} clusters have the largest silhouette", loc="left", color=_INK, fontsize=11)
    lower.set_xlabel("clusters", color=_INK)
    lower.set_xscale("log")
    # Where numbers stand close, every other one keeps its name.
    named = [k for number, k in enumerate(ks) if len(ks) <= 12 or number % 2 == 0 or k == suggested]
    lower.xaxis.set_major_locator(FixedLocator(named))
    lower.xaxis.set_minor_locator(NullLocator())
    lower.xaxis.set_major_formatter("{x:.0f}")
    return figure


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
