"""What all pictures share: colours, fonts, text that fits its place, and how they are saved."""

from __future__ import annotations

import functools
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import InvalidInputError
from lookalike.replace_file import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg")

INK = "#1a1a1a"
MUTED = "#5a5a5a"
ACCENT = "#0072b2"  # of Okabe and Ito's palette, told apart by colour-blind readers
MARK = "#d55e00"  # of the same palette
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


def check_ending(path: Path) -> None:
    """Raise InvalidInputError unless a figure can be saved under this name."""
    if path.suffix.lower() not in ENDINGS:
        raise InvalidInputError(f"{path}: a figure is saved as one of {', '.join(ENDINGS)}")
    if not os.path.isdir(path.absolute().parent):
        raise InvalidInputError(f"{path}: there is no folder {path.absolute().parent}")


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


def shorten(text: Text, width: float, keeps_end: bool = False) -> None:
    """Cut a line of text, at its end or in its middle, until it is at most `width` inches wide."""
    line = text.get_text()
    kept = len(line)
    limit = width * text.figure.dpi
    while kept > 1 and (drawn := text.get_window_extent().width) > limit:
        kept = min(kept - 1, int(kept * limit / drawn))
        tail = kept // 2 if keeps_end else 0  # a file's name ends in what tells it from its like
        text.set_text(f"{line[: kept - tail]}…{line[len(line) - tail :]}")


def drawable(line: str, weight: str = "normal") -> str:
    """Put the replacement character for those that cannot be printed, or that no font here has."""
    return "".join(
        character
        if character.isprintable() and any(ord(character) in _characters(font, weight) for font in fonts())
        else "\N{REPLACEMENT CHARACTER}"
        for character in line
    )


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
