"""A picture is found again in its edits, whatever the turn; others are not taken for it."""

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from lookalike.images.orientation import turn
from lookalike.images.thumbnails import encode_thumbnail, make_thumbnail
from lookalike.registration import SAME, picture_of, register
from lookalike.registration.registering import turned
from pictures import STORED_AS, scene


def grey(image):
    return picture_of(encode_thumbnail(make_thumbnail(image)))


def as_jpeg(image, quality):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(io.BytesIO(stream.getvalue())).convert("RGB")


EDITS = {
    "encoded anew": lambda image: as_jpeg(image, 30),
    "half the size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "stretched": lambda image: image.resize((image.width * 5 // 4, image.height)),
    "cropped by a twentieth at each side": lambda image: image.crop(
        (image.width // 20, image.height // 20, image.width * 19 // 20, image.height * 19 // 20)
    ),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "of less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.5),
    "in grey": lambda image: image.convert("L").convert("RGB"),
    "straightened": lambda image: image.rotate(3, resample=Image.Resampling.BILINEAR).crop(
        (12, 12, 228, 148)
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_edited_picture_is_the_same(edit, seed):
    image = scene(seed)
    fit = register(grey(image), grey(edit(image)))
    assert fit.turn == 1
    assert fit.is_same
    back = register(grey(edit(image)), grey(image))
    assert back.is_same


@pytest.mark.parametrize(("orientation", "stored_as"), STORED_AS.items())
def test_the_turn_is_how_the_second_is_to_be_turned_to_stand_as_the_first(orientation, stored_as):
    image = scene(4)
    stored = image if stored_as is None else image.transpose(stored_as)
    fit = register(grey(image), grey(stored))
    assert (fit.turn, round(fit.score, 1), round(fit.overlap, 1)) == (orientation, 1.0, 1.0)
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    as_image = turn(Image.fromarray(numbers.astype(np.uint8)), orientation)
    assert np.array_equal(turned(numbers, orientation), np.asarray(as_image))


def test_only_the_turns_that_are_asked_for_are_fitted():
    image = grey(scene(4))
    assert register(image, turned(image, 3), turns=[3]).score > 0.99
    assert register(image, turned(image, 3), turns=[1, 6]).score < SAME


def digit(slant, width, x=0.0):
    """Return a handwritten one, of 28 pixels a side: a stroke with soft edges."""
    down, along = np.mgrid[:28, :28].astype(float)
    away = np.abs(along - 14 - x + slant * (down - 14)) / width
    ink = np.clip(1.5 - away, 0, 1) * ((down > 4) & (down < 24))
    return Image.fromarray((255 * ink).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize(("slant", "width"), [(0.45, 1.5), (-0.4, 1.5), (0.3, 2.5)])
def test_two_ones_slanted_otherwise_are_not_the_same_though_a_warp_makes_them_alike(slant, width):
    fit = register(grey(digit(0, 1.5)), grey(digit(slant, width)))
    assert fit.score >= SAME
    assert not fit.is_same


@pytest.mark.parametrize("edit", EDITS, ids=EDITS)
def test_an_edited_digit_is_the_same(edit):
    image = digit(0.2, 2.0)
    if edit == "straightened":
        changed = image.rotate(3, resample=Image.Resampling.BILINEAR)
    else:
        changed = EDITS[edit](image)
    assert register(grey(image), grey(changed)).is_same


def test_change_is_by_how_much_the_warp_enlarges_or_turns():
    image = scene(9)
    part = image.crop((12, 8, 228, 152))  # nine tenths, each way
    assert register(grey(part), grey(image)).change == pytest.approx(0.1, abs=0.02)
    turned_by = image.rotate(5, resample=Image.Resampling.BILINEAR).crop((20, 15, 220, 145))
    assert register(grey(image), grey(turned_by)).change > 0.08
    assert register(grey(image), grey(image.resize((300, 160)))).change < 0.02


def test_different_pictures_are_not_the_same():
    pictures = [grey(scene(seed)) for seed in range(20)]
    scores = [register(a, b).score for number, a in enumerate(pictures) for b in pictures[:number]]
    assert max(scores) < SAME


def test_gain_bias_and_warp_are_those_that_were_put_in():
    image = np.asarray(scene(5).convert("L"), np.float32)
    whole = picture_of(Image.fromarray(image.astype(np.uint8)))
    fit = register(whole, whole * 0.5 + 20)
    assert fit.gain == pytest.approx(2, abs=0.02)
    assert fit.bias == pytest.approx(-40, abs=2)
    # The left nine tenths: what lies at a share s of the part lies at 0.9 s of the whole.
    part = picture_of(Image.fromarray(image[:, :216].astype(np.uint8)))
    matrix = register(part, whole).matrix
    assert np.allclose(matrix, [[0.9, 0, 0], [0, 1, 0]], atol=0.02)


def test_flat_pictures_have_nothing_to_tell_by():
    flat = np.full((48, 64), 100, np.float32)
    assert math.isnan(register(flat, flat + 3).score)
    assert not register(flat, grey(scene(6))).score >= SAME


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 2), (64, 64)])
def test_any_shape_is_taken(size):
    one = picture_of(scene(7).resize(size))
    fit = register(one, picture_of(scene(8)))
    assert not fit.score > 1.0001


def test_what_is_no_picture_is_an_os_error():
    with pytest.raises(OSError, match="cannot identify"):
        picture_of(b"nothing")


@pytest.mark.parametrize("side", [64, 128, 512, 1024])
def test_thumbnails_of_any_side_are_compared(side):
    image = scene(1).resize((1800, 1200))
    other = picture_of(encode_thumbnail(make_thumbnail(image, side), side))
    assert max(other.shape) == 64
    fit = register(grey(image), other)
    assert (fit.turn, fit.is_same, round(fit.score, 1)) == (1, True, 1.0)
    assert not register(grey(scene(2).resize((1800, 1200))), other).is_same
