"""What is worth showing, chosen from vectors, labels and colors.

Shown is what tells something: queries whose nearest neighbors agree, that differ from one another, and are
colorful; groups that hold together and lie far apart; and of pictures that are nearly the same, one.

All vectors are unit rows, and likeness is the cosine. What is drawn by chance is drawn by a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from lookalike.query.embedding import NEGATIVE_WEIGHT
from lookalike.types import Vectors

Rows = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.float64]
Labels = Sequence[str | None]
Colors = Callable[[Sequence[int]], Sequence[float]]
"""Given rows of images, tells how colorful each is: 0 for grey, 1 for as colorful as photos get."""

SAME = 0.93
"""Images more alike than this may be copies of one picture."""

_ALIKE = 0.8  # so much alike are pictures of which a mosaic shows one
_RELATED = 0.5  # images less alike than this are of different kinds
_APART = 0.35  # so alike are the two images of a search by both, at most
_CANDIDATES = 1_500  # images that are tried as queries, at most
_BLOCK = 256  # queries at once
_A_LABEL = 4  # candidates of each label whose colors are looked at
_LOOKED_AT = 200  # candidates whose colors are looked at, in all
_PAIRED = 24  # candidates for a search by two images
_FEW = 4  # pictures of a group, all different, below which it is not shown
_NEARLY = 0.35  # of the gain of an image that is not wanted: what is lost for colors
_MOST = 0.8  # of the hits that are right, once an image is not wanted
_MIXED = 60  # candidates for a search with an image that is not wanted


@dataclass(frozen=True, slots=True)
class Choice:
    """Queries to show, as rows of the vectors.

    Attributes
    ----------
    alone : tuple of int
        Each is a search by one image.
    both : (int, int) or None
        Two images for one search.
    unlike : (int, int) or None
        An image that is wanted, and one of those that it finds that is not.
    """

    alone: tuple[int, ...]
    both: tuple[int, int] | None
    unlike: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is chosen from. vectors: (n, d) float32, unit rows; labels: n; colors: of rows."""

    vectors: Vectors
    labels: Labels
    colors: Colors
    k: int

    def found(self, queries: Vectors, without: Rows) -> Rows:
        """Return the nearest of queries (m, d), nearest first, without their rows of `without` (m, w)."""
        return _near(self.vectors, queries, without, self.k)[0]

    def agree(self, row: int, hits: Rows) -> float:
        """Return which share of the hits has the label of an image; 0 if it has none."""
        label = self.labels[row]
        return 0.0 if label is None else float(np.mean([self.labels[hit] == label for hit in hits]))

    def copies(self, rows: Rows) -> float:
        """Return which share of the pairs among some images may be copies of one picture."""
        among = self.vectors[rows] @ self.vectors[rows].T
        pairs = among[np.triu_indices(len(rows), 1)]
        return float((pairs > SAME).mean()) if len(pairs) else 0.0

    def are_related(self, rows: Rows, others: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Tell which images are of the kind of any of the others."""
        if not len(others):
            return np.zeros(len(rows), bool)
        alike = (self.vectors[rows] @ self.vectors[list(others)].T).max(axis=1) > _RELATED
        named = {self.labels[other] for other in others} - {None}
        are_named = np.array([self.labels[row] in named for row in rows.tolist()], bool)
        found: npt.NDArray[np.bool_] = alike | are_named
        return found

    def likeness(self, one: int, other: int) -> float:
        return float(self.vectors[one] @ self.vectors[other])


def choose_queries(vectors: Vectors, labels: Labels, colors: Colors, n_alone: int, k: int) -> Choice:
    """Choose queries that show what a search is.

    Parameters
    ----------
    vectors : (n, d) float32, unit rows
    labels : sequence of str or None
        None where labels say nothing.
    colors : callable
    n_alone : int
        How many searches by one image; fewer if there are not as many images.
    k : int
        How many hits are shown.
    """
    looks = _Looks(vectors, labels, colors, k)
    n = len(vectors)
    random = np.random.default_rng(0)
    rows = np.sort(random.permutation(n)[:_CANDIDATES])
    hits, likeness = nearest(vectors, rows, k)
    worth = np.array([_worth(looks, *each) for each in zip(rows.tolist(), hits, likeness, strict=True)])
    best = _best_of_each(looks, rows, worth)
    by_row = dict(zip(rows.tolist(), worth.tolist(), strict=True))
    score = {
        row: by_row[row] + 0.8 * color for row, color in zip(best, colors(best), strict=True)
    }  # what agrees and is colorful
    alone = _far_apart(looks, score, n_alone)
    unlike = _choose_unlike(looks, rows, hits, likeness, alone)
    others = np.array(list(score), np.intp)
    left = others[~looks.are_related(others, [*alone, *(unlike or ())])].tolist()
    both = _choose_both(looks, {row: score[row] for row in left})
    return Choice(tuple(alone), both, unlike)


def nearest(vectors: Vectors, rows: Rows, k: int) -> tuple[Rows, Numbers]:
    """Return the k nearest of some rows, themselves left out, nearest first, and how alike they are."""
    return _near(vectors, vectors[rows], rows[:, None], k)


def _near(vectors: Vectors, queries: Vectors, without: Rows, k: int) -> tuple[Rows, Numbers]:
    """Return the k nearest of queries (m, d), but those of their rows of `without` (m, w), and how alike."""
    k = min(k, len(vectors) - without.shape[1])
    found, alike = [np.empty((0, k), np.intp)], [np.empty((0, k))]
    for begin in range(0, len(queries) if k > 0 else 0, _BLOCK):
        part = slice(begin, begin + _BLOCK)
        likeness = queries[part] @ vectors.T
        np.put_along_axis(likeness, without[part], -np.inf, axis=1)
        near = np.argpartition(-likeness, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(likeness, near, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        found.append(np.take_along_axis(near, order, axis=1))
        alike.append(np.take_along_axis(values, order, axis=1).astype(np.float64))
    return np.concatenate(found), np.concatenate(alike)


def choose_distinct(vectors: Vectors, order: Sequence[int], n: int, most_alike: float = _ALIKE) -> list[int]:
    """Choose images, in this order, that are less alike than this: one of each set of look-alikes.

    Where there are fewer of them, it is fewer than n; the first is always there.

    >>> import numpy as np
    >>> choose_distinct(np.array([[1, 0], [1, 0], [0, 1]], np.float32), [0, 1, 2], 3)
    [0, 2]
    """
    chosen: list[int] = []
    for row in order:
        if len(chosen) == n:
            break
        if not chosen or float((vectors[chosen] @ vectors[row]).max()) < most_alike:
            chosen.append(row)
    return chosen


def choose_mosaic(vectors: Vectors, colors: Colors, n: int) -> list[int]:
    """Choose images that differ, the more colorful ones, in an order that has nothing to do with names."""
    order = np.random.default_rng(1).permutation(len(vectors))[:_CANDIDATES].tolist()
    distinct = choose_distinct(vectors, order, 2 * n)
    worth = dict(zip(distinct, colors(distinct), strict=True))
    kept = set(sorted(distinct, key=lambda row: -worth[row])[:n])
    return [row for row in distinct if row in kept]


def choose_members(vectors: Vectors, members: Rows, n: int) -> list[int]:
    """Choose the images nearest to the middle of a group, one of each set of copies."""
    middle = vectors[members].mean(axis=0)
    order = members[np.argsort(-(vectors[members] @ middle), kind="stable")]
    return choose_distinct(vectors, order.tolist(), n, SAME)


def choose_groups(
    vectors: Vectors, labels: Labels, groups: Sequence[Rows], colors: Colors, n: int, size: int
) -> list[int]:
    """Choose groups that hold together and lie far apart from one another.

    Parameters
    ----------
    vectors : (n, d) float32, unit rows
    labels : sequence of str or None
    groups : sequence of (m,) int
        The rows of each.
    colors : callable
    n : int
        How many at most.
    size : int
        How many pictures of a group are shown.

    Returns
    -------
    list of int
        Positions in `groups`.
    """
    shown = [choose_members(vectors, rows, size) if len(rows) else [] for rows in groups]
    middles = np.array([_unit(vectors[rows].sum(axis=0)) if len(rows) else vectors[0] for rows in groups])
    few = [number for number, rows in enumerate(shown) if len(rows) >= _FEW]
    open_ones = few or [number for number, rows in enumerate(shown) if rows]
    worth = {}
    for number in open_ones:
        rows = shown[number]
        holds = float(np.sort(vectors[rows] @ middles[number])[: -(-len(rows) // 2)].mean())
        named = [labels[row] for row in rows if labels[row] is not None]
        of_one = max(named.count(label) for label in named) / len(rows) if named else 0.0
        worth[number] = 3 * min(holds, _ALIKE) + of_one + 2 * len(rows) / size
        worth[number] += 0.5 * float(np.mean(colors(rows[:3])))
    chosen: list[int] = []
    while open_ones and len(chosen) < n:
        near = (middles[open_ones] @ middles[chosen].T).max(axis=1) if chosen else np.zeros(len(open_ones))
        at = int(np.argmax([worth[each] - 2 * by for each, by in zip(open_ones, near, strict=True)]))
        chosen.append(open_ones.pop(at))
    return chosen


def colorfulness(pixels: npt.NDArray[np.uint8]) -> float:
    """Return how colorful a picture seems: 0 for grey, about 1 for as colorful as photos get.

    pixels: (h, w, 3), RGB.

    References
    ----------
    D. Hasler, S. Suesstrunk, "Measuring colorfulness in natural images", 2003, whose 82, "highly colorful",
    is 1 here.

    >>> import numpy as np
    >>> colorfulness(np.full((2, 2, 3), 90, np.uint8))
    0.0
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    one, other = red - green, (red + green) / 2 - blue
    spread, shift = np.hypot(one.std(), other.std()), np.hypot(one.mean(), other.mean())
    return float(min((spread + 0.3 * shift) / 82, 1.0))


def _worth(looks: _Looks, row: int, hits: Rows, likeness: Numbers) -> float:
    """Return what speaks for a query, its colors apart: hits that are right, alike, and no copies."""
    if not len(hits):
        return 0.0
    copies = float((likeness > SAME).mean()) + looks.copies(hits)
    is_first_right = looks.labels[row] is not None and looks.labels[int(hits[0])] == looks.labels[row]
    alike = min(float(likeness.mean()), _ALIKE)
    return 2 * looks.agree(row, hits) + 0.5 * is_first_right + alike - copies


def _best_of_each(looks: _Looks, rows: Rows, worth: Numbers) -> list[int]:
    """Return the best candidates, a few of each label, the best first."""
    counts: dict[str | None, int] = {}
    best = []
    for row in rows[np.argsort(-worth, kind="stable")].tolist():
        label = looks.labels[row]
        counts[label] = counts.get(label, 0) + 1
        if label is None or counts[label] <= _A_LABEL:
            best.append(row)
        if len(best) == _LOOKED_AT:
            break
    return best


def _far_apart(looks: _Looks, score: dict[int, float], n: int) -> list[int]:
    """Choose queries one after the other, each of another label, and far from those before."""
    chosen: list[int] = []

    def stands(row: int) -> float:
        if not chosen:
            return score[row]
        near = max(looks.likeness(row, other) for other in chosen)
        label = looks.labels[row]
        is_again = label is not None and label in [looks.labels[other] for other in chosen]
        return score[row] - near - 3 * is_again - 3 * (near > SAME)

    while len(chosen) < min(n, len(score)):
        chosen.append(max((row for row in score if row not in chosen), key=stands))
    return chosen


def _choose_both(looks: _Looks, score: dict[int, float]) -> tuple[int, int] | None:
    """Choose two images that differ, such that what is found by both is some of each, or between them."""
    tried = _far_apart(looks, score, _PAIRED)
    alone = looks.found(looks.vectors[tried], np.array(tried, np.intp)[:, None])
    finds = {row: {row, *hits.tolist()} for row, hits in zip(tried, alone, strict=True)}
    pairs = [
        (one, other)
        for one, other in combinations(tried, 2)
        if (looks.labels[one] is None or looks.labels[one] != looks.labels[other])
        and not finds[one] & finds[other]
        and looks.likeness(one, other) <= _APART
    ]
    if not pairs:
        return None
    rows = np.array(pairs, np.intp)
    found = looks.found(_unit(looks.vectors[rows].sum(axis=1)), rows)

    def worth(pair: tuple[int, int], hits: Rows) -> float:
        to_one, to_other = (looks.vectors[hits] @ looks.vectors[row] for row in pair)
        n_less = min(int((to_one > to_other).sum()), int((to_one < to_other).sum()))
        right = sum(looks.agree(row, hits) for row in pair)
        between = float(np.minimum(to_one, to_other).mean())
        colors = sum(score[row] for row in pair)
        copies = looks.copies(np.append(hits, pair))
        return 2 * n_less / len(hits) + right + 2 * between + 0.3 * colors - 2 * copies

    return max(zip(pairs, found, strict=True), key=lambda each: worth(*each))[0] if found.size else None


def _choose_unlike(
    looks: _Looks, rows: Rows, hits: Rows, likeness: Numbers, taken: Sequence[int]
) -> tuple[int, int] | None:
    """Choose an image, and one of its hits without which what is found is more of a kind."""
    is_new = ~looks.are_related(rows, taken)
    pairs, before = [], []
    for row, found, alike in zip(rows[is_new].tolist(), hits[is_new], likeness[is_new], strict=True):
        is_right = [looks.labels[row] is not None and looks.labels[hit] == looks.labels[row] for hit in found]
        others = [
            hit for hit, right, its in zip(found, is_right, alike, strict=True) if not right and its <= _ALIKE
        ]
        if others:
            pairs.append((row, int(others[0])))  # the nearest that is of another kind
            before.append(found)
    if not pairs:
        return None
    asked = np.array(pairs, np.intp)
    pushed = _unit(looks.vectors[asked[:, 0]] - NEGATIVE_WEIGHT * looks.vectors[asked[:, 1]])
    after = looks.found(pushed, asked)
    gains = [_gain(looks, *each) for each in zip(pairs, before, after, strict=True)]
    most = max(gains)
    if most <= 0:
        return None
    best = sorted(
        (pair for pair, gain in zip(pairs, gains, strict=True) if gain >= most - _NEARLY and gain > 0)
    )
    best = best[:_MIXED]
    colorful = looks.colors([row for row, _ in best])
    return max(zip(colorful, best, strict=True))[1]


def _gain(looks: _Looks, pair: tuple[int, int], before: Rows, after: Rows) -> float:
    """Return how much more of a kind the hits of an image are once another is not wanted."""
    row, unwanted = pair
    if not len(after):
        return 0.0
    if looks.labels[row] is not None:
        right = looks.agree(row, after)
        gained = right - looks.agree(row, before)
        return 2 * gained + right - looks.copies(after) if gained > 0 and right > _MOST else 0.0

    def astray(found: Rows) -> float:
        near = looks.vectors[found]
        return float((near @ looks.vectors[unwanted] > near @ looks.vectors[row]).mean())

    gained = astray(before[before != unwanted]) - astray(after)
    alike = float((looks.vectors[after] @ looks.vectors[row]).mean())
    return gained + alike - looks.copies(after) if gained > 0 and alike > _RELATED else 0.0


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, 1e-12)
    return unit
