"""The minimum spanning tree of all rows, found from a neighbour graph and as few further looks as it takes.

The weight of an edge is the mutual reachability distance: the largest of the two rows' distance and their
core distances. Without core distances it is the distance.

Borůvka's algorithm: every component takes the lightest edge that leads out of it, all at once, until there
is one. The lightest edge among those of the graph is the lightest of all if no row of the component could
have a lighter one that the graph lacks; a row's edges that it lacks are longer than those that it has.
Where that does not settle it, the rows in question are compared with all rows outside. The largest component
takes nothing: the others come to it, and of them few rows are ever in question. So the tree is that of the
complete graph, not only that of the neighbours.

Of equal edges, one tree is as right as another; here it depends on nothing but the rows.

References
----------
O. Borůvka, "O jistém problému minimálním", 1926.
R. Campello, D. Moulavi, J. Sander, "Density-Based Clustering Based on Hierarchical Density Estimates", 2013,
section 3: the tree that the hierarchy comes from.
W. March, P. Ram, A. Gray, "Fast Euclidean Minimum Spanning Tree", 2010: bounds instead of distances.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.index.graph import Lifted
from lookalike.system.progress import UNWATCHED, Progress, Watch
from lookalike.types import Ids, Metric, Vectors

_TILE = (256, 8_192)  # rows in question against others, at once


class Edges(NamedTuple):
    """Edges between rows: ends a and b, (m,) int64, and weights, (m,) float32."""

    a: Ids
    b: Ids
    weights: npt.NDArray[np.float32]


def spanning_tree(
    rows: Vectors,
    graph: Any,
    metric: Metric,
    cores: npt.NDArray[np.float32] | None = None,
    is_joined: bool = False,
    watch: Watch = UNWATCHED,
) -> Edges:
    """Return the edges of a minimum spanning tree of all rows, by weight.

    Parameters
    ----------
    rows : (n, d) float32
        Checked; n from 1.
    graph : (n, n) scipy.sparse.csr_array
        Each row's nearest others; see `neighbor_graph`.
    metric : {"euclidean", "cosine"}
    cores : (n,) float32, optional
        Core distances; each row must have those others in the graph that are nearer.
    is_joined : bool
        Only the edges that join the components of the graph.
    watch : Watch
    """
    from lookalike.index import graph_kernels

    n = len(rows)
    a = np.repeat(np.arange(n), np.diff(graph.indptr))
    b = graph.indices.astype(np.int64)
    weights = graph.data.astype(np.float32)
    # What a row lacks is at least as far as the farthest that it has.
    bounds = np.zeros(n, np.float32)
    np.maximum.at(bounds, a, weights)
    bounds[np.diff(graph.indptr) >= n - 1] = np.inf
    if cores is None:
        cores = np.zeros(n, np.float32)
    else:
        weights = np.maximum(weights, np.maximum(cores[a], cores[b]))
    order = np.lexsort((b, a, weights))
    a, b, weights = a[order], b[order], weights[order]
    parents, component = np.arange(n), np.empty(n, np.int64)
    if is_joined:
        graph_kernels.unite(parents, a, b, np.empty(len(a), np.bool_))
    lifted: Lifted | None = None
    taken = Edges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    while (n_components := graph_kernels.number_components(parents, component)) > 1:
        watch(Progress("joining", n - n_components, n - 1, "joining what is near"))
        leads_out = component[a] != component[b]
        a, b, weights = a[leads_out], b[leads_out], weights[leads_out]
        first = np.full(n_components, len(a))
        for end in (a, b):  # edges are in order: the last one written is the lightest
            here = np.full(n_components, len(a))
            here[component[end[::-1]]] = np.arange(len(a))[::-1]
            first = np.minimum(first, here)
        has_any = first < len(a)
        best = Edges(
            np.zeros(n_components, np.int64),
            np.zeros(n_components, np.int64),
            np.full(n_components, np.inf, np.float32),
        )
        best.a[has_any], best.b[has_any] = a[first[has_any]], b[first[has_any]]
        best.weights[has_any] = weights[first[has_any]]
        largest = int(np.bincount(component).argmax())
        in_question = (bounds < best.weights[component]) & (component != largest)
        points = np.flatnonzero(in_question)
        if len(points):
            lifted = lifted or Lifted.of(rows, metric)
            reach = cores, bounds
            _look_outside(rows, lifted, points, component, reach, best, watch)
            bounds[points] = np.maximum(bounds[points], best.weights[component[points]])
        chosen = np.flatnonzero(np.arange(n_components) != largest)
        chosen = chosen[np.lexsort((best.b[chosen], best.a[chosen], best.weights[chosen]))]
        is_new = np.empty(len(chosen), np.bool_)
        graph_kernels.unite(parents, best.a[chosen], best.b[chosen], is_new)
        new = chosen[is_new]
        taken = Edges(
            np.concatenate([taken.a, best.a[new]]),
            np.concatenate([taken.b, best.b[new]]),
            np.concatenate([taken.weights, best.weights[new]]),
        )
    order = np.lexsort((taken.b, taken.a, taken.weights))
    return Edges(taken.a[order], taken.b[order], taken.weights[order])


def _look_outside(
    rows: Vectors,
    lifted: Lifted,
    points: Ids,
    component: Ids,
    reach: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
    best: Edges,
    watch: Watch,
) -> None:
    """Compare rows in question with all outside of their components; write what is lighter to `best`.

    `reach` is the core distances and the bounds, (n,) each.
    """
    from lookalike.index import graph_kernels

    cores, bounds = reach
    # Those of one component together, those with the shortest bounds first: they have the lightest edges.
    points = points[np.lexsort((points, bounds[points], component[points]))]
    heaviest = best.weights[component[points]].max()
    columns = np.flatnonzero(cores < heaviest)  # no edge is lighter than its ends' core distances
    height, width = _TILE
    for start in range(0, len(points), height):
        block = points[start : start + height]
        block = block[bounds[block] < best.weights[component[block]]]
        if not len(block):
            continue
        for begin in watch.each(range(0, len(columns), width)):
            part = columns[begin : begin + width]
            graph_kernels.nearest_outside(
                lifted.against(block, part), block, part, component, cores, lifted.scale, lifted.slack,
                rows, lifted.lengths, best.weights, best.a, best.b,
            )  # fmt: skip


def joined(rows: Vectors, graph: Any, metric: Metric, weight: float = 1.0, watch: Watch = UNWATCHED) -> Any:
    """Return who is linked with whom in a neighbour graph, in one component.

    Returns
    -------
    (n, n) scipy.sparse.csr_array of float64
        Symmetric: 1 where two rows name each other, 1/2 where one names the other, `weight` where they join
        components.
    """
    from scipy.sparse import coo_array

    n = len(rows)
    a, b = np.repeat(np.arange(n), np.diff(graph.indptr)), graph.indices
    bridges = spanning_tree(rows, graph, metric, is_joined=True, watch=watch)
    named = np.concatenate([a, bridges.a, bridges.b]), np.concatenate([b, bridges.b, bridges.a])
    weights = np.where(np.arange(len(named[0])) < len(a), 1.0, weight)
    links = coo_array((weights, named), shape=(n, n)).tocsr()
    return (links + links.T) * 0.5
