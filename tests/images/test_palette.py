"""Colours against values worked by hand, published test data, and pictures made of known ones."""

import numpy as np
import pytest
from PIL import Image
from sklearn.cluster import KMeans

from lookalike.errors import InvalidInputError
from lookalike.images.palette import (
    difference,
    dominant_colors,
    lab_to_hex,
    lab_to_rgb,
    palettes,
    parse_color,
    rgb_to_lab,
    sample_colors,
    score_color,
)
from pictures import picture


def painted(*colours, side=60):
    """Return a picture of upright stripes, each as wide as the others."""
    made = Image.new("RGB", (side * len(colours), side))
    for number, colour in enumerate(colours):
        made.paste(colour, (number * side, 0, (number + 1) * side, side))
    return made


def padded(*rows):
    """Return palettes as the table holds them, (n, 5, 4)."""
    made = np.zeros((len(rows), 5, 4), np.float32)
    for number, row in enumerate(rows):
        if row:
            made[number, : len(row)] = row
    return made


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((255, 255, 255), (100, 0, 0)),
        # 119 / 255 = 0.46667, linear ((0.46667 + 0.055) / 1.055)^2.4 = 0.18447; 116 × 0.18447^(1/3) - 16.
        ((119, 119, 119), (50.034, 0, 0)),
        # 5 / 255 / 12.92 = 0.0015177, below (6/29)³, so L* = 24389 / 27 × 0.0015177.
        ((5, 5, 5), (1.3709, 0, 0)),
        # Y = 0.2126: f = 0.59682, L* = 53.23. X / Xn = 0.4124 / 0.9505: f = 0.75700, a* = 500 × 0.16018.
        # Z / Zn = 0.0193 / 1.0890: f = 0.26075, b* = 200 × 0.33607.
        ((255, 0, 0), (53.23, 80.09, 67.21)),
        ((0, 255, 0), (87.74, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.20, -107.86)),
    ],
)
def test_known_colours_have_their_lab_values(rgb, lab):
    assert rgb_to_lab([rgb])[0] == pytest.approx(lab, abs=0.02)


def test_greys_have_no_hue():
    greys = np.repeat(np.arange(256)[:, None], 3, axis=1)
    assert np.abs(rgb_to_lab(greys)[:, 1:]).max() < 1e-4


def test_lab_and_back_is_the_same_colour():
    rgb = np.random.default_rng(0).integers(0, 256, (5000, 3))
    assert np.array_equal(lab_to_rgb(rgb_to_lab(rgb)), rgb)


def test_lab_values_that_no_screen_can_show_become_the_edge_of_those_that_it_can():
    assert lab_to_hex([100, 0, 0]) == "#ffffff"
    assert lab_to_rgb([[50, 200, 0], [120, 0, 0], [-5, 0, 0]]).tolist()[1:] == [[255] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    # From the supplementary test data of Sharma, Wu and Dalal, 2005.
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 3.1571, -77.2803), (50, 0, -82.7485), 2.8615),
        ((50, 2.8361, -74.0200), (50, 0, -82.7485), 3.4412),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((63.0109, -31.0961, -5.8663), (62.8187, -29.7946, -4.0864), 1.2630),
    ],
)
def test_ciede2000_gives_the_published_values_both_ways(one, other, expected):
    assert difference(np.array([one]), other)[0] == pytest.approx(expected, abs=1e-4)
    assert difference(np.array([other]), one)[0] == pytest.approx(expected, abs=1e-4)


def test_a_colour_is_no_distance_from_itself():
    labs = rgb_to_lab(np.random.default_rng(1).integers(0, 256, (50, 3)))
    for lab in labs:
        assert difference(labs, lab)[(labs == lab).all(axis=1)] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#c33", (204, 51, 51)),
        ("#CC3333", (204, 51, 51)),
        (" tomato ", (255, 99, 71)),
        ("rgb(204, 51, 51)", (204, 51, 51)),
        ("hsl(0, 100%, 50%)", (255, 0, 0)),
    ],
)
def test_colours_are_written_as_in_css(text, colour):
    assert parse_color(text) == colour


@pytest.mark.parametrize("text", ["", "nope", "#c3", "c33", "#ggg", "rgb(1,2)", "#", "rgb(300, 0, 0)"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"is no colour.*expected a CSS colour such as '#c33'"):
        parse_color(text)


@pytest.mark.parametrize("text", ["#c33a", "#cc3333aa", "rgba(1, 2, 3, 4)"])
def test_transparency_is_refused(text):
    with pytest.raises(InvalidInputError, match="has transparency"):
        parse_color(text)


def test_two_halves_are_two_colours_of_one_half_each():
    found = dominant_colors(painted((204, 51, 51), (20, 40, 200)))
    assert {lab_to_hex(row[:3]) for row in found} == {"#cc3333", "#1428c8"}
    assert found[:, 3] == pytest.approx([0.5, 0.5])


def test_colours_come_by_share_and_the_shares_add_up():
    found = dominant_colors(painted("white", "white", "white", "black", "black", "red"))
    assert [lab_to_hex(row[:3]) for row in found] == ["#ffffff", "#000000", "#ff0000"]
    assert found[:, 3] == pytest.approx([1 / 2, 1 / 3, 1 / 6], abs=1e-5)


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#7f7f7f", "#cc3333"])
@pytest.mark.parametrize("size", [(1, 1), (256, 192), (256, 1), (1, 256)])
def test_a_flat_picture_has_one_colour(colour, size):
    (row,) = dominant_colors(Image.new("RGB", size, colour))
    assert lab_to_hex(row[:3]) == colour
    assert row[3] == 1


def test_a_grey_picture_has_grey_colours():
    x = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    found = dominant_colors(Image.fromarray(x).convert("RGB"))
    assert len(found) == 5
    assert np.abs(found[:, 1:3]).max() < 0.01
    assert found[:, 3].sum() == pytest.approx(1)


def test_shades_that_look_alike_are_one_colour():
    assert len(dominant_colors(painted((200, 50, 50), (203, 52, 51), (198, 49, 48)))) == 1


def test_what_is_next_to_nothing_of_the_picture_is_no_colour_of_it():
    made = Image.new("RGB", (240, 240), "white")
    made.paste("black", (0, 0, 24, 24))  # a hundredth
    (row,) = dominant_colors(made)
    assert (lab_to_hex(row[:3]), row[3]) == ("#ffffff", pytest.approx(0.99, abs=0.01))


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_one_to_five_colours_whose_shares_fall(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (100, 80, 3), dtype=np.uint8)
    found = dominant_colors(Image.fromarray(pixels))
    assert (found.shape[1], found.dtype) == (4, np.float32)
    assert 1 <= len(found) <= 5
    assert (np.diff(found[:, 3]) <= 0).all()
    assert 0 < found[:, 3].sum() <= 1 + 1e-5


def test_the_same_picture_has_the_same_colours_each_time():
    made = picture(3, side=200)
    assert np.array_equal(dominant_colors(made), dominant_colors(made.copy()))


@pytest.mark.parametrize("seed", range(8))
def test_colours_are_near_those_of_scikit_learns_k_means(seed):
    made = picture(seed, side=200)
    labs = rgb_to_lab(np.asarray(made).reshape(-1, 3)[::7])
    ours = dominant_colors(made)
    best = KMeans(len(ours), n_init=5, random_state=0).fit(labs)
    error = np.square(labs[:, None] - ours[None, :, :3]).sum(axis=2).min(axis=1).mean()
    assert np.sqrt(error) <= 1.5 * np.sqrt(best.inertia_ / len(labs)) + 0.5


def test_weights_count_as_repeated_pixels_do():
    pixels = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    (weighted,) = palettes(pixels[None], np.array([[3, 1]], np.float32))
    assert weighted == pytest.approx(palettes(pixels[None, [0, 0, 0, 1]])[0])


def test_the_score_of_a_colour_is_its_share_where_it_is_exact():
    red, blue = rgb_to_lab([[255, 0, 0], [0, 0, 255]])
    palettes = padded([[*red, 1]], [[*red, 0.25], [*blue, 0.75]], [[*blue, 1]], [])
    assert score_color(palettes, red) == pytest.approx([1, 0.25, 0, 0], abs=0.01)


def test_the_score_falls_with_the_distance_as_stated():
    lab = np.array([50.0, 30.0, 20.0])
    others = np.array([[50 + step, 30, 20] for step in range(0, 40, 5)])
    scores = score_color(padded(*([[*other, 1]] for other in others)), lab)
    assert scores == pytest.approx(np.exp(-0.5 * (difference(others, lab) / 10) ** 2), rel=1e-5)
    assert (np.diff(scores) < 0).all()


def test_scoring_nothing_gives_nothing():
    assert score_color(np.empty((0, 5, 4), np.float32), [50, 0, 0]).shape == (0,)


def test_the_colours_of_an_image_do_not_depend_on_those_it_is_worked_out_with():
    random = np.random.default_rng(3)
    pictures = [random.integers(0, high, (40, 30, 3), dtype=np.uint8) for high in (2, 30, 256, 90, 256)]
    samples = np.stack([sample_colors(Image.fromarray(pixels)) for pixels in pictures])
    for together, alone in zip(palettes(samples), samples, strict=True):
        assert np.array_equal(together, palettes(alone[None])[0])
