"""Curves: recall against speed, and what tells how many clusters there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidInputError
from lookalike.plots.style import (
    MARKERS,
    drawable,
    fonts,
    new_figure,
    quieten_axes,
    shorten,
    theme,
    title_axes,
    write_title,
)
from lookalike.system.checked_calls import checked, checked_fields, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 8  # inches
_FINDS_ALL = 0.999  # recalls from which they are all one
_RECALLS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999)  # where there may be a tick


@checked_fields
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

    def __post_init__(self) -> None:
        if len(self.recalls) != len(self.rates):
            raise InvalidInputError(
                f"there are {len(self.recalls)} recalls and {len(self.rates)} rates; expected as many"
            )
        if not all(0 <= recall <= 1 for recall in self.recalls):
            raise InvalidInputError("recalls has what is no share; expected 0 to 1", field="recalls")
        if not all(0 < rate < np.inf for rate in self.rates):
            raise InvalidInputError("rates has what is no rate; expected numbers above 0", field="rates")


@checked
def recall_throughput(curves: Sequence[Curve], title: str = "", k: int = 10) -> Figure:
    """Draw queries a second over recall, a line an index. Towards a recall of 1 the axis opens up.

    Of an index's points, those are joined that no other of its own beats in recall and speed. A recall of 1
    stands apart, at the right end. Where all recalls are 1, or nearly, speed is drawn alone: as bars, the
    fastest on top.

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
    from matplotlib.ticker import LogLocator

    if not any(len(curve.recalls) for curve in curves):
        raise InvalidInputError("there are no curves to draw; expected at least one, with a point")
    curves = [curve for curve in curves if len(curve.recalls)]
    least = min(recall for curve in curves for recall in curve.recalls)
    if least >= _FINDS_ALL:
        found = "all" if least == 1 else f"{_FINDS_ALL:.1%} or more"
        return _speed_bars(curves, title, f"each finds {found} of the {k} nearest")
    figure = new_figure(_WIDTH, 5)
    axes = figure.add_axes((0.11, 0.12, 0.68, 0.72))
    recalls = [recall for curve in curves for recall in curve.recalls]
    ticks, end = _recall_ticks(recalls)

    def place(recall: float) -> float:
        return end if recall >= 1 else -np.log10(1 - recall)

    ends = []
    for number, curve in enumerate(curves):
        color, marker = _line(number)
        points = _front(curve)
        x, y = [place(recall) for recall, _ in points], [rate for _, rate in points]
        style: dict[str, Any] = {
            "color": color,
            "marker": marker,
            "markersize": 8,
            "markeredgecolor": theme().paper,
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
    ticks_of_rates = LogLocator(subs=(1.0, 3.0) if high / low < 3_000 else (1.0,)).tick_values(low, high)
    lowest = low * (high / low) ** 0.03  # clear of the labels below
    shown = [rate for rate in ticks_of_rates if lowest <= rate <= high]
    axes.set_yticks(shown, [f"{rate:,.0f}" if rate >= 1 else f"{rate:g}" for rate in shown])
    axes.minorticks_off()
    quieten_axes(axes)
    axes.tick_params(labelsize=10)
    axes.set_xlabel(f"recall@{k}", color=theme().ink, fontsize=11)
    figure.text(0.03, 0.87, "queries per second, one at a time on one thread", color=theme().ink, fontsize=11)
    if title:
        write_title(figure, title, 0.03 * _WIDTH, 4.74)
    _label_ends(axes, [curve.name for curve in curves], ends)
    return figure


def _speed_bars(curves: Sequence[Curve], title: str, words: str) -> Figure:
    """Draw the speed of indexes that all find about everything, which `words` say."""
    fastest = sorted(((max(curve.rates), number) for number, curve in enumerate(curves)), reverse=True)
    height = 1.25 + 0.36 * len(curves)
    figure = new_figure(_WIDTH, height)
    axes = figure.add_axes((0.2, 0.15 / height, 0.7, 0.36 * len(curves) / height))
    for place, (rate, number) in enumerate(fastest):
        axes.barh(-place, rate, height=0.62, color=_line(number)[0], zorder=3)
        told = f"{rate:,.0f}" if rate >= 1 else f"{rate:.2g}"
        axes.text(rate, -place, f" {told}", va="center", color=theme().ink, fontsize=10)
        text = axes.text(
            -0.02, -place, drawable(curves[number].name), transform=axes.get_yaxis_transform(), ha="right",
            va="center", family=fonts(), parse_math=False, color=theme().ink, fontsize=11,
        )  # fmt: skip
        shorten(text, 0.18 * _WIDTH)
    axes.set_ylim(0.5 - len(curves), 0.5)
    axes.set_xlim(0, 1.12 * fastest[0][0])
    axes.set_axis_off()
    said = f"{words}; queries per second, one at a time on one thread"
    figure.text(0.03, 1 - 0.72 / height, said, color=theme().ink, fontsize=11)
    if title:
        write_title(figure, title, 0.03 * _WIDTH, height - 0.3)
    return figure


@checked
def k_curves(
    ks: Sequence[int],
    inertias: Sequence[float],
    silhouettes: Sequence[float],
    suggested: int,
    reason: str = "largest silhouette",
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
    reason : str
        What speaks for it, for the title.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.ticker import FixedLocator, NullLocator

    if suggested not in ks or not len(ks) == len(inertias) == len(silhouettes):
        raise InvalidInputError(
            f"cannot draw {len(ks)} numbers of clusters with {len(inertias)} inertias, {len(silhouettes)}"
            f" silhouettes and {suggested} suggested; expected as many of each, and one of the numbers"
        )
    figure = new_figure(6.4, 5.2, constrained=True)
    upper, lower = figure.subplots(2, 1, sharex=True)
    at = list(ks).index(suggested)
    for axes, values, name in (
        (upper, inertias, "distortion\n(sum of squared distances)"),
        (lower, silhouettes, "silhouette\n(1 well apart, 0 on the border)"),
    ):
        axes.axvline(suggested, color=theme().muted, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot(ks, values, color=theme().accent, linewidth=1.8, marker="o", markersize=5)
        axes.plot(suggested, values[at], color=theme().accent, marker="o", markersize=11, fillstyle="none")
        axes.set_ylabel(name, color=theme().ink)
        quieten_axes(axes)
        axes.grid(axis="x", visible=False)
        axes.tick_params(labelsize=9)
    upper.set_ylim(0, 1.08 * max(inertias) or 1.0)
    title_axes(upper, f"{suggested} clusters: {reason}")
    lower.set_xlabel("clusters", color=theme().ink)
    lower.set_xscale("log")
    # Where numbers stand close, every other one keeps its name.
    named = [k for number, k in enumerate(ks) if len(ks) <= 12 or number % 2 == 0 or k == suggested]
    lower.xaxis.set_major_locator(FixedLocator(named))
    lower.xaxis.set_minor_locator(NullLocator())
    lower.xaxis.set_major_formatter("{x:.0f}")
    return figure


@checked
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
    if distances.ndim != 1:
        raise InvalidInputError(f"the distances are of shape {distances.shape}; expected (n,)")
    if not len(distances):
        raise InvalidInputError("there are no distances to draw; expected at least one")
    if not -np.inf < eps < np.inf:
        raise InvalidInputError(f"eps is {shown(eps)}; expected a finite number", field="eps")
    figure = new_figure(7, 4.2, constrained=True)
    axes = figure.add_subplot()
    n = len(distances)
    share = np.arange(1, n + 1) / n * 100
    n_core = int(np.searchsorted(distances, eps, side="right"))
    axes.plot(share, distances, color=theme().accent, linewidth=2)
    axes.fill_between(share[:n_core], distances[:n_core], color=theme().accent, alpha=0.15, linewidth=0)
    axes.axhline(eps, color=theme().mark, linewidth=1.5, linestyle="--")
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
        color=theme().ink,
        fontsize=10,
    )
    axes.set_xlabel("share of images, densest first (%)", color=theme().ink)
    axes.set_ylabel(f"{unit} to the {_ordinal(min_samples)} nearest,\nitself counted", color=theme().ink)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, max(float(distances[-1]), eps) * 1.08)
    quieten_axes(axes)
    if title:
        title_axes(axes, title)
    return figure


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


def _line(number: int) -> tuple[str, str]:
    """Return the colour and the marker of a line."""
    palette = theme().palette
    return palette[number % len(palette)], MARKERS[number % len(MARKERS)]


def _label_ends(axes: Axes, names: Sequence[str], ends: Sequence[tuple[float, float]]) -> None:
    """Write the names of lines beside the axes, as near as they may come to the ends of the lines."""
    line = 0.055  # of the height of the axes
    order = sorted(range(len(ends)), key=lambda number: ends[number][1])
    heights = [
        float(axes.transAxes.inverted().transform(axes.transData.transform(ends[i]))[1]) for i in order
    ]
    for i in range(1, len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + line)
    for i in range(len(heights)):
        heights[i] = min(heights[i], 1 - (len(heights) - 1 - i) * line)
    for height, number in zip(heights, order, strict=True):
        color, marker = _line(number)
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
            1.035, height, color=color, marker=marker, markersize=8, markeredgecolor=theme().paper,
            transform=axes.transAxes, clip_on=False,
        )  # fmt: skip
        text = axes.text(
            1.06,
            height,
            drawable(names[number]),
            transform=axes.transAxes,
            va="center_baseline",
            family=fonts(),
            parse_math=False,
            color=theme().ink,
            fontsize=11,
        )
        shorten(text, 0.16 * _WIDTH)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
