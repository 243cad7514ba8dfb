"""Groups of points: their colours and markers, their names beside the clouds, and the legend of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.plots.style import MARKERS, shorten, theme, write_line
from lookalike.system.checked_calls import checked, checked_fields

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

Points = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]
Marks = dict[int, tuple[str, str]]
"""The colour and the marker of each group."""

_IN_LEGEND = 24  # groups that are all listed, named on the map or not
_SIZES = ((9.5, 0.215), (8.5, 0.19), (7.5, 0.165), (7.0, 0.15), (6.5, 0.135))  # points, inches a line
_COUNT = 0.78  # inches for a comma and five digits
_MARKER = 0.24
_HEAD = 0.3
_LONGEST = 1.5  # inches of a name
_ON_MAP = ((12, 13.0), (_IN_LEGEND, 11.0), (10**9, 9.0))  # groups at most, points of their names
_CLOUD = 0.6  # inches: what lies farther from the middle is no part of the cloud
_NEAR = 0.15  # inches: what lies so near to the middle of a cloud is part of it in any case
_CLEAR = 0.75  # the share from which a group lies clearly together
CROWD = 0.5  # the share of a group in its cloud from which its name is not wrong there
_FEW = 30  # points that make no clouds
_LARGE = 0.35  # inches: the radius from which a cloud bears its name, rather than stands beside it


@checked_fields
@checked
@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which group each point of a map belongs to.

    Attributes
    ----------
    numbers : (n,) int
        A row of `names`; -1 for none.
    names : sequence of str
    kind : str
        What a group is: ``"label"``, ``"cluster"``.
    none : str
        What those are that belong to none: ``"noise"``, ``"no label"``.
    """

    numbers: npt.NDArray[np.integer]
    names: Sequence[str]
    kind: str = "group"
    none: str = "none"

    @property
    def by_size(self) -> list[int]:
        """The groups that have points, the largest first."""
        sizes = np.bincount(self.numbers[self.numbers >= 0], minlength=len(self.names))
        return [int(number) for number in np.argsort(-sizes, kind="stable") if sizes[number]]

    def size(self, number: int) -> int:
        """Return how many points a group has."""
        return int((self.numbers == number).sum())

    def of(self, rows: npt.NDArray[np.intp]) -> Groups:
        """Return the groups of some points."""
        return Groups(self.numbers[rows], self.names, self.kind, self.none)


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where most of a group lies: the middle and the radius, inches.

    `share` is that of the group in all that lies there.
    """

    x: float
    y: float
    radius: float
    share: float = 1.0


def find_clouds(groups: Groups, places: Points) -> dict[int, Cloud]:
    """Return for each group, the largest first, where the most of its points lie together.

    places : (n, 2), where the points are drawn, inches.
    """
    from scipy.spatial import cKDTree

    random = np.random.default_rng(0)
    found = {}
    for number in groups.by_size:
        members = places[groups.numbers == number]
        some = members if len(members) <= 500 else members[random.choice(len(members), 500, replace=False)]
        n_near = cKDTree(some).query_ball_point(some, 0.4, return_length=True)
        crowded = some[n_near >= 0.9 * n_near.max()]
        x, y = crowded[((crowded - crowded.mean(axis=0)) ** 2).sum(axis=1).argmin()].tolist()
        far = np.hypot(some[:, 0] - x, some[:, 1] - y)
        radius = float(np.quantile(far[far < _CLOUD], 0.8))
        there = np.hypot(places[:, 0] - x, places[:, 1] - y) <= max(radius, _NEAR)
        found[number] = Cloud(x, y, radius, float((groups.numbers[there] == number).mean()))
    return found


def choose_marks(clouds: dict[int, Cloud]) -> Marks:
    """Return the colour and the marker of each group.

    Where there are more groups than colours, a group takes the colour whose nearest cloud is the farthest
    away, with the next marker of that colour.
    """
    palette = theme().palette
    taken: list[list[Cloud]] = [[] for _ in palette]
    marks = {}
    for number, cloud in clouds.items():
        far = [
            min((float(np.hypot(cloud.x - other.x, cloud.y - other.y)) for other in others), default=np.inf)
            for others in taken
        ]
        # The first ones take the colours in turn; after that, in equal shares.
        fewest = min(map(len, taken))
        open_ones = [color for color in range(len(palette)) if len(taken[color]) == fewest]
        color = max(open_ones, key=lambda each: far[each])
        marks[number] = (palette[color], MARKERS[len(taken[color]) % len(MARKERS)])
        taken[color].append(cloud)
    return marks


def name_clouds(
    figure: Figure, groups: Groups, clouds: dict[int, Cloud], box: Box, most: int | None = None
) -> set[int]:
    """Write the names of groups onto their clouds where they overlap no other; return those that are there.

    The largest come first. Where most of what lies there is of other groups, a name would be wrong. Where
    there are but a few points, names would hide them, and the legend says it all. box: left, bottom, right
    and top, inches, which names do not leave. `most`: name only so many, all over the map.
    """
    from matplotlib.patheffects import withStroke

    if len(groups.numbers) < _FEW:
        return set()
    width, height = figure.get_size_inches()
    dpi = figure.dpi
    halo = [withStroke(linewidth=3.2, foreground=theme().paper)]
    if most is not None:
        clouds = {number: clouds[number] for number in _spread(clouds, most)}
    size = next(size for most, size in _ON_MAP if len(clouds) <= most)
    taken: list[Box] = []
    there: set[int] = set()
    for number, cloud in clouds.items():
        if cloud.share <= CROWD:
            continue
        name = groups.names[number]
        text = write_line(figure, name, cloud.x, cloud.y, size, "bold", ha="center", path_effects=halo)
        shorten(text, 2.0)
        drawn = text.get_window_extent()
        half_x, half_y = drawn.width / dpi / 2 + 0.05, drawn.height / dpi / 2 + 0.015
        for x, y in _spots(cloud, half_x, half_y):
            at_x = min(max(x, box[0] + half_x), box[2] - half_x)
            at_y = min(max(y, box[1] + half_y), box[3] - half_y)
            own = (at_x - half_x, at_y - half_y, at_x + half_x, at_y + half_y)
            if not any(_overlap(own, other) for other in taken):
                text.set_position((at_x / width, at_y / height))
                taken.append(own)
                there.add(number)
                break
        else:
            text.remove()
    return there


def _spread(clouds: dict[int, Cloud], n: int) -> list[int]:
    """Return groups that lie clearly together and far from one another: all over the map."""
    clear = [number for number, cloud in clouds.items() if cloud.share > _CLEAR]
    chosen: list[int] = []
    while clear and len(chosen) < n:
        far = {
            number: min(
                (
                    np.hypot(clouds[number].x - clouds[other].x, clouds[number].y - clouds[other].y)
                    for other in chosen
                ),
                default=clouds[number].share,
            )
            for number in clear
        }
        chosen.append(max(clear, key=lambda number: far[number]))
        clear.remove(chosen[-1])
    return chosen


def _spots(cloud: Cloud, half_x: float, half_y: float) -> list[tuple[float, float]]:
    """Return where the middle of a name may be, the best place first."""
    x, y, up, side = cloud.x, cloud.y, cloud.radius + half_y, cloud.radius + half_x
    beside = [(x, y + up), (x, y - up), (x + side, y), (x - side, y)]
    beside += [(x + step, y + sign * up) for sign in (1, -1) for step in (half_x / 2, -half_x / 2)]
    return [(x, y), *beside] if cloud.radius > _LARGE else [*beside, (x, y)]


def legend_width(figure: Figure, groups: Groups, n_columns: int) -> float:
    """Return how wide the legend of these groups is, inches."""
    if not n_columns:
        return 0.0
    longest = sorted(groups.names, key=len)[-12:]
    size = _SIZES[n_columns - 1][0]
    names = max(_width_of(figure, name, size) for name in [*longest, groups.none, f"other {groups.kind}s"])
    return n_columns * (_MARKER + min(names, _LONGEST) + _COUNT)


def choose_listed(groups: Groups, on_map: set[int]) -> list[int]:
    """Return the groups of the legend: all, or where they are many, those that are not named on the map."""
    everything = groups.by_size
    return (
        everything if len(everything) <= _IN_LEGEND else [each for each in everything if each not in on_map]
    )


def fits_legend(groups: Groups, on_map: set[int], box: Box, n_columns: int) -> bool:
    """Tell whether the legend needs no more columns than these; two are the most that there are."""
    n_lines = len(choose_listed(groups, on_map)) + bool((groups.numbers < 0).any())
    n_rows = int((box[3] - box[1] - _HEAD) / _SIZES[1][1])
    return n_columns == 2 or n_lines <= n_rows * n_columns


def draw_legend(
    figure: Figure, page: Axes, groups: Groups, marks: Marks, on_map: set[int], box: Box, n_columns: int
) -> None:
    """List groups with their marks and sizes; where they are many, those that are not named on the map.

    page : axes of the figure whose units are inches. box: left, bottom, right, top.
    """
    left, bottom, right, top = box
    listed = choose_listed(groups, on_map)
    lines = [(groups.names[number], groups.size(number), *marks[number]) for number in listed]
    if n_none := groups.size(-1):
        lines.append((groups.none, n_none, theme().noise, "o"))
    if not lines:
        return
    head = f"{groups.kind}s" if len(listed) == len(groups.by_size) else f"other {groups.kind}s"
    room = top - bottom - _HEAD
    fitting = (row for row in _SIZES[n_columns - 1 :] if row[1] * -(-len(lines) // n_columns) <= room)
    size, step = next(fitting, _SIZES[-1])
    n_rows = int(room / step)
    if len(lines) > n_rows * n_columns:
        n_kept = n_rows * n_columns - 1
        n_more, n_left_out = len(lines) - n_kept, sum(line[1] for line in lines[n_kept:])
        lines = [*lines[:n_kept], (f"… and {n_more:,} more", n_left_out, theme().paper, "o")]
    n_rows = -(-len(lines) // n_columns)
    write_line(figure, head, left, top - 0.1, size, "bold")
    column_width = (right - left) / n_columns
    for number, (name, count, color, marker) in enumerate(lines):
        column, row = divmod(number, n_rows)
        x, y = left + column * column_width, top - _HEAD - (row + 0.5) * step
        page.scatter(
            x + 0.08, y, s=(size * 0.72) ** 2, color=color, marker=marker, linewidths=0, clip_on=False
        )
        text = write_line(figure, name, x + _MARKER, y, size, color=theme().ink)
        amount = write_line(figure, f"{count:,}", x + column_width - 0.18, y, size, ha="right")
        shorten(text, column_width - 0.18 - _MARKER - _width(amount) - 0.08)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _width(text: Text) -> float:
    return float(text.get_window_extent().width / text.figure.dpi)


def _width_of(figure: Figure, line: str, size: float) -> float:
    text = write_line(figure, line, 0, 0, size)
    width = _width(text)
    text.remove()
    return width
