"""What pairs are: same, edited, taken together, of a series; and how sure that is."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from PIL.Image import Transpose

from edited_pictures import bordered, captioned, encoded, in_a_screenshot, letterboxed, page, scene
from lookalike.duplicates.evidence import nothing
from lookalike.duplicates.kinds import KINDS
from lookalike.duplicates.looks import Look
from lookalike.duplicates.verdicts import ImageFacts, verdicts
from lookalike.duplicates.verifying import verify

PICTURE, PAGE = scene(0), page(0)


def said_of(one, other, turn=1, facts=None):
    """The kind and the probability of a pair of images with ids 0 and 1."""
    found = verdicts(verify(Look.of(one), Look.of(other), turn), facts)
    assert len(found.kinds) == 1
    return KINDS[found.kinds[0]], float(found.probabilities[0])


def facts_of(times, cameras=(3, 3)):
    return ImageFacts(np.array([0, 1]), np.array(times, float), np.array(cameras, np.int32))


@pytest.mark.parametrize("quality", [90, 50, 20])
def test_picture_encoded_anew_is_the_same(quality):
    kind, probability = said_of(PICTURE, encoded(PICTURE, quality))
    assert kind == "same"
    assert probability > 0.95


@pytest.mark.parametrize(("way", "turn"), [(Transpose.ROTATE_90, 6), (Transpose.FLIP_LEFT_RIGHT, 2)])
def test_turned_picture_is_the_same(way, turn):
    kind, probability = said_of(PICTURE, PICTURE.transpose(way), turn)
    assert kind == "same"
    assert probability > 0.95


def test_smaller_picture_is_the_same():
    assert said_of(PICTURE, PICTURE.resize((160, 120)))[0] == "same"


@pytest.mark.parametrize(
    "edit",
    [
        bordered,
        letterboxed,
        captioned,
        in_a_screenshot,
        lambda image: image.crop((10, 5, 280, 230)),
        lambda image: image.crop((100, 20, 310, 180)),
    ],
)
def test_edited_picture_is_edited(edit):
    kind, probability = said_of(PICTURE, edit(PICTURE))
    assert kind == "edited"
    assert probability > 0.9


def test_page_with_a_caption_is_that_page():
    kind, probability = said_of(PAGE, captioned(PAGE))
    assert kind == "edited"
    assert probability > 0.9


def test_pages_of_one_layout_are_a_series():
    kind, probability = said_of(PAGE, page(1))
    assert kind == "series"
    assert probability > 0.9


def test_the_less_is_left_of_a_picture_the_less_sure_it_is():
    stranger = scene(5)
    chances = []
    for share in (0.0, 0.35, 0.5, 0.65, 1.0):
        row = verify(Look.of(PICTURE), Look.of(Image.blend(PICTURE, stranger, share)))
        chances.append(float(verdicts(row).probabilities[0]) if len(row) else 0.0)
    assert chances[0] > 0.95
    assert chances[-1] < 0.1
    assert all(one >= other - 0.05 for one, other in pairwise(chances))


def test_verdict_is_the_same_in_either_order():
    other = captioned(PICTURE).crop((0, 0, 300, 240))
    assert said_of(PICTURE, other) == said_of(other, PICTURE)


def test_nothing_is_said_of_nothing():
    found = verdicts(nothing(), facts_of((1, 2)))
    assert found.kinds.dtype == np.uint8
    assert found.probabilities.dtype == np.float32
    assert len(found.kinds) == len(found.probabilities) == 0


@pytest.mark.parametrize(
    ("times", "cameras", "together"),
    [
        ((100, 102), (3, 3), True),
        ((102, 100), (3, -1), True),
        ((100, 102), (3, 4), False),  # two cameras
        ((100, 100), (3, 3), False),  # an edit keeps its time
        ((100, 161), (3, 3), False),
        ((100, np.nan), (3, 3), False),
    ],
)
def test_pictures_of_one_moment_were_taken_together(times, cameras, together):
    moved = PICTURE.crop((4, 2, 320, 240))
    kind, probability = said_of(PICTURE, moved, facts=facts_of(times, cameras))
    assert (kind == "together") == together
    assert probability > 0.9


def test_images_that_nothing_is_known_of_were_not_taken_together():
    facts = ImageFacts(np.array([0, 7]), np.array([1.0, 2.0]), np.array([3, 3], np.int32))
    assert said_of(PICTURE, bordered(PICTURE), facts=facts)[0] == "edited"
    none = ImageFacts(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int32))
    assert said_of(PICTURE, bordered(PICTURE), facts=none)[0] == "edited"
