"""Draw the figures of docs/: how each search index divides the plane.

    python scripts/draw_indexes.py

The pictures are sketches of the ideas on some 200 points in two dimensions, with few large leaves and cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lookalike import lloyd
from lookalike.plots import save_figure
from lookalike.plots.style import LIGHT as THEME

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURES = Path(__file__).parents[1] / "docs/pictures"
LIGHT = "#cfe3f1"
LINE = "#9a9a9a"
K = 5

Points = npt.NDArray[np.float64]


def main() -> None:
    points, query = make_points()
    for name, draw in DRAWINGS.items():
        figure = Figure(figsize=(8, 4.2), dpi=130, facecolor="white")
        left, right = figure.subplots(1, 2)
        for axes in (left, right):
            axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
            for spine in axes.spines.values():
                spine.set_edgecolor(LINE)
        draw(left, right, points, query)
        figure.subplots_adjust(0.01, 0.09, 0.99, 0.99, wspace=0.04)
        save_figure(figure, PICTURES / f"{name}.png")
        print(f"saved {PICTURES / name}.png")


def make_points() -> tuple[Points, Points]:
    random = np.random.default_rng(4)
    side = np.array([0.2, 0.5, 0.8])
    centres = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2) + random.uniform(-0.06, 0.06, (9, 2))
    points = np.concatenate([random.normal(centre, 0.075, (25, 2)) for centre in centres])
    inside = ((points > 0.02) & (points < 0.98)).all(axis=1)
    return points[inside], np.array([0.36, 0.61])


def draw_exact(left: Axes, right: Axes, points: Points, query: Points) -> None:
    near = nearest(points, query, K)
    left.add_collection(lines([(query, point) for point in points], LINE, 0.4))
    scatter(left, points, query, "every distance is measured …")
    right.add_collection(lines([(query, points[row]) for row in near], THEME.mark, 1.2))
    scatter(right, points, query, f"… and the {K} smallest are kept", near)


def draw_kd_tree(left: Axes, right: Axes, points: Points, query: Points) -> None:
    leaves = split_at_medians(np.arange(len(points)), points, (0.0, 0.0, 1.0, 1.0), "")
    reach = np.sort(np.linalg.norm(points - query, axis=1))[K - 1]
    away = [distance_to_box(query, box) for _, box, _ in leaves]
    for (_, box, code), distance in zip(leaves, away, strict=True):
        for axes, is_visited in ((left, distance == 0), (right, distance <= reach)):
            axes.add_patch(rectangle(box, LIGHT if is_visited else "white"))
        left.text(
            (box[0] + box[2]) / 2, box[3] - 0.035, code, size=7, ha="center", color=THEME.muted, zorder=5
        )
    own = next(rows for (rows, _, _), distance in zip(leaves, away, strict=True) if distance == 0)
    scatter(left, points, query, "one leaf, by its code", own[nearest(points[own], query, K)])
    right.add_patch(circle(query, reach))
    scatter(right, points, query, "exact: all boxes within reach", nearest(points, query, K))


def draw_kmeans_tree(left: Axes, right: Axes, points: Points, query: Points) -> None:
    centroids = cells_of(points, 16)
    order = nearest(centroids, query, 16)
    for axes, n_cells in ((left, 1), (right, 4)):
        shade_cells(axes, centroids, order[:n_cells])
        axes.scatter(*centroids.T, marker="+", s=40, color=THEME.ink, lw=1, zorder=4)
        visited = np.flatnonzero(np.isin(assign(points, centroids), order[:n_cells]))
        label = "1 cell visited" if n_cells == 1 else f"{n_cells} cells visited, nearest first"
        scatter(axes, points, query, label, visited[nearest(points[visited], query, K)])


def draw_annoy(left: Axes, right: Axes, points: Points, query: Points) -> None:
    union: set[int] = set()
    for number, axes in enumerate((left, right)):
        random = np.random.default_rng(number + 1)
        borders: list[Any] = []
        square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
        leaf, area = split_at_random(np.arange(len(points)), points, query, square, borders, random)
        axes.fill(*area.T, color=LIGHT, zorder=0)
        axes.add_collection(lines(borders, LINE, 0.8))
        union |= set(leaf.tolist())
        found = np.array(sorted(union))
        label = "a tree of random splits" if number == 0 else "another one; what either finds, counts"
        scatter(axes, points, query, label, found[nearest(points[found], query, K)])


def draw_hnsw(left: Axes, right: Axes, points: Points, query: Points) -> None:
    random = np.random.default_rng(0)
    few = np.sort(random.choice(len(points), 24, replace=False))
    start = int(np.argmax(np.linalg.norm(points[few] - query, axis=1)))
    path = walk(points[few], query, start)
    left.add_collection(lines(graph(points[few], 3), LINE, 0.8))
    left.add_collection(lines([(points[few][a], points[few][b]) for a, b in path], THEME.mark, 2))
    left.scatter(*points[few].T, s=14, color=THEME.ink, zorder=3)
    last = int(few[path[-1][1] if path else start])
    scatter(left, points, query, "upper level: few points, long steps", faint=True)
    right.add_collection(lines(graph(points, 4), LINE, 0.6))
    steps = walk(points, query, last)
    right.add_collection(lines([(points[a], points[b]) for a, b in steps], THEME.mark, 2))
    scatter(right, points, query, "lowest level: all points, short steps", nearest(points, query, K))


def draw_ivf_rq(left: Axes, right: Axes, points: Points, query: Points) -> None:
    centroids = cells_of(points, 8)
    order = nearest(centroids, query, 8)[:2]
    for axes in (left, right):
        shade_cells(axes, centroids, order)
    labels = assign(points, centroids)
    visited = np.flatnonzero(np.isin(labels, order))
    signs = np.where(points > centroids[labels], "1", "0")
    for row in visited:
        left.text(
            *points[row], "".join(signs[row]), size=6, ha="center", va="center", color=THEME.ink, zorder=5
        )
    others = np.setdiff1d(np.arange(len(points)), visited)
    left.scatter(*points[others].T, s=6, color=LINE)
    left.scatter(*centroids.T, marker="+", s=40, color=THEME.ink, lw=1, zorder=4)
    mark(left, query, "bits in place of numbers, by cell")
    scatter(
        right,
        points,
        query,
        "the best by their bits, measured again",
        visited[nearest(points[visited], query, K)],
    )


DRAWINGS = {
    "exact": draw_exact,
    "kd-tree": draw_kd_tree,
    "k-means-tree": draw_kmeans_tree,
    "annoy": draw_annoy,
    "hnsw": draw_hnsw,
    "ivf-rq": draw_ivf_rq,
}


def scatter(
    axes: Axes, points: Points, query: Points, label: str, found: Any = (), faint: bool = False
) -> None:
    axes.scatter(*points.T, s=7, color=LINE if faint else THEME.muted, zorder=2)
    if len(found):
        axes.scatter(*points[found].T, s=42, facecolor="none", edgecolor=THEME.mark, lw=1.5, zorder=4)
    mark(axes, query, label)


def mark(axes: Axes, query: Points, label: str) -> None:
    axes.scatter(*query, marker="*", s=130, color=THEME.accent, edgecolor="white", lw=0.6, zorder=6)
    axes.set_xlabel(label, color=THEME.ink, size=10, labelpad=6)


def nearest(points: Points, query: Points, k: int) -> npt.NDArray[np.intp]:
    return np.argsort(np.linalg.norm(points - query, axis=1), kind="stable")[:k]


def lines(segments: Any, color: str, width: float) -> LineCollection:
    return LineCollection(segments, colors=color, linewidths=width, zorder=1)


def rectangle(box: tuple[float, float, float, float], color: str) -> Rectangle:
    return Rectangle(
        box[:2], box[2] - box[0], box[3] - box[1], facecolor=color, edgecolor=LINE, lw=0.8, zorder=0
    )


def circle(query: Points, radius: float) -> Any:
    from matplotlib.patches import Circle

    return Circle(tuple(query), radius, facecolor="none", edgecolor=THEME.accent, lw=1.2, ls="--", zorder=3)


def split_at_medians(rows: Any, points: Points, box: Any, code: str) -> list[tuple[Any, Any, str]]:
    """Return the leaves of a KD-tree: rows, box, code."""
    if len(code) == 4:
        return [(rows, box, code)]
    axis = int(np.argmax(np.ptp(points[rows], axis=0)))
    value = float(np.median(points[rows, axis]))
    lower, upper = list(box), list(box)
    lower[2 + axis] = upper[axis] = value
    below = points[rows, axis] <= value
    return [
        *split_at_medians(rows[below], points, tuple(lower), code + "0"),
        *split_at_medians(rows[~below], points, tuple(upper), code + "1"),
    ]


def distance_to_box(query: Points, box: tuple[float, float, float, float]) -> float:
    return float(
        np.linalg.norm(np.maximum(0, np.maximum(np.array(box[:2]) - query, query - np.array(box[2:]))))
    )


def cells_of(points: Points, n_cells: int) -> Points:
    centroids = points[np.random.default_rng(0).choice(len(points), n_cells, replace=False)]
    for _ in range(10):
        labels = assign(points, centroids)
        centroids = np.array([points[labels == cell].mean(axis=0) for cell in range(n_cells)])
    return centroids


def assign(points: Points, centroids: Points) -> npt.NDArray[np.int64]:
    return lloyd.assign(points.astype(np.float32), centroids.astype(np.float32))


def shade_cells(axes: Axes, centroids: Points, visited: Any) -> None:
    """Draw the borders of Voronoi cells, and shade those that are visited."""
    side = np.linspace(0, 1, 500)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    labels = assign(grid, centroids).reshape(500, 500)
    axes.contourf(side, side, np.isin(labels, visited), [0.5, 1.5], colors=[LIGHT], zorder=0)
    for cell in range(len(centroids)):
        axes.contour(side, side, labels == cell, [0.5], colors=[LINE], linewidths=0.8, zorder=1)


def split_at_random(
    rows: Any, points: Points, query: Points, area: Points, borders: list[Any], random: Any
) -> tuple[Any, Points]:
    """Return the query's leaf, and its area, halving along the bisectors of random pairs."""
    if len(rows) <= 25:
        return rows, area
    one, other = points[random.choice(rows, 2, replace=False)]
    middle, normal = (one + other) / 2, other - one
    beyond = (points[rows] - middle) @ normal > 0
    is_beyond = (query - middle) @ normal > 0
    parts = [clip(area, middle, -normal), clip(area, middle, normal)]
    on_border = [corner for corner in parts[0] if abs((corner - middle) @ normal) < 1e-9]
    if len(on_border) == 2:
        borders.append(on_border)
    return split_at_random(rows[beyond == is_beyond], points, query, parts[int(is_beyond)], borders, random)


def clip(area: Points, middle: Points, normal: Points) -> Points:
    """Cut a convex polygon along a line, keeping what lies where the normal points."""
    sides = (area - middle) @ normal
    corners = []
    for corner, following, side, next_side in zip(
        area, np.roll(area, -1, axis=0), sides, np.roll(sides, -1), strict=True
    ):
        if side >= 0:
            corners.append(corner)
        if side * next_side < 0:
            corners.append(corner + (following - corner) * side / (side - next_side))
    return np.array(corners)


def graph(points: Points, k: int) -> list[tuple[Points, Points]]:
    return [(points[row], points[near]) for row in range(len(points)) for near in neighbors(points, row, k)]


def neighbors(points: Points, row: int, k: int) -> list[int]:
    return nearest(points, points[row], k + 1)[1:].tolist()


def walk(points: Points, query: Points, start: int) -> list[tuple[int, int]]:
    """Return the steps of a greedy walk to the query along a graph's edges, in either direction."""
    edges: dict[int, set[int]] = {row: set() for row in range(len(points))}
    for row in range(len(points)):
        for near in neighbors(points, row, 4):
            edges[row].add(near)
            edges[near].add(row)
    away = np.linalg.norm(points - query, axis=1)
    steps = []
    while away[best := min(edges[start], key=lambda row: away[row])] < away[start]:
        steps.append((start, best))
        start = best
    return steps


if __name__ == "__main__":
    main()
