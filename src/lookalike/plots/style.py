"""What all pictures share: colours, fonts, text that fits its place, and how they are saved."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import category

from lookalike.errors import InvalidInputError
from lookalike.images.own import is_own_picture, own_mark
from lookalike.system.checked_calls import checked, shown
from lookalike.system.output import check_output, write_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from PIL.Image import Image

ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg")
_FORMS = ", ".join(ending[1:] for ending in ENDINGS)

DPI = 150
TITLE_SIZE = 11  # points


_LONGEST_LINE = 500  # letters


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a picture, on light or on dark paper.

    Attributes
    ----------
    paper, ink, muted, line : str
        The background, text, quieter text, and the lines of grids and frames.
    accent, mark : str
        What is to be seen first, and what is marked beside it.
    noise : str
        What belongs nowhere.
    palette : tuple of str
        Of things side by side. All stand out from the paper by a contrast of 3, and readers without red,
        green or blue cones can tell any two apart.
    """

    paper: str
    ink: str
    muted: str
    line: str
    accent: str
    mark: str
    noise: str
    palette: tuple[str, ...]


LIGHT = Theme(
    paper="#ffffff",
    ink="#1a1a1a",
    muted="#5a5a5a",
    line="#dcdcdc",
    accent="#0072b2",  # of Okabe and Ito's palette, as are the first four below
    mark="#d55e00",
    noise="#b4b4b4",
    palette=(
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#551b5c", "#7d74f7", "#7a1f10", "#1c30a6",
        "#d91f41", "#79466b",
    ),
)  # fmt: skip
DARK = Theme(
    paper="#15181c",
    ink="#f0f0f0",
    muted="#a9b0b8",
    line="#3a4048",
    accent="#56b4e9",
    mark="#e69f00",
    noise="#6a7078",
    palette=(
        "#56b4e9", "#e69f00", "#0f9d78", "#f0a6d0", "#e9ec9a", "#7d6ff0", "#b0552a", "#ffffff",
        "#88e25c", "#7f6595",
    ),
)  # fmt: skip
MARKERS = "osD^vPX*<p>hd8"
"""Shapes for points, to tell things apart where there are more of them than colours."""

_theme = ContextVar("theme", default=LIGHT)
_missing: ContextVar[set[str] | None] = ContextVar("missing", default=None)

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


def theme() -> Theme:
    """Return the colours to draw with now."""
    return _theme.get()


@checked
@contextlib.contextmanager
def use_theme(*, dark: bool) -> Iterator[None]:
    """Draw the pictures made meanwhile on dark paper, or on light.

    >>> with use_theme(dark=True):
    ...     theme().paper
    '#15181c'
    """
    token = _theme.set(DARK if dark else LIGHT)
    try:
        yield
    finally:
        _theme.reset(token)


def new_figure(width: float, height: float, dpi: float = DPI, *, constrained: bool = False) -> Figure:
    """Return an empty figure of a size in inches, which shows itself in notebooks."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from lookalike.plots.figures import ShownFigure

    figure = ShownFigure(
        figsize=(width, height),
        dpi=dpi,
        facecolor=theme().paper,
        layout="constrained" if constrained else None,
    )
    FigureCanvasAgg(figure)  # keeps a renderer: without, each text that is measured makes a page of its own
    return figure


def write_line(
    figure: Figure, line: str, x: float, y: float, size: float, weight: str = "normal", **style: Any
) -> Text:
    """Write a line of text, its left end and its middle at (x, y) inches; bold it is ink, else muted."""
    width, height = figure.get_size_inches()
    style = {"va": "center", "color": theme().ink if weight == "bold" else theme().muted} | style
    return figure.text(
        x / width,
        y / height,
        drawable(line, weight),
        family=fonts(),
        parse_math=False,  # dollar signs are dollar signs
        size=size,
        weight=weight,
        **style,
    )


def write_title(figure: Figure, title: str, x: float, y: float, size: float = TITLE_SIZE) -> None:
    """Write the title of a picture, at most as far from its right edge as `x` is from its left."""
    shorten(write_line(figure, title, x, y, size, "bold"), figure.get_size_inches()[0] - 2 * x)


def title_axes(axes: Axes, title: str) -> None:
    """Write the title of a picture of axes above them, in the style of `write_title`."""
    text = axes.set_title(
        drawable(title, "bold"),
        loc="left",
        family=fonts(),
        parse_math=False,
        color=theme().ink,
        size=TITLE_SIZE,
        weight="bold",
    )
    shorten(text, axes.figure.bbox.width / axes.figure.dpi - 1.0)  # what the axis beside it takes


def fit_picture(content: bytes, side: int) -> Image:
    """Return an image file as large as a square of `side` pixels allows."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    are_seen = max(picture.size) <= 64 and scale >= 1.75  # its pixels, so they stay square
    return picture.resize(size, Image.Resampling.NEAREST if are_seen else Image.Resampling.LANCZOS)


def quieten_axes(axes: Axes) -> None:
    """Leave of the axes two thin lines, a grid behind all else, and quiet numbers."""
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(theme().muted)
    axes.grid(color=theme().line, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=theme().muted, length=0)


@checked
def check_ending(path: Path) -> None:
    """Raise InvalidInputError unless a figure can be saved under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInputError(f"{path}: a figure is saved as one of {', '.join(ENDINGS)}")
    if not os.path.isdir(path.absolute().parent):
        raise InvalidInputError(f"{path}: there is no folder {path.absolute().parent}")


@checked
def check_picture(path: Path, *, force: bool = False) -> None:
    """Raise LookalikeError unless a figure can be saved under this name; see `save_figure`."""
    check_ending(path)
    check_output(path, is_own_picture, force=force)


@checked
def figure_bytes(figure: Figure, form: str) -> bytes:
    """Return a figure as a file of a form, such as ``png`` or ``svg``, without date or random ids.

    It says that lookalike made it, so that it is not taken for a photo where it lies among those.
    """
    from matplotlib import rc_context

    if f".{form}" not in ENDINGS:
        raise InvalidInputError(f"form is {shown(form)}; expected one of {_FORMS}", field="form")
    if not callable(getattr(figure, "savefig", None)):
        raise InvalidInputError(f"figure is {shown(figure)}; expected a figure of Matplotlib", field="figure")
    content, mark = io.BytesIO(), own_mark()
    said: dict[str, Any] = {
        "png": {"metadata": {"Software": mark}},
        "svg": {"metadata": {"Creator": mark, "Date": None}},
        "pdf": {"metadata": {"Creator": mark, "CreationDate": None}},
    }
    is_jpeg = {"pil_kwargs": {"comment": mark.encode()}}
    with rc_context({"svg.hashsalt": "lookalike"}):
        figure.savefig(content, format=form, facecolor=figure.get_facecolor(), **said.get(form, is_jpeg))
    return content.getvalue()


@checked
def save_figure(figure: Figure, path: Path, *, force: bool = False) -> None:
    """Save a figure. A picture that lookalike drew, by its metadata, is replaced; nothing else is.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : Path
        See `check_ending`.
    force : bool
        Whether to write over any file that is there.

    Raises
    ------
    InvalidInputError
        If a figure cannot be saved under this name.
    ConflictError
        If something else is there.
    ResourceError
        If the disk does not take it.
    """
    check_picture(path, force=force)
    # To memory first: a disk that fills up must not cost the picture that was there.
    write_output(path, figure_bytes(figure, path.suffix.lower().lstrip(".")), is_own_picture, force=force)


def shorten(text: Text, width: float, keeps_end: bool = False) -> None:
    """Cut a line of text, at its end or in its middle, until it is at most `width` inches wide."""
    line = text.get_text()
    if len(line) > _LONGEST_LINE:  # no page is so wide, and to draw it takes for ever
        half = _LONGEST_LINE // 2
        line = f"{line[:half]}…{line[-half:]}"
        text.set_text(line)
    kept = len(line)
    limit = width * text.figure.dpi
    while kept > 1 and (drawn := text.get_window_extent().width) > limit:
        kept = min(kept - 1, int(kept * limit / drawn))
        tail = kept // 2 if keeps_end else 0  # a file's name ends in what tells it from its like
        text.set_text(f"{line[: kept - tail]}…{line[len(line) - tail :]}")


def drawable(line: str, weight: str = "normal") -> str:
    """Put the replacement character for those that cannot be printed, or that no font here has.

    Spaces of all kinds are drawn as one; joiners, soft hyphens and the like, which nobody sees, not at all.
    """
    line = "".join(" " if category(each) == "Zs" else each for each in line if category(each) != "Cf")
    known = [_characters(font, weight) for font in fonts()]
    missing = {each for each in line if each.isprintable() and not any(ord(each) in own for own in known)}
    gathered = _missing.get()
    if gathered is not None:
        gathered |= missing
    return "".join(
        each if each.isprintable() and each not in missing else "\N{REPLACEMENT CHARACTER}" for each in line
    )


@contextlib.contextmanager
def gather_missing() -> Iterator[set[str]]:
    """Give a set that gathers the characters of pictures made meanwhile that no font here has."""
    gathered: set[str] = set()
    token = _missing.set(gathered)
    try:
        yield gathered
    finally:
        _missing.reset(token)


@functools.cache
def fonts() -> list[str]:
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
