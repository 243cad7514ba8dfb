import itertools

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lookalike.images import sharpness
from pictures import picture


@pytest.mark.parametrize("size", [(1, 1), (2, 200), (200, 2), (3, 3), (256, 192)])
def test_flat_pictures_are_not_sharp_at_all(size):
    assert sharpness(Image.new("RGB", size, (200, 30, 90))) == 0


def test_a_chequered_board_worked_by_hand():
    # Each pixel differs from its four neighbours by 100, so the Laplacian is ±400, half of each.
    board = np.indices((9, 10)).sum(axis=0) % 2 * 100
    assert sharpness(Image.fromarray(board.astype(np.uint8))) == pytest.approx(160_000)


def test_a_slope_is_not_sharp():
    slope = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (50, 1))
    assert sharpness(Image.fromarray(slope)) == 0


def test_the_more_blurred_the_less_sharp():
    made = Image.effect_noise((200, 150), 60)
    made.paste(picture(1).convert("L"), (20, 20))
    blurred = [sharpness(made.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 1, 2, 4)]
    assert all(much > 2 * less for much, less in itertools.pairwise(blurred))


def test_two_implementations_agree():
    grey = np.random.default_rng(0).integers(0, 256, (41, 30)).astype(float)
    inner = [
        grey[y - 1, x] + grey[y + 1, x] + grey[y, x - 1] + grey[y, x + 1] - 4 * grey[y, x]
        for y in range(1, 40, 2)
        for x in range(1, 29)
    ]
    assert sharpness(Image.fromarray(grey.astype(np.uint8))) == pytest.approx(np.var(inner), rel=1e-4)
