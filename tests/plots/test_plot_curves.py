"""Curves of recall against speed: legible, whatever the figures."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from lookalike.errors import InvalidInputError
from lookalike.plots import Curve, recall_throughput


def curves(count, recalls=(0.9, 0.95, 0.99, 0.999, 1.0), rate=4_000.0):
    return [
        Curve(f"index-{number}", recalls, [rate / (number + 1) / 2**i for i in range(len(recalls))])
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "drawn",
    [
        curves(1),
        curves(5),
        curves(9),
        curves(5, recalls=(1.0,), rate=1e5),
        [Curve(f"alike-{number}", [0.97, 1.0], [300, 100]) for number in range(7)],
        [Curve("poor " * 9, [0.0, 0.3], [2e6, 0.2]), *curves(3)],
        [Curve("slow", [0.999995], [0.004])],
    ],
    ids=["one", "five", "nine", "only 1", "alike", "poor", "slow"],
)
def test_curves_are_labelled_and_no_text_overlaps(drawn):
    figure = recall_throughput(drawn, "Search indexes on 1,234,567 images, dinov2-small, 384 dimensions")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent() for text in shown]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.overlaps(other)
    beginnings = {curve.name[:4] for curve in drawn}
    assert sum(text.get_text()[:4] in beginnings for text in axes.texts) == len(drawn)


def test_recall_axis_opens_up_towards_1_and_keeps_the_points_that_none_beats():
    curve = Curve("tree", [0.9, 0.93, 0.99, 0.999, 1.0], [500, 400, 450, 300, 10])
    (axes,) = recall_throughput([curve]).axes
    line = axes.lines[0]
    assert line.get_ydata().tolist() == [500, 450, 300, 10]
    steps = np.diff(line.get_xdata())
    assert steps[0] == pytest.approx(steps[1])  # from 0.9 to 0.99 as far as from 0.99 to 0.999
    assert steps[2] > 0
    assert [label.get_text() for label in axes.get_xticklabels()][-1] == "1"


@pytest.mark.parametrize(
    ("recalls", "words"), [((1.0,), "finds all of the 10"), ((0.9993, 1.0), "finds 99.9% or more of the 10")]
)
def test_where_everything_is_found_there_are_bars_the_fastest_on_top(recalls, words):
    drawn = [Curve(f"{rate}", recalls, [rate / 2] * (len(recalls) - 1) + [rate]) for rate in (10, 900, 40)]
    figure = recall_throughput(drawn, "title")
    (axes,) = figure.axes
    assert any(words in text.get_text() for text in figure.texts)
    assert [bar.get_width() for bar in axes.patches] == [900, 40, 10]
    heights = [bar.get_y() for bar in axes.patches]
    assert heights == sorted(heights, reverse=True)
    assert recall_throughput([*drawn, Curve("poor", [0.9], [1])]).axes[0].lines


def test_no_curves_are_refused():
    for nothing in ([], [Curve("none", [], [])]):
        with pytest.raises(InvalidInputError, match="there are no curves to draw"):
            recall_throughput(nothing)
