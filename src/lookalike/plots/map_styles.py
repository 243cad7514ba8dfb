"""The ways to draw a map, as a table. To add one, add a row, and a function that draws.

Nothing heavy is imported here, so that a help text or an error can say at once what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.system.on_demand import load
from lookalike.system.rows import find_row, names_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from lookalike.plots.groups import Groups
    from lookalike.plots.maps import Size
    from lookalike.types import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class MapPicture:
    """What is to be drawn, of which a style takes what it needs.

    Attributes
    ----------
    points : (n, 2) float32
    pictures : callable
        Gives image files; see `maps.Pictures`.
    groups : Groups or None
        What the colours tell.
    title, note : str
    size : (int, int)
        Pixels.
    axes : (str, str) or None
        What the axes are, where they mean something.
    n_tiles : int or None
        How many images at most.
    n_named : int or None
        How many groups are named; None for all, on the map or in a legend.
    """

    points: Vectors
    pictures: Callable[[Sequence[int]], Sequence[bytes | None]]
    groups: Groups | None
    title: str
    note: str
    size: Size
    axes: tuple[str, str] | None = None
    n_tiles: int | None = None
    n_named: int | None = None


@dataclass(frozen=True, slots=True)
class MapStyle:
    """One way to draw a map.

    Attributes
    ----------
    name : str
    words : str
        What it shows, for a help text that goes through all of them.
    drawer : str
        ``module:function`` that draws.
    takes : tuple of str
        Which attributes of a `MapPicture` the function takes, by its own parameters' names.
    is_colored : bool
        Whether colours tell labels or clusters, if nobody says what they are to tell.
    """

    name: str
    words: str
    drawer: str
    takes: tuple[str, ...]
    is_colored: bool = False

    @property
    def has_tiles(self) -> bool:
        """Whether the number of images can be asked for."""
        return "n_tiles" in self.takes

    def draw(self, picture: MapPicture) -> Figure:
        """Draw a map."""
        figure: Figure = load(self.drawer)(**{name: getattr(picture, name) for name in self.takes})
        return figure


_ALL = ("points", "groups", "title", "note", "size")

MAP_STYLES: tuple[MapStyle, ...] = (
    MapStyle(
        "points", "Points", "lookalike.plots.maps:points_map", (*_ALL, "axes", "n_named"), is_colored=True
    ),
    MapStyle("images", "the images themselves", "lookalike.plots.maps:images_map", (*_ALL, "pictures")),
    MapStyle(
        "tiles",
        "or images on a grid, none covering another",
        "lookalike.plots.maps:tiles_map",
        (*_ALL, "pictures", "n_tiles"),
    ),
)
"""The usual one first."""

DEFAULT_STYLE = MAP_STYLES[0].name
"""The way to draw a map where none is named."""


def style_names() -> tuple[str, ...]:
    """Return the names of all ways to draw a map, the usual one first."""
    return names_of(MAP_STYLES)


def get_style(name: str) -> MapStyle:
    """Return the row of a way to draw a map.

    Raises
    ------
    InvalidInputError
        If there is none of that name.
    """
    return find_row(MAP_STYLES, name, f"there is no style {name!r}")
