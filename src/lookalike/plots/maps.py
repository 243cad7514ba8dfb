"""Maps of images: as points, as the images themselves, and as tiles that do not overlap."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.plots.grid import assign_to_grid
from lookalike.plots.groups import (
    CROWD,
    Box,
    Groups,
    Marks,
    Points,
    choose_marks,
    draw_legend,
    find_clouds,
    fits_legend,
    legend_width,
    name_clouds,
)
from lookalike.plots.places import as_places
from lookalike.plots.shown_images import choose_spread, choose_uncovered
from lookalike.plots.style import fit_picture, new_figure, shorten, theme, write_line, write_title
from lookalike.system.checked_calls import checked, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pictures = Callable[[Sequence[int]], Sequence[bytes | None]]
"""Given rows of points, returns their image files; None where there is none."""

Size = tuple[int, int]
"""Width and height, pixels."""

HD: Size = (1920, 1080)
FOUR_K: Size = (3840, 2160)
_LARGEST = 16_384

_HEAD_LINES = (0.36, 0.68)  # inches from the top: the title and what is said below it
_PAGE = (12.8, 7.2)  # inches that a picture measures at least, so that text has its size on a slide
_MARGIN = 0.3
_HEADER = 0.85
_TITLE_SIZE = 15  # points: the page is a slide
_LEGEND_GAP = 0.3
_MOST_STRETCHED = 2.0  # the axes of a map have no unit: it may be made somewhat wider than it is
_LAYERS = 8  # of points, so that those of one marker do not lie upon those of all others
_DRAWN_AS_PIXELS = 5_000  # points: in an SVG, more of them would be slow to show
_SMALLEST_IMAGE = 36  # pixels
_SMALLEST_TILE = 36
_EVEN = 0.65  # of the way from the map to a grid, where images are shown
_KEPT = 0.65  # of the images that are shown when they are small: so many at least are when they are larger
_READ_AT_ONCE = 1_000  # image files


@checked
def read_size(words: str) -> Size:
    """Return the size of a picture in pixels: ``hd``, ``4k``, or width x height.

    >>> read_size("4k"), read_size("1200x800")
    ((3840, 2160), (1200, 800))
    """
    named = {"hd": HD, "4k": FOUR_K}.get(words.lower())
    if named is not None:
        return named
    numbers = re.fullmatch(r"(\d{3,5})[xX×](\d{3,5})", words)
    size = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    if not 320 <= min(size) <= max(size) <= _LARGEST:
        raise InvalidInputError(
            f"the size is {shown(words)}; expected hd, 4k, or width and height in pixels, 320 to 16384, such"
            " as 1920x1080"
        )
    return size


@checked
def points_map(
    points: npt.ArrayLike,
    groups: Groups | None = None,
    title: str = "",
    note: str = "",
    size: Size = HD,
    axes: tuple[str, str] | None = None,
    n_named: int | None = None,
) -> Figure:
    """Draw a map as points, coloured by group.

    The largest groups are named beside their clouds, as far as the names do not overlap; the others stand in
    a legend. More groups than colours are told apart by their markers.

    Parameters
    ----------
    points : (n, 2) array-like
    groups : Groups, optional
    title, note : str
        Above it, and more quietly below the title.
    size : (int, int)
        Width and height, pixels.
    axes : (str, str), optional
        What the axes are, where they mean something.
    n_named : int, optional
        Name only so many groups, from all over the map, and draw no legend. Groups that lie scattered are
        drawn as if they were none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    places = _check(points, groups)
    if n_named is not None and (isinstance(n_named, bool) or n_named < 0):
        raise InvalidInputError(
            f"n_named is {shown(n_named)}; expected a whole number, 0 or more", field="n_named"
        )
    head = _Head(title, note, axes, n_named)
    for n_columns in (0, 1, 2):  # of the legend, as few as suffice
        drawn, fits = _draw_points(places, groups, head, size, n_columns)
        if fits:
            break
    return drawn


@checked
def images_map(
    points: npt.ArrayLike,
    pictures: Pictures,
    groups: Groups | None = None,
    title: str = "",
    note: str = "",
    size: Size = HD,
) -> Figure:
    """Draw a map made of the images themselves, evened out; those that others would cover are left out.

    Parameters
    ----------
    points : (n, 2) array-like
    pictures : callable
        Given rows of `points`, returns their image files, None where there is none.
    groups : Groups, optional
        The images of the largest are framed in colours.
    title, note, size
        See `points_map`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    places = _check(points, groups)
    framed = None if groups is None else _largest(groups)
    sheet = _begin(size, title, framed)
    width, height = _pixels(sheet)
    places = _loosen(places, width, height)
    smallest = _smallest(_SMALLEST_IMAGE, sheet)
    largest = int(np.clip(np.sqrt(2.5 * width * height / len(places)), smallest, 0.35 * height))
    at, chosen = _lay_images(places, width, height, side := smallest)
    while largest > side:  # as large as it can be without hiding many more of them
        laid = _lay_images(places, width, height, largest)
        if len(laid[1]) >= _KEPT * len(chosen):
            (at, chosen), side = laid, largest
        largest = int(0.9 * largest)
    corners = np.round(at[chosen] - side / 2).astype(int)
    _show_images(sheet, chosen, corners, side, pictures, framed)
    said = f"{len(chosen):,} of {len(places):,} images shown, where there is room"
    _write_note(sheet, note, "evened out", said if len(chosen) < len(places) else "")
    return sheet.figure


@checked
def tiles_map(
    points: npt.ArrayLike,
    pictures: Pictures,
    groups: Groups | None = None,
    title: str = "",
    note: str = "",
    size: Size = HD,
    n_tiles: int | None = None,
) -> Figure:
    """Draw a map as images on a grid: none covers another, and neighbours stay together.

    Parameters
    ----------
    points : (n, 2) array-like
    pictures, groups, title, note, size
        See `images_map`.
    n_tiles : int, optional
        How many images at most; by default as many as can still be made out. Those that are shown are chosen
        from all over the map.

    Returns
    -------
    matplotlib.figure.Figure
    """
    places = _check(points, groups)
    if n_tiles is not None and (isinstance(n_tiles, bool) or not isinstance(n_tiles, int) or n_tiles < 1):
        raise InvalidInputError(
            f"n_tiles is {shown(n_tiles)}; expected a whole number, 1 or more", field="n_tiles"
        )
    framed = None if groups is None else _largest(groups)
    sheet = _begin(size, title, framed)
    width, height = _pixels(sheet)
    smallest = _smallest(_SMALLEST_TILE, sheet)
    most = (width // smallest) * (height // smallest)
    if len(places) <= 2 * most:  # smaller ones, rather than leave some out
        most = len(places)
    if n_tiles is not None:
        most = min(n_tiles, width * height // 64)
    n_shown = min(len(places), most)
    n_rows, n_columns = _shape_of_grid(n_shown, width, height)
    side = min(width // n_columns, height // n_rows, int(0.45 * height))
    chosen = choose_spread(places, n_shown)
    rows, columns = np.divmod(assign_to_grid(places[chosen], n_rows, n_columns), n_columns)
    margin = np.array([width - n_columns * side, height - n_rows * side]) // 2
    corners = np.stack([columns, n_rows - 1 - rows], axis=1) * side + margin
    _show_images(sheet, chosen, corners, side - max(1, side // 30), pictures, framed)
    said = f"{n_shown:,} of {len(places):,} images shown, from all over the map"
    _write_note(sheet, note, said if n_shown < len(places) else "")
    return sheet.figure


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A figure, axes over all of it whose unit is the inch, and the places of the map and its legend."""

    figure: Figure
    page: Axes
    box: Box
    legend: Box


@dataclass(frozen=True, slots=True)
class _Head:
    """What is said of a map of points, see `points_map`."""

    title: str
    note: str
    axes: tuple[str, str] | None
    n_named: int | None


def _draw_points(
    places: Points, groups: Groups | None, head: _Head, size: Size, n_columns: int
) -> tuple[Figure, bool]:
    """Draw a map as points, and tell whether the columns of its legend suffice."""
    sheet = _begin(size, head.title, groups, n_columns)
    axes = head.axes
    at_one = "all at one point" if len(places) > 1 and not np.ptp(places, axis=0).any() else ""
    left, bottom, right, top = sheet.box
    if axes is not None:
        write_line(sheet.figure, axes[0], (left + right) / 2, bottom - 0.02, 9, ha="center")
        write_line(sheet.figure, axes[1], left - 0.02, (bottom + top) / 2, 9, ha="center", rotation=90)
        left, bottom = left + 0.15, bottom + 0.15
    room = (right - left) * (top - bottom)
    diameter = float(np.clip(0.5 * 72 * np.sqrt(room / len(places)), 1.6, 11))  # points
    at = _lay(places, (left + 0.1, bottom + 0.1, right - 0.1, top - 0.1))
    style: dict[str, Any] = {
        "linewidths": 0,
        "alpha": 0.85 if len(places) < 20_000 else 0.6,
        "rasterized": len(places) > _DRAWN_AS_PIXELS,
    }
    if groups is None:
        sheet.page.scatter(at[:, 0], at[:, 1], s=diameter**2, color=theme().accent, **style)
        _write_note(sheet, head.note, at_one)
        return sheet.figure, True
    clouds = find_clouds(groups, at)
    scattered = ""
    if head.n_named is not None:
        clouds = {number: cloud for number, cloud in clouds.items() if cloud.share > CROWD}
        is_clear = np.isin(groups.numbers, [*clouds, -1])
        scattered = "" if is_clear.all() else f"grey: {groups.kind}s that lie scattered"
        groups = replace(groups, numbers=np.where(is_clear, groups.numbers, -1))
    _write_note(sheet, head.note, scattered, at_one)
    marks = choose_marks(clouds)
    is_none = groups.numbers < 0
    sheet.page.scatter(at[is_none, 0], at[is_none, 1], s=0.6 * diameter**2, color=theme().noise, **style)
    mixed = np.random.default_rng(0).permutation(len(at))  # so that no group lies upon all others
    markers = list(dict.fromkeys(marker for _, marker in marks.values()))
    for part in np.array_split(mixed, 1 if len(markers) == 1 else _LAYERS):
        for marker in markers:
            members = {number: color for number, (color, its) in marks.items() if its == marker}
            rows = part[np.isin(groups.numbers[part], list(members))]
            colors = [members[number] for number in groups.numbers[rows].tolist()]
            ink = 1.0 if marker == "o" else 1.3  # most shapes fill less of their square than a disc
            sheet.page.scatter(
                at[rows, 0], at[rows, 1], s=ink * diameter**2, color=colors, marker=marker, **style
            )
    on_map = name_clouds(sheet.figure, groups, clouds, (left, bottom, right, top), head.n_named)
    fits = head.n_named is not None or fits_legend(groups, on_map, sheet.legend, n_columns)
    if n_columns:
        draw_legend(sheet.figure, sheet.page, groups, marks, on_map, sheet.legend, n_columns)
    return sheet.figure, fits


def _check(points: npt.ArrayLike, groups: Groups | None) -> Points:
    places = as_places(points)
    if places.ndim != 2 or places.shape[1:] != (2,) or not len(places) or not np.isfinite(places).all():
        raise InvalidInputError(
            f"the points of the map have the shape {places.shape}; expected (n, 2), n from 1 on, all finite"
        )
    if groups is not None and len(groups.numbers) != len(places):
        raise InvalidInputError(
            f"there are groups for {len(groups.numbers):,} points; expected them for all {len(places):,}"
        )
    return places


def _begin(size: Size, title: str, groups: Groups | None, n_columns: int = 1) -> _Sheet:
    """Return a sheet with its title, and room for a legend if there are groups."""
    if not 1 <= min(size) <= max(size) <= _LARGEST:
        raise InvalidInputError(
            f"the size is {shown(size)}; expected pixels, 1 to {_LARGEST:,}", field="size"
        )
    dpi = min(size[0] / _PAGE[0], size[1] / _PAGE[1])
    width, height = size[0] / dpi, size[1] / dpi
    figure = new_figure(width, height, dpi)
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    if title:
        write_title(figure, title, _MARGIN, height - _HEAD_LINES[0], _TITLE_SIZE)
    top, right = height - _HEADER, width - _MARGIN
    left_of_legend = right if groups is None else right - legend_width(figure, groups, n_columns)
    box = (_MARGIN, _MARGIN, left_of_legend - (_LEGEND_GAP if left_of_legend < right else 0), top)
    return _Sheet(figure, page, box, (left_of_legend, _MARGIN, right, top))


def _write_note(sheet: _Sheet, *notes: str) -> None:
    width, height = sheet.figure.get_size_inches()
    line = "  ·  ".join(note for note in notes if note)
    if line:
        text = write_line(sheet.figure, line, _MARGIN, height - _HEAD_LINES[1], 10)
        shorten(text, width - 2 * _MARGIN)


def _lay(places: Points, box: Box) -> Points:
    """Return points laid into a box, in its middle; an axis may be stretched a little to fill it."""
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([box[2] - box[0], box[3] - box[1]])
    span = high - low
    scales = np.divide(
        room, span, out=np.full(2, np.inf), where=span > 1e-9 * max(*np.abs([low, high]).ravel(), 1e-30)
    )
    scale = np.minimum(scales, _MOST_STRETCHED * scales.min())
    scale[~np.isfinite(scale)] = 0  # all points are the same there
    middle: Points = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    laid: Points = middle + (places - (low + high) / 2) * scale
    return laid


def _loosen(places: Points, width: int, height: int) -> Points:
    """Return the map on its way to a grid: clouds stay, and the paper between them is used."""
    if len(places) < 2:
        return places
    n_rows, n_columns = _shape_of_grid(len(places), width, height)
    rows, columns = np.divmod(assign_to_grid(places, n_rows, n_columns), n_columns)
    even = np.stack([columns / max(n_columns - 1, 1), 1 - rows / max(n_rows - 1, 1)], axis=1)
    span = np.ptp(places, axis=0)
    own = (places - places.min(axis=0)) / np.where(span > 0, span, 1)
    loosened: Points = (_EVEN * even + (1 - _EVEN) * own) * [width, height]
    return loosened


def _lay_images(places: Points, width: int, height: int, side: int) -> tuple[Points, npt.NDArray[np.intp]]:
    """Return where the middles of images are, pixels, and which of them are shown."""
    at = _lay(places, (side / 2, side / 2, width - side / 2, height - side / 2))
    return at, choose_uncovered(at, side)


def _largest(groups: Groups) -> Groups:
    """Return the largest groups, as many as there are colours; the others belong to none."""
    kept = groups.by_size[: len(theme().palette)]
    is_kept = np.isin(groups.numbers, kept)
    others = groups.none if len(kept) == len(groups.by_size) else f"other {groups.kind}s"
    return Groups(np.where(is_kept, groups.numbers, -1), groups.names, groups.kind, others)


def _smallest(side: int, sheet: _Sheet) -> int:
    """Return how many pixels an image measures at least: more on a larger picture, but not as many more."""
    return max(8, round(side * math.sqrt(sheet.figure.dpi / 150)))


def _pixels(sheet: _Sheet) -> Size:
    left, bottom, right, top = sheet.box
    return int((right - left) * sheet.figure.dpi), int((top - bottom) * sheet.figure.dpi)


def _shape_of_grid(n: int, width: int, height: int) -> tuple[int, int]:
    """Return the rows and columns that give n squares the most room."""
    shapes = [(-(-n // columns), columns) for columns in range(1, n + 1)]
    return max(shapes, key=lambda shape: (min(height // shape[0], width // shape[1]), -shape[0] * shape[1]))


def _show_images(
    sheet: _Sheet,
    rows: npt.NDArray[np.intp],
    corners: npt.NDArray[np.integer],
    side: int,
    pictures: Pictures,
    groups: Groups | None,
) -> None:
    """Paste images into the place of the map, and list the groups of their frames.

    corners : (n, 2), the lower left ones, pixels from that of the map.
    """
    from PIL import Image, ImageDraw

    width, height = _pixels(sheet)
    mosaic = Image.new("RGB", (width, height), theme().paper)
    draw = ImageDraw.Draw(mosaic)
    marks: Marks = {}
    if groups is not None:
        marks = {number: (theme().palette[at], "s") for at, number in enumerate(groups.by_size)}
    for begin in range(0, len(rows), _READ_AT_ONCE):
        part = slice(begin, begin + _READ_AT_ONCE)
        contents = pictures(rows[part].tolist())
        for row, (x, y), content in zip(rows[part].tolist(), corners[part].tolist(), contents, strict=True):
            top = height - y - side
            picture = (
                Image.new("RGB", (side, side), theme().line)
                if content is None
                else fit_picture(content, side)
            )
            corner = (x + (side - picture.width) // 2, top + (side - picture.height) // 2)
            mosaic.paste(picture, corner)
            end = (corner[0] + picture.width - 1, corner[1] + picture.height - 1)
            if groups is None:
                draw.rectangle((*corner, *end), outline=theme().line)  # white pictures have an edge, too
            else:
                color = marks.get(int(groups.numbers[row]), (theme().noise, "s"))[0]
                draw.rectangle((*corner, *end), outline=color, width=max(2, side // 16))
    figure = sheet.figure
    page_width, page_height = figure.get_size_inches() * figure.dpi
    left, bottom = sheet.box[0] * figure.dpi, sheet.box[1] * figure.dpi
    place = (left / page_width, bottom / page_height, width / page_width, height / page_height)
    axes = figure.add_axes(place)
    axes.imshow(mosaic, interpolation="none", aspect="auto")
    axes.set_axis_off()
    if groups is not None:
        draw_legend(sheet.figure, sheet.page, groups, marks, set(), sheet.legend, 1)
