"""A forest of KD-trees over lifted rows: how it is made, grows, and loses rows.

Rows are halved at the median of one axis, then each half again, until no leaf holds more than `leaf_size`.
The first tree always takes the axis along which the rows vary most; the others one of the widest, by chance.
The layout is told in ``kdtree``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lookalike.index.parallel import sealed
from lookalike.index.tree import Mask, Numbers
from lookalike.system.progress import UNWATCHED, Watch
from lookalike.types import Vectors

WIDTH = 96  # of a lifted vector: the axes, and the tail
_WIDEST = 5  # axes, that a random tree chooses among


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows in the order of the first tree's leaves; a slot is a place in that order."""

    lifted: Vectors  # (slots, WIDTH)
    order: Numbers  # (slots,)
    live: Mask  # (slots,)
    members: Numbers  # (trees, slots)
    starts: Numbers  # (trees, leaves + 1)
    boxes: Vectors  # (trees, nodes, 2, WIDTH)
    split_axes: Numbers  # (trees, leaves - 1)
    split_values: Vectors  # (trees, leaves - 1)


def grow(
    lifted: Vectors, leaf_size: int, n_trees: int, random: np.random.Generator, watch: Watch = UNWATCHED
) -> Forest:
    """Make trees over lifted rows, the first of them without chance."""
    n = len(lifted)
    n_leaves = 1
    while n > leaf_size * n_leaves:
        n_leaves *= 2
    starts = np.empty((n_trees, n_leaves + 1), np.int64)
    split_axes = np.empty((n_trees, n_leaves - 1), np.int64)
    split_values = np.empty((n_trees, n_leaves - 1), np.float32)
    members = np.empty((n_trees, n), np.int64)
    for tree in range(n_trees):
        members[tree], starts[tree] = _split(
            lifted, split_axes[tree], split_values[tree], random if tree else None, watch
        )
    order = members[0].copy()
    slot_of = np.empty(n, np.int64)
    slot_of[order] = np.arange(n)
    members, lifted = slot_of[members], lifted[order]
    live = np.ones(n, bool)
    boxes = make_boxes(lifted, live, members, starts)
    return Forest(lifted, order, live, members, starts, boxes, split_axes, split_values)


def empty_forest() -> Forest:
    """Return a forest of no rows."""
    return Forest(
        np.empty((0, WIDTH), np.float32), np.empty(0, np.int64), np.empty(0, bool),
        np.empty((1, 0), np.int64), np.zeros((1, 1), np.int64), np.empty((1, 0, 2, WIDTH), np.float32),
        np.empty((1, 0), np.int64), np.empty((1, 0), np.float32),
    )  # fmt: skip


def one_leaf(lifted: Vectors, order: Numbers) -> Forest:
    """Return a tree that is a single leaf, with no bounds to it."""
    parts = (
        lifted, order, np.ones(len(order), bool), np.arange(len(order))[None], np.array([[0, len(order)]]),
        np.zeros((1, 1, 2, WIDTH), np.float32), np.empty((1, 0), np.int64), np.empty((1, 0), np.float32),
    )  # fmt: skip
    return Forest(*(sealed(np.asarray(part)) for part in parts))


def _split(
    lifted: Vectors,
    split_axes: Numbers,
    split_values: Vectors,
    random: np.random.Generator | None,
    watch: Watch,
) -> tuple[Numbers, Numbers]:
    """Halve the rows until there are as many parts as leaves; return their order, and where each begins."""
    order = np.arange(len(lifted))
    edges = np.array([0, len(lifted)])
    node = 0
    while node < len(split_axes):
        middles = (edges[:-1] + edges[1:] + 1) // 2
        for start, middle, end in watch.each(zip(edges[:-1], middles, edges[1:], strict=True)):
            rows = order[start:end]
            coordinates = lifted[rows]
            axis = _choose_axis(coordinates, random)
            along = coordinates[:, axis]
            by_coordinate = np.argsort(along, kind="stable")
            order[start:end] = rows[by_coordinate]
            split_axes[node] = axis  # OUT
            split_values[node] = _between(along[by_coordinate], middle - start)  # OUT
            node += 1
        edges = np.insert(edges, np.arange(1, len(edges)), middles)
    return order, edges


def _choose_axis(coordinates: Vectors, random: np.random.Generator | None) -> int:
    """Return the axis of the largest variance, or one by chance of those with the largest."""
    if not len(coordinates):
        return 0
    variances = coordinates.var(axis=0)
    if random is None:
        return int(variances.argmax())
    return int(random.choice(np.argsort(-variances, kind="stable")[:_WIDEST]))


def _between(rising: Vectors, n_lower: int) -> np.float32:
    """Return a value between the lower and the upper ones, which a query goes by: upper if it is larger."""
    if not len(rising):
        return np.float32(0)
    if n_lower == len(rising):
        return np.float32(rising[-1])
    value = np.float32((np.float64(rising[n_lower - 1]) + np.float64(rising[n_lower])) / 2)
    return value if value < rising[n_lower] else np.float32(rising[n_lower - 1])


def make_boxes(lifted: Vectors, live: Mask, members: Numbers, starts: Numbers) -> Vectors:
    """Return the box of the live rows below each node; that of none is infinitely far from all."""
    n_trees, n_leaves = len(starts), starts.shape[1] - 1
    boxes = np.empty((n_trees, 2 * n_leaves - 1, 2, WIDTH), np.float32)
    boxes[:, :, 0], boxes[:, :, 1] = np.inf, -np.inf
    for tree in range(n_trees):
        slots = members[tree]
        leaves = np.repeat(np.arange(n_leaves), np.diff(starts[tree]))[live[slots]]
        slots = slots[live[slots]]
        present, first = np.unique(leaves, return_index=True)
        nodes = present + n_leaves - 1
        coordinates = lifted[slots]
        boxes[tree, nodes, 0] = np.minimum.reduceat(coordinates, first)
        boxes[tree, nodes, 1] = np.maximum.reduceat(coordinates, first)
        for node in range(n_leaves - 2, -1, -1):
            halves = boxes[tree, 2 * node + 1 : 2 * node + 3]
            boxes[tree, node, 0] = halves[:, 0].min(axis=0)
            boxes[tree, node, 1] = halves[:, 1].max(axis=0)
    return boxes


def _fall(lifted: Vectors, split_axes: Numbers, split_values: Vectors) -> Numbers:
    """Return the leaf of each lifted row, by the splits."""
    nodes = np.zeros(len(lifted), np.int64)
    n_inner = len(split_axes)
    while n_inner and nodes[0] < n_inner:  # all leaves lie equally deep
        above = lifted[np.arange(len(lifted)), split_axes[nodes]] > split_values[nodes]
        nodes = 2 * nodes + 1 + above
    return nodes - n_inner


def insert(forest: Forest, lifted: Vectors, numbers: Numbers) -> Forest:
    """Put rows, with their numbers, at the end of the leaves they fall into; boxes grow to hold them."""
    n_trees, n_leaves = len(forest.starts), forest.starts.shape[1] - 1
    leaves = np.stack(
        [_fall(lifted, *splits) for splits in zip(forest.split_axes, forest.split_values, strict=True)]
    )
    by_leaf = np.argsort(leaves[0], kind="stable")
    lifted, numbers, leaves = lifted[by_leaf], numbers[by_leaf], leaves[:, by_leaf]
    places = forest.starts[0, leaves[0] + 1]
    old_slots = np.arange(len(forest.order))
    old_slots += np.searchsorted(places, old_slots, side="right")
    new_slots = places + np.arange(len(places))
    members = np.empty((n_trees, len(old_slots) + len(new_slots)), np.int64)
    starts, boxes = forest.starts.copy(), forest.boxes.copy()
    for tree in range(n_trees):
        sorted_by = np.argsort(leaves[tree], kind="stable")
        at = forest.starts[tree, leaves[tree, sorted_by] + 1]
        members[tree] = np.insert(old_slots[forest.members[tree]], at, new_slots[sorted_by])
        starts[tree, 1:] += np.cumsum(np.bincount(leaves[tree], minlength=n_leaves))
        nodes = leaves[tree] + n_leaves - 1
        while True:
            np.minimum.at(boxes[tree, :, 0], nodes, lifted)
            np.maximum.at(boxes[tree, :, 1], nodes, lifted)
            if nodes[0] == 0:
                break
            nodes = (nodes - 1) // 2
    return Forest(
        np.insert(forest.lifted, places, lifted, axis=0),
        np.insert(forest.order, places, numbers),
        np.insert(forest.live, places, True),
        members,
        starts,
        boxes,
        forest.split_axes,
        forest.split_values,
    )


def drop(forest: Forest, alive: Mask) -> Forest:
    """Return the trees without the rows that are gone; (rows,) bool says which stay."""
    kept = alive[forest.order]
    new_slot, new_row = np.cumsum(kept) - 1, np.cumsum(alive) - 1
    members = [new_slot[slots[kept[slots]]] for slots in forest.members]
    before = [np.concatenate([[0], np.cumsum(kept[slots])]) for slots in forest.members]
    return replace(
        forest,
        lifted=forest.lifted[kept],
        order=new_row[forest.order[kept]],
        live=np.ones(int(kept.sum()), bool),
        members=np.stack(members),
        starts=np.stack([counts[starts] for counts, starts in zip(before, forest.starts, strict=True)]),
    )
