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
_LINES = (  # of the same palette, each with a marker of its own
    ("#0072b2", "o"),
    ("#d55e00", "s"),
    ("#009e73", "^"),
    ("#cc79a7", "D"),
    ("#56b4e9", "v"),
    ("#e69f00", "P"),
    ("#1a1a1a", "X"),
)
_RECALLS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999)  # where there may be a tick
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


@dataclass(frozen=True, slots=True)
class Curve:
    """How fast a search index is at its recalls.

    Attributes
    ----------
    name : str
        Written beside its end.
    recalls : sequence of float
        0 to 1.
    rates : sequence of float
        Queries a second at each of them, above 0.
    """

    name: str
    recalls: Sequence[float]
    rates: Sequence[float]


def recall_throughput(curves: Sequence[Curve], title: str = "", k: int = 10) -> Figure:
    """Draw queries a second over recall, a line an index. Towards a recall of 1 the axis opens up.

    Of an index's points, those are joined that no other of its own beats in recall and speed. A recall of 1
    stands apart, at the right end.

    Parameters
    ----------
    curves : sequence of Curve
        At least one.
    title : str
        Above it all.
    k : int
        How many neighbours the recall is of, for the label of the axis.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if not any(len(curve.recalls) for curve in curves):
        raise InvalidInputError("there are no curves to draw; expected at least one, with a point")
    curves = [curve for curve in curves if len(curve.recalls)]
    figure = Figure(figsize=(8, 5), dpi=150, facecolor="white")
    axes = figure.add_axes((0.11, 0.12, 0.68, 0.72))
    recalls = [recall for curve in curves for recall in curve.recalls]
    ticks, end = _recall_ticks(recalls)

    def place(recall: float) -> float:
        return end if recall >= 1 else -np.log10(1 - recall)

    ends = []
    for number, curve in enumerate(curves):
        color, marker = _LINES[number % len(_LINES)]
        points = _front(curve)
        x, y = [place(recall) for recall, _ in points], [rate for _, rate in points]
        style: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "markersize": 8,
            "markeredgecolor": "white",
        }
        axes.plot(x, y, linewidth=2, clip_on=False, zorder=3, **style)
        ends.append((x[-1], y[-1]))
    rates = [rate for curve in curves for rate in curve.rates]
    low, high = min(rates) / 1.6, max(rates) * 1.6
    if high / low < 100:  # at least two decades, so that what is alike looks alike
        middle = np.sqrt(low * high)
        low, high = middle / 10, middle * 10
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    places = [place(tick) for tick in ticks]
    axes.set_xlim(places[0], end + 0.03 * (end - places[0]))
    axes.set_xticks(places, [f"{tick:g}" for tick in ticks])
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if high / low < 3_000 else (1.0,)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda rate, _: f"{rate:,.0f}" if rate >= 1 else f"{rate:g}")
    )
    axes.yaxis.set_minor_formatter(NullFormatter())
    _plain_axes(axes)
    axes.set_xlabel(f"recall@{k}", color=_INK, fontsize=11)
    figure.text(0.03, 0.87, "queries per second, one at a time on one thread", color=_INK, fontsize=11)
    if title:
        text = figure.text(
            0.03,
            0.935,
            _drawable(title, "bold"),
            family=_fonts(),
            parse_math=False,
            color=_INK,
            fontsize=12,
            weight="bold",
        )
        _shorten(text, 8 * 0.94)
    _label_ends(axes, [curve.name for curve in curves], ends)
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


def _front(curve: Curve) -> list[tuple[float, float]]:
    """Return the (recall, rate) that no other of the curve beats in both, by recall."""
    kept: list[tuple[float, float]] = []
    for recall, rate in sorted(zip(curve.recalls, curve.rates, strict=True), reverse=True):
        if not kept or rate > kept[-1][1]:
            kept.append((recall, rate))
    return kept[::-1]


def _recall_ticks(recalls: Sequence[float]) -> tuple[list[float], float]:
    """Return where the ticks are, from one below all recalls to 1, and where on the axis 1 is."""
    below = [recall for recall in recalls if recall < 1]
    lowest, highest = min(below, default=0.9), max(below, default=0.9)
    first = max((tick for tick in (0.0, *_RECALLS[:3]) if tick <= lowest), default=0.0)
    last = min((tick for tick in _RECALLS if tick >= highest), default=highest)
    ticks = [tick for tick in (0.0, *_RECALLS) if first <= tick <= last]
    span = -np.log10(1 - last) + np.log10(1 - first)
    if span > 2:  # no room for those in between
        ticks = [tick for tick in ticks if tick not in (0.995, 0.9995)]
    return [*ticks, 1.0], float(-np.log10(1 - last) + max(0.12 * span, 0.15))


def _plain_axes(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color("#a0a0a0")
    axes.grid(True, color="#e4e4e4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=_MUTED, labelsize=10, length=0)


def _label_ends(axes: Axes, names: Sequence[str], ends: Sequence[tuple[float, float]]) -> None:
    """Write the names of lines beside the axes, as near as they may come to the ends of the lines."""
    line = 0.055  # of the height of the axes
    order = sorted(range(len(ends)), key=lambda number: ends[number][1])
    heights = [
        float(axes.transAxes.inverted().transform(axes.transData.transform(ends[i]))[1]) for i in order
    ]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + line)
    over = max(0.0, heights[-1] - 1)
    for i in reversed(range(len(heights))):
        heights[i] = min(heights[i], 1 - (len(heights) - 1 - i) * line) if over else heights[i]
    for height, number in zip(heights, order, strict=True):
        color, marker = _LINES[number % len(_LINES)]
        axes.annotate(
            "",
            (1.035, height),
            ends[number],
            xycoords="axes fraction",
            textcoords="data",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.9, "linestyle": ":"},
        )
        axes.plot(
            1.035, height, color=color, marker=marker, markersize=8, markeredgecolor="white",
            transform=axes.transAxes, clip_on=False,
        )  # fmt: skip
        text = axes.text(
            1.06,
            height,
            _drawable(names[number]),
            transform=axes.transAxes,
            va="center_baseline",
            family=_fonts(),
            parse_math=False,
            color=_INK,
            fontsize=11,
        )
        _shorten(text, 8 * 0.16)


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
