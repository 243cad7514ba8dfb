"""Hierarchical k-means: clusters within clusters, down to the cells of the search tree.

Idea
----
The bottom is made by k-means: some 8 · √n cells, those that `KMeansTree` searches in if it is there already.
Above them, the two clusters are merged whose merging adds least to the distortion (Ward's criterion), until
one is left. So one tree gives the clusters for every number of them, each cut lying within the next, and the
distortion of every cut.

What merging the clusters i and j adds is nᵢnⱼ / (nᵢ + nⱼ) · |cᵢ - cⱼ|², n being sizes and c centres. All such
costs are held as a matrix, that of a merged cluster following from those of its parts (Lance and Williams).
Two clusters that are each other's nearest can be merged at once, whatever others there are; following nearest
neighbours from any cluster leads to such a pair (Murtagh's chain). Sorted by cost afterwards, the merges are
those of the greedy order.

Layout
------
    nodes 0 to m - 1: the cells · node m + i: merge i, of the nodes children_[i], by rising cost

Cost: k-means for m cells, and m² for the tree: a second for 60,000 rows.

References
----------
J. H. Ward, "Hierarchical Grouping to Optimize an Objective Function", 1963.
G. N. Lance and W. T. Williams, "A General Theory of Classificatory Sorting Strategies", 1967.
F. Murtagh, "A Survey of Recent Advances in Hierarchical Clustering Algorithms", 1983.
D. Nistér and H. Stewénius, "Scalable Recognition with a Vocabulary Tree", 2006.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from lookalike.as_numbers import as_whole_numbers
from lookalike.cluster.kmeans import KMeans, assign
from lookalike.cluster.merging import merge
from lookalike.cluster.pruned_lloyd import Doubles, Labels
from lookalike.cluster.scaling import check_rows, find_scaling
from lookalike.errors import InvalidInputError
from lookalike.system.chance import RANDOM_STATE
from lookalike.system.checked_calls import checked, shown
from lookalike.system.memory import rows_at_once
from lookalike.system.progress import CancelToken, ProgressReport, Watch
from lookalike.system.watching import watching
from lookalike.types import Ids

_CELLS_PER_ROOT = 8  # cells = 8 · √n
_ROWS_PER_CELL = 4  # at least
_MOST_CELLS = 4_096  # by default: their matrix takes 128 MB
_CELL_ROUNDS = 10
_MOST = 2**63  # of what is counted
_BLOCK_ROWS = 8_192


@checked
@dataclass(frozen=True, slots=True)
class Node:
    """One cluster of the tree, to walk from.

    Attributes
    ----------
    number : int
    size : int
        How many rows it holds.
    center : (d,) float64
        Their mean.
    inertia : float
        Their sum of squared distances to it.
    """

    number: int
    size: int
    center: Doubles
    inertia: float
    _tree: HierarchicalKMeans

    @property
    def centre(self) -> Doubles:
        """What `center` was called before."""
        warnings.warn("Node.centre is called Node.center now", DeprecationWarning, stacklevel=2)
        return self.center

    @property
    def children(self) -> tuple[Node, ...]:
        """The two clusters that it was merged from, the larger first; none for a cell."""
        merge = self.number - self._tree.n_cells_
        if merge < 0:
            return ()
        parts = [self._tree.node(int(number)) for number in self._tree.children_[merge]]
        return tuple(sorted(parts, key=lambda node: (-node.size, node.number)))

    @property
    def cells(self) -> list[int]:
        """The numbers of the cells below it."""
        n_cells, found, ahead = self._tree.n_cells_, [], [self.number]
        while ahead:
            number = ahead.pop()
            if number < n_cells:
                found.append(number)
            else:
                ahead.extend(int(child) for child in self._tree.children_[number - n_cells])
        return sorted(found)

    @property
    def rows(self) -> Ids:
        """The numbers of its rows; (size,) int64."""
        return np.flatnonzero(np.isin(self._tree.cell_labels_, self.cells))

    def walk(self) -> Iterator[tuple[int, Node]]:
        """Yield this node and all below it, each before its children, with its depth below this one."""
        ahead = [(0, self)]
        while ahead:
            depth, node = ahead.pop()
            yield depth, node
            ahead.extend((depth + 1, child) for child in reversed(node.children))


@checked
class HierarchicalKMeans(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Clusters within clusters.

    Parameters
    ----------
    n_clusters : int
        How many `labels_` tells apart and `predict` answers with; `cut` gives any other number.
    n_cells : int, optional
        Clusters at the bottom, and the most that the tree can be cut into; 8 · √n by default.
    random_state : int, numpy.random.RandomState or None
    n_jobs : int, optional
        Threads; all cores by default.

    Attributes
    ----------
    labels_ : (n,) int32
        Clusters of the cut into `n_clusters`, numbered by falling size.
    cell_labels_ : (n,) int32
        The cell of each row.
    n_cells_ : int
    children_ : (n_cells_ - 1, 2) int64
        The nodes that each merge made one; node ``n_cells_ + i`` is what merge i made.
    costs_ : (n_cells_ - 1,) float64
        What each merge added to the distortion, never falling.
    inertias_ : (n_cells_,) float64
        The distortion of the cut into 1, 2, 3 … clusters.
    sizes_ : (2 · n_cells_ - 1,) int64
    centers_ : (2 · n_cells_ - 1, d) float64
    n_features_in_ : int

    Examples
    --------
    >>> rows = [[0, 0], [0, 1], [5, 0], [5, 1], [90, 0], [90, 1]]
    >>> tree = HierarchicalKMeans(n_clusters=2, n_cells=3).fit(rows)
    >>> tree.labels_.tolist(), sorted(map(int, set(tree.cut(3))))
    ([0, 0, 0, 0, 1, 1], [0, 1, 2])
    >>> [child.size for child in tree.root.children]
    [4, 2]
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_cells: int | None = None,
        random_state: Any = RANDOM_STATE,
        n_jobs: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_cells = n_cells
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: npt.ArrayLike,
        y: object = None,
        cells: npt.ArrayLike | None = None,
        *,
        report: ProgressReport | None = None,
        cancel: CancelToken | None = None,
    ) -> Self:
        """Build the tree.

        Parameters
        ----------
        X : (n, d) array-like
        y : ignored
        cells : (n,) array-like of int, optional
            The cell of each row where there are cells already: `KMeansTree.cells`.
        report, cancel : optional
            Who is told how far it has come, and may stop it; see `Collection.sync`.

        Raises
        ------
        InvalidInputError
            If there are fewer rows or cells than clusters, or a value is not finite.
        """
        vectors = check_rows(self, X)
        n = len(vectors)
        _check_whole("n_clusters", self.n_clusters)
        if self.n_clusters > n:
            raise InvalidInputError(
                f"{self.n_clusters} clusters cannot be made of n_samples={n} rows; expected n_clusters from 1"
                f" to {n}"
            )
        with watching(report, cancel) as watch:
            return self._fit(vectors, cells, watch)

    def _fit(self, vectors: npt.NDArray[Any], cells: npt.ArrayLike | None, watch: Watch) -> Self:
        n = len(vectors)
        numbers = self._make_cells(vectors, watch) if cells is None else as_whole_numbers(cells, "cells")
        if numbers.shape != (n,):
            raise InvalidInputError(
                f"cells are {numbers.dtype} of shape {numbers.shape}; expected one whole number for each of"
                f" {n} rows"
            )
        filled, numbers = np.unique(numbers, return_inverse=True)
        self.n_cells_ = m = len(filled)
        self.cell_labels_: Labels = numbers.astype(np.int32)
        sizes = np.bincount(numbers, minlength=m)
        centers = _means(vectors, numbers, sizes)
        squares = _squares_about(vectors, numbers, centers)
        self.children_, self.costs_ = merge(centers, sizes, watch)
        self.inertias_: Doubles = squares.sum() + np.concatenate([[0.0], np.cumsum(self.costs_)])[::-1]
        self.sizes_ = np.concatenate([sizes, np.zeros(m - 1, np.int64)])
        self.centers_ = np.concatenate([centers, np.zeros((m - 1, centers.shape[1]))])
        self._inertia_of = np.concatenate([squares, np.zeros(m - 1)])
        for number, (left, right) in enumerate(self.children_, start=m):
            self.sizes_[number] = self.sizes_[left] + self.sizes_[right]
            share = self.sizes_[right] / self.sizes_[number]
            self.centers_[number] = self.centers_[left] + share * (self.centers_[right] - self.centers_[left])
            self._inertia_of[number] = (
                self._inertia_of[left] + self._inertia_of[right] + self.costs_[number - m]
            )
        self.labels_ = self.cut(min(self.n_clusters, m) if cells is None else self.n_clusters)
        return self

    def fit_predict(self, X: npt.ArrayLike, y: object = None) -> Labels:
        """Build the tree, and return the cluster of each row; (n,) int32."""
        return self.fit(X).labels_

    def cut(self, n_clusters: int | None = None, depth: int | None = None) -> Labels:
        """Return the cluster of each row where the tree is cut; (n,) int32, numbered by falling size.

        Parameters
        ----------
        n_clusters : int, optional
            Into so many clusters, those of the least distortion that the tree has.
        depth : int, optional
            Or so many steps below the root: into at most 2 to the power of `depth`.
        """
        return self._number_of_cell(n_clusters, depth)[self.cell_labels_]

    def predict(self, X: npt.ArrayLike) -> Labels:
        """Return the cluster of the cell whose centre is nearest to each vector; (n,) int32."""
        check_is_fitted(self)
        vectors = check_rows(self, X, is_first=False)
        cells = self.centers_[: self.n_cells_]
        nearest, _ = assign(vectors, cells, find_scaling(cells), self.n_jobs)
        return self._number_of_cell(min(self.n_clusters, self.n_cells_), None)[nearest]

    @property
    def centres_(self) -> Doubles:
        """What `centers_` was called before."""
        warnings.warn("HierarchicalKMeans.centres_ is called centers_ now", DeprecationWarning, stacklevel=2)
        return self.centers_

    @property
    def root(self) -> Node:
        """The cluster of all rows."""
        check_is_fitted(self)
        return self.node(2 * self.n_cells_ - 2)

    def node(self, number: int) -> Node:
        """Return a node by its number.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        check_is_fitted(self)
        if not 0 <= number < len(self.sizes_):
            raise InvalidInputError(
                f"there is no node {number}; expected 0 to {len(self.sizes_) - 1}", field="number"
            )
        return Node(
            number, int(self.sizes_[number]), self.centers_[number], float(self._inertia_of[number]), self
        )

    def to_json(self, n_clusters: int | None = None, with_centres: bool = True) -> str:
        """Return the tree as JSON: a list of nodes, each before its children.

        A node is ``{"id", "parent", "depth", "size", "inertia", "children", "centre"}``; a list, since
        programs that read JSON give up on thousands of levels.

        Parameters
        ----------
        n_clusters : int, optional
            Leave out what lies below this cut; down to the cells by default.
        with_centres : bool
        """
        check_is_fitted(self)
        m = self.n_cells_
        last = m if n_clusters is None else 2 * m - self._check_cut(n_clusters)
        parents = {int(child): m + i for i, pair in enumerate(self.children_) for child in pair}
        nodes = []
        ahead = [(0, self.root)]
        while ahead:
            depth, node = ahead.pop()
            # Merges come by rising cost: those that the cut leaves whole have the lower numbers.
            children = node.children if node.number >= last else ()
            ahead.extend((depth + 1, child) for child in reversed(children))
            facts: dict[str, Any] = {
                "id": node.number,
                "parent": parents.get(node.number),
                "depth": depth,
                "size": node.size,
                "inertia": node.inertia,
                "children": [child.number for child in children],
            }
            if with_centres:
                facts["centre"] = node.center.tolist()
            nodes.append(facts)
        return json.dumps(nodes)

    def _make_cells(self, vectors: npt.NDArray[Any], watch: Watch) -> Labels:
        n = len(vectors)
        n_cells = self.n_cells
        if n_cells is None:
            usual = max(min(_CELLS_PER_ROOT * n**0.5, n / _ROWS_PER_CELL, _MOST_CELLS), 1)
            n_cells = max(int(usual), int(self.n_clusters))
        _check_whole("n_cells", n_cells)
        if not self.n_clusters <= n_cells <= n:
            raise InvalidInputError(
                f"n_cells is {shown(n_cells)}; expected from n_clusters, {self.n_clusters}, to the number of"
                f" rows, {n}",
                field="n_cells",
            )
        bottom = KMeans(n_cells, max_iter=_CELL_ROUNDS, random_state=self.random_state, n_jobs=self.n_jobs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # empty cells are left out
            return bottom.fit(vectors, **watch.told).labels_

    def _check_cut(self, n_clusters: int) -> int:
        _check_whole("n_clusters", n_clusters)
        if n_clusters > self.n_cells_:
            raise InvalidInputError(
                f"the tree cannot be cut into {n_clusters} clusters: it has {self.n_cells_} cells; fit with a"
                " larger n_cells"
            )
        return n_clusters

    def _number_of_cell(self, n_clusters: int | None, depth: int | None) -> Labels:
        """Return the cluster of each cell, numbered by falling size; (n_cells_,) int32."""
        check_is_fitted(self)
        if (n_clusters is None) == (depth is None):
            raise InvalidInputError("expected either n_clusters or depth, to cut the tree at")
        m = self.n_cells_
        top = np.arange(2 * m - 1)  # the cluster that each node belongs to
        if depth is None:
            assert n_clusters is not None
            n_merges = m - self._check_cut(n_clusters)
            for number in range(m + n_merges - 1, m - 1, -1):
                top[self.children_[number - m]] = top[number]
        else:
            if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 0:
                raise InvalidInputError(
                    f"depth is {shown(depth)}; expected a whole number from 0", field="depth"
                )
            depths = np.zeros(2 * m - 1, np.int64)
            for number in range(2 * m - 2, m - 1, -1):
                pair = self.children_[number - m]
                depths[pair] = depths[number] + 1
                if depths[number] >= depth:
                    top[pair] = top[number]
        found = np.unique(top[:m])
        by_size = found[np.lexsort((found, -self.sizes_[found]))]
        rank = np.empty(2 * m - 1, np.int32)
        rank[by_size] = np.arange(len(by_size))
        numbers: Labels = rank[top[:m]]
        return numbers


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value < _MOST:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number from 1", field=name)


def _means(vectors: npt.NDArray[Any], cells: Ids, sizes: Ids) -> Doubles:
    """Return the mean of each cell's rows; (m, d)."""
    members = np.split(np.argsort(cells, kind="stable"), np.cumsum(sizes)[:-1])
    return np.array([vectors[part].mean(axis=0, dtype=np.float64) for part in members])


def _squares_about(vectors: npt.NDArray[Any], cells: Ids, centers: Doubles) -> Doubles:
    """Return the sum of squared distances to the centre in each cell; (m,)."""
    squares = np.zeros(len(centers))
    step = rows_at_once(vectors.shape[1], _BLOCK_ROWS)
    for start in range(0, len(vectors), step):
        part = slice(start, start + step)
        difference = vectors[part] - centers[cells[part]]
        squares += np.bincount(
            cells[part], np.einsum("ij,ij->i", difference, difference), minlength=len(centers)
        )
    return squares
