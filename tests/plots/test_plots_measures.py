"""Pictures of measures: complete, legible, with what they say in them."""

import itertools

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from plotted import NAMES, jpeg, pictures, texts

from lookalike.errors import InvalidInputError
from lookalike.plots import QueryRow, Tile, confusion, save_figure, scree, use_theme, worst_queries


def check_texts(figure):
    """No text runs out of the figure, or into another."""
    figure.draw_without_rendering()
    page = figure.bbox
    ticks = [
        (tick, axis)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
    ]
    unseen = {
        id(tick.label1)
        for tick, axis in ticks
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure) if id(text) not in unseen]
    boxes = [(words, box) for words, box in boxes if box.width > 1]  # numbers of axes that others show
    for words, box in boxes:
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, words
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, words
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert not first.overlaps(second), (one, other)


def rows(count, n_hits=8, **size):
    return [
        QueryRow(
            Tile(jpeg(**size), "cougar_face", NAMES[number % len(NAMES)]),
            [Tile(jpeg(**size), "cougar_body", name) for name in (NAMES * 2)[:n_hits]],
            [hit % 3 == 0 for hit in range(n_hits)],
            "AP 0.012",
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(("count", "n_hits"), [(1, 1), (3, 8), (2, 0)])
def test_every_query_has_a_heading_and_its_hits_are_marked(count, n_hits):
    figure = worst_queries(rows(count, n_hits), "lite0: the worst queries")
    check_texts(figure)
    assert len(figure.axes) == count * (1 + n_hits)
    words = [text.get_text() for text in texts(figure)]
    assert sum("AP 0.012" in line for line in words) == count
    assert words.count("query") == count
    assert sum(line.startswith("✓") for line in words) == count * -(-n_hits // 3)
    assert sum(line.startswith("✗") for line in words) == count * (n_hits - -(-n_hits // 3))
    boxes = pictures(figure)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    for text, picture in itertools.product(texts(figure), boxes):
        assert not text.get_window_extent().overlaps(picture)


def test_long_labels_are_cut_and_of_many_queries_the_first_are_drawn():
    long = Tile(jpeg(), "W" * 200, "m" * 300)
    figure = worst_queries([QueryRow(long, [long], [False], "AP " + "0" * 90)], "title " * 80)
    check_texts(figure)
    assert len(worst_queries(rows(60, 1)).axes) == 80


def labels_of(n):
    return [f"class {number} " + "x" * (number * 7 % 40) for number in range(n)]


def shares_of(n, rest=0.0):
    shares = np.random.default_rng(0).random((n, n)) ** 6 + 3 * np.eye(n)
    return shares / shares.sum(axis=1, keepdims=True) * (1 - rest)


@pytest.mark.parametrize("n", [1, 2, 10, 24])
@pytest.mark.parametrize("is_part", [False, True])
@pytest.mark.parametrize("dark", [False, True])
def test_confusion_shows_each_share_in_its_cell_and_nothing_overlaps(n, is_part, dark, tmp_path):
    shares = shares_of(n, 0.25 * is_part)
    with use_theme(dark=dark):
        figure = confusion(labels_of(n), shares, "lite0: classes of the first 10 hits", is_part)
    check_texts(figure)
    (axes,) = figure.axes
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(cells) == n * n
    written = [text.get_text() for text in axes.texts]
    n_written = sum(
        row == column or round(100 * shares[row, column]) > 0 for row in range(n) for column in range(n)
    )
    assert len(written) == n_written + n * is_part
    assert written.count("25") >= n * is_part
    assert ("other classes" in [text.get_text() for text in texts(figure)]) == is_part
    save_figure(figure, tmp_path / "confusion.svg")


def test_the_most_confused_pair_has_the_strongest_colour():
    shares = np.array([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.0, 0.02, 0.98]])
    figure = confusion(["a", "b", "c"], shares)
    colors = np.array([patch.get_facecolor() for patch in figure.axes[0].patches]).reshape(3, 3, 4)
    from_paper = np.abs(colors - 1).sum(axis=2)
    others = np.where(np.eye(3, dtype=bool), -1, from_paper)
    assert np.unravel_index(others.argmax(), (3, 3)) == (1, 0)
    assert others[0, 1] > others[2, 1] > others[0, 2] == 0


def test_digits_stand_upright():
    upright = confusion([str(number) for number in range(10)], shares_of(10))
    turned = confusion(labels_of(10), shares_of(10))
    assert sum(text.get_rotation() == 90 for text in texts(upright)) == 1  # class of the query
    assert sum(text.get_rotation() == 90 for text in texts(turned)) == 11


@pytest.mark.parametrize(("m", "kept"), [(1, 1), (5, 2), (40, 39), (1280, 128), (1280, 804)])
def test_scree_says_what_is_kept_and_where_the_mark_is(m, kept):
    shares = np.exp(-np.arange(m) / (m / 4))
    shares /= shares.sum()
    figure = scree(shares, kept, "lite0+pca: the variance of its components")
    check_texts(figure)
    words = [text.get_text() for text in texts(figure)]
    assert f"kept: {kept:,}, {shares[:kept].sum():.1%}" in words
    first = int(np.searchsorted(np.cumsum(shares), 0.95)) + 1
    assert (f"95%: {first:,}" in words) == (first != kept)


def test_scree_of_the_kept_components_alone_has_no_mark():
    words = [text.get_text() for text in texts(scree([0.4, 0.2], 2))]
    assert not any("95" in line for line in words)


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: worst_queries([]), "no queries to draw"),
        (lambda: confusion([], np.empty((0, 0))), "there are 0 labels"),
        (lambda: confusion(["a"], np.ones((1, 2))), r"expected \(n, n\)"),
        (lambda: scree([], 1), r"expected \(m,\)"),
        (lambda: scree([1.0], 2), "2 of them kept"),
    ],
)
def test_what_cannot_be_drawn_is_an_error(draw, words):
    with pytest.raises(InvalidInputError, match=words):
        draw()
