"""The table of ways to draw a map: light, whole, and all that a new one takes."""

import dataclasses
import inspect
import subprocess
import sys

import numpy as np
import pytest

from lookalike.errors import InvalidInputError
from lookalike.plots import map_styles
from lookalike.plots.map_styles import (
    DEFAULT_STYLE,
    MAP_STYLES,
    MapPicture,
    MapStyle,
    get_style,
    style_names,
)
from lookalike.system.on_demand import load


def picture():
    points = np.random.default_rng(0).normal(0, 1, (9, 2)).astype(np.float32)
    return MapPicture(points, lambda rows: [None] * len(rows), None, "A map", "of nothing", (640, 480))


def test_table_is_at_hand_without_numpy_or_matplotlib():
    code = (
        "import lookalike.plots.map_styles, sys\nprint('numpy' in sys.modules, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("row", MAP_STYLES, ids=lambda row: row.name)
def test_style_draws_with_all_that_its_function_takes(row):
    assert set(row.takes) == set(inspect.signature(load(row.drawer)).parameters)
    assert set(row.takes) <= {field.name for field in dataclasses.fields(MapPicture)}
    assert tuple(row.draw(picture()).get_size_inches() * row.draw(picture()).dpi) == (640, 480)


def test_usual_style_is_the_first():
    assert style_names() == ("points", "images", "tiles")
    assert DEFAULT_STYLE == "points"
    assert [row.name for row in MAP_STYLES if row.has_tiles] == ["tiles"]
    assert [row.name for row in MAP_STYLES if row.is_colored] == ["points"]


def draw_title(title):
    return f"drawn: {title}"


def test_row_is_all_that_a_style_takes(monkeypatch):
    row = MapStyle("title", "its title alone", f"{__name__}:draw_title", ("title",))
    monkeypatch.setattr(map_styles, "MAP_STYLES", (*MAP_STYLES, row))
    assert get_style("title").draw(picture()) == "drawn: A map"
    with pytest.raises(
        InvalidInputError, match="no style 'dots'; expected one of points, images, tiles, title"
    ):
        get_style("dots")
