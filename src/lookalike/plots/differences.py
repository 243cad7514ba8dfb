"""Two pictures, one laid on the other, and where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.plots.style import drawable, fonts, new_figure, shorten, theme, write_line, write_title
from lookalike.system.checked_calls import checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = npt.NDArray[np.uint8]

_AREA = 9.0  # square inches of each picture
_WIDEST, _NARROWEST = 4.5, 1.8  # inches
_MARGIN, _CAPTION, _LINE = 0.15, 0.5, 0.27  # inches
_NOTE_SIZE = 9  # points
_PALE = 0.25  # of the first picture below the differences
_FULL = 0.3  # a difference from which on its color is full


@checked
def draw_difference(
    first: Pixels,
    second: Pixels,
    differences: npt.NDArray[np.float32] | None,
    *,
    title: str = "",
    note: str = "",
    captions: Sequence[tuple[str, str]] = (("", ""), ("", "")),
) -> Figure:
    """Draw a picture, another one laid on it, and where they differ.

    Parameters
    ----------
    first : (h, w, 3) uint8
    second : (h, w, 4) uint8
        The other one in the frame of the first, transparent where it shows nothing. Of any size, and with 3
        channels, where it cannot be laid there.
    differences : (h, w) float32 or None
        How much they differ, 0 to 1; NaN where they cannot. None where one cannot be laid on the other: then
        there is no third picture.
    title, note : str
        Above it all; the note is quieter, below the title.
    captions : sequence of two (str, str)
        The two lines below each picture.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If these are no pictures, or the differences are of another size.
    """
    for name, picture in (("first", first), ("second", second)):
        if (
            picture.ndim != 3
            or picture.shape[2] not in (3, 4)
            or picture.dtype != np.uint8
            or not picture.size
        ):
            raise InvalidInputError(
                f"{name} is {picture.dtype} of shape {picture.shape}; expected uint8, (h, w, 3 or 4)",
                field=name,
            )
    if differences is not None and differences.shape != first.shape[:2]:
        raise InvalidInputError(
            f"differences are of shape {differences.shape}, the picture of {first.shape[:2]}",
            field="differences",
        )
    if len(captions) != 2 or any(len(each) != 2 for each in captions):
        raise InvalidInputError(
            f"captions are {captions!r}; expected two lines for each of two pictures", field="captions"
        )
    shown: list[tuple[Any, Sequence[str]]] = [(first, captions[0]), (second, captions[1])]
    if differences is not None:
        shown[1] = (second, (f"{captions[1][0]}, laid on it", captions[1][1]))
        shown.append((_paint(first, differences), ("where they differ", "brightness evened out")))
    sizes = [_size_of(*picture.shape[:2]) for picture, _ in shown]
    high = max(height for _, height in sizes)
    top = _MARGIN + (_LINE if title else 0) + (_LINE if note else 0)
    width = sum(each for each, _ in sizes) + _MARGIN * (len(sizes) + 1)
    height = top + high + _CAPTION + _MARGIN
    figure = new_figure(width, height)
    if title:
        write_title(figure, title, _MARGIN, height - 0.26)
    if note:
        line = write_line(figure, note, _MARGIN, height - 0.26 - (_LINE if title else 0), _NOTE_SIZE)
        shorten(line, width - 2 * _MARGIN)
    left = _MARGIN
    for (picture, lines), (wide, tall) in zip(shown, sizes, strict=True):
        bottom = height - top - high + (high - tall) / 2
        box = (left / width, bottom / height, wide / width, tall / height)
        _draw(figure.add_axes(box), picture, lines, wide)
        left += wide + _MARGIN
    return figure


def _size_of(height: int, width: int) -> tuple[float, float]:
    """Return how large a picture is drawn, width and height in inches."""
    wide = min(max((_AREA * width / height) ** 0.5, _NARROWEST), _WIDEST)
    return wide, min(max(wide * height / width, 0.6), 2 * _WIDEST)


def _paint(first: Pixels, differences: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the first picture, pale, and in a color what differs; paper where nothing is to be compared."""
    from matplotlib.colors import to_rgb

    paper, mark = (np.array(to_rgb(color), np.float32) for color in (theme().paper, theme().mark))
    grey = first[..., :3].astype(np.float32).mean(axis=2, keepdims=True) / 255
    is_dark = paper.mean() < 0.5
    pale = paper + _PALE * (grey if is_dark else grey - 1) * 2
    strength = np.clip(np.nan_to_num(differences, nan=0.0) / _FULL, 0, 1)[..., None]
    shown = np.clip(pale, 0, 1) * (1 - strength) + mark * strength
    shown[np.isnan(differences)] = paper
    painted: npt.NDArray[np.float32] = shown.astype(np.float32)
    return painted


def _draw(axes: Axes, picture: Any, lines: Sequence[str], room: float) -> None:
    """Draw a picture with its two lines below, these at most `room` inches wide."""
    axes.patch.set_visible(False)
    axes.imshow(
        picture, aspect="auto", interpolation="nearest" if max(picture.shape) <= 64 else "antialiased"
    )
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_edgecolor(theme().line)
        spine.set_linewidth(0.6)
    for line, y, color, size in zip(lines, (-13, -25), (theme().ink, theme().muted), (8.5, 7.5), strict=True):
        text = axes.annotate(
            drawable(line),
            (0, 0),
            (0, y),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left",
            va="baseline",
            family=fonts(),
            parse_math=False,  # dollar signs are dollar signs
            color=color,
            fontsize=size,
        )
        shorten(text, room, keeps_end=True)
