"""One look for all pictures: colours that everybody can tell apart, on light and on dark paper."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.text import Text
from PIL import Image

from lookalike.plots import (
    Curve,
    QueryRow,
    SheetRow,
    Tile,
    confusion,
    contact_sheet,
    distance_curve,
    k_curves,
    paint_swatch,
    points_map,
    recall_throughput,
    result_strip,
    scree,
    use_theme,
    worst_queries,
)
from lookalike.plots.style import DARK, LIGHT, theme

THEMES = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
# What remains of linear RGB without one kind of cones: Machado, Oliveira, Fernandes 2009, table 1.
WITHOUT = {
    "none": np.eye(3),
    "red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    rgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = TO_XYZ @ rgb / TO_XYZ.sum(axis=1)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    """Return the contrast of WCAG 2, 1 to 21."""
    dark, light = sorted(TO_XYZ[1] @ linear(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


@THEMES
def test_everything_stands_out_from_the_paper(colours):
    assert contrast(colours.ink, colours.paper) > 12
    assert contrast(colours.muted, colours.paper) > 4.5  # small text
    for colour in (*colours.palette, colours.accent, colours.mark):
        assert contrast(colour, colours.paper) >= 3


@THEMES
@pytest.mark.parametrize("cones", WITHOUT)
def test_any_two_colours_differ_for_colour_blind_readers(colours, cones):
    seen = [lab(np.clip(WITHOUT[cones] @ linear(colour), 0, 1)) for colour in colours.palette]
    # 2.3 is a difference that can just be seen side by side.
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 12


def test_the_theme_is_light_and_dark_only_meanwhile():
    assert theme() is LIGHT
    with pytest.raises(KeyError), use_theme(dark=True):
        assert theme() is DARK
        with use_theme(dark=False):
            assert theme() is LIGHT
        raise KeyError
    assert theme() is LIGHT


def draw_everything():
    red = paint_swatch("#ff0000")
    return {
        "strip": result_strip(
            [Tile(red, "query"), Tile(None, "words", words="a car")], [Tile(red, "1")], "T"
        ),
        "sheet": contact_sheet([SheetRow("one", "note", [red], [True])], "T"),
        "speed": recall_throughput([Curve("exact", [0.9, 1.0], [10, 5]), Curve("tree", [0.8], [9])], "T"),
        "k": k_curves([2, 3], [5.0, 4.0], [0.5, 0.4], 2),
        "eps": distance_curve(np.linspace(0, 1, 20, dtype=np.float32), 5, 0.5, "distance", "T"),
        "scree": scree([0.6, 0.3, 0.1], 2, "T"),
        "worst": worst_queries([QueryRow(Tile(red, "q"), [Tile(red, "1")], [True], "AP 1")], "T"),
        "confusion": confusion(["a", "b"], np.eye(2), "T"),
        "map": points_map(np.random.default_rng(0).random((9, 2), np.float32), title="T"),
    }


def test_all_titles_have_one_style():
    for name, figure in draw_everything().items():
        title = "2 clusters: largest silhouette" if name == "k" else "T"
        (text,) = (text for text in figure.findobj(Text) if text.get_text() == title and text.get_visible())
        style = (text.get_weight(), text.get_size(), text.get_color(), text.get_ha())
        assert style == ("bold", 15 if name == "map" else 11, LIGHT.ink, "left"), name  # a map is a slide


@THEMES
def test_every_picture_is_drawn_in_the_colours_of_the_theme(colours):
    with use_theme(dark=colours is DARK):
        figures = draw_everything()
    for name, figure in figures.items():
        content = io.BytesIO()
        figure.savefig(content, format="png", facecolor=figure.get_facecolor())
        pixels = np.asarray(Image.open(content).convert("RGB")).reshape(-1, 3)
        paper = np.array([int(colours.paper[at : at + 2], 16) for at in (1, 3, 5)])
        is_paper = (np.abs(pixels.astype(int) - paper) <= 1).all(axis=1)
        assert is_paper.mean() > 0.4, name
        other = 0 if colours is LIGHT else 255  # of the pixels on the far side, only text and lines
        assert (np.abs(pixels.astype(int) - other) < 30).all(axis=1).mean() < 0.1, name
