"""Of near-duplicates the demo shows one."""

import numpy as np
import pytest
from PIL import Image

from lookalike import CancelledError, CancelToken, Collection
from lookalike.demo import copies
from lookalike.demo.copies import find_copies, near_hashes
from lookalike.system.progress import UNWATCHED, Watch


def scene(seed: int) -> Image.Image:
    """A picture with blots of all sizes."""
    random, shown = np.random.default_rng(seed), np.zeros((180, 240, 3))
    for size in (8, 16, 32, 64):
        blots = random.uniform(0, 255, (180 // size + 2, 240 // size + 2, 3)).astype(np.uint8)
        shown += np.asarray(Image.fromarray(blots).resize((240, 180), Image.Resampling.BICUBIC)) * size**0.5
    return Image.fromarray(np.clip(128 + 55 * (shown - shown.mean()) / shown.std(), 0, 255).astype(np.uint8))


@pytest.fixture
def photos(tmp_path):
    for number in range(4):
        scene(number).save(tmp_path / f"{number}.png")
    scene(0).resize((160, 120)).save(tmp_path / "smaller.jpg", quality=90)
    made = Collection.create(tmp_path, model="pixels-8-grey")
    made.sync()
    return made


@pytest.mark.parametrize("most, is_known", [(2_000, True), (0, False)])
def test_one_of_each_picture_is_left_whether_they_are_compared_or_not(photos, monkeypatch, most, is_known):
    monkeypatch.setattr(copies, "MOST_COMPARED", most)
    left_out, found = find_copies(photos, UNWATCHED)
    names = {image.path.rsplit("/", 1)[1] for image in photos if image.id in left_out}
    assert names in ({"0.png"}, {"smaller.jpg"}) and found is is_known


def test_a_comparison_that_takes_long_is_left_for_hashes(photos, monkeypatch):
    monkeypatch.setattr(copies, "SECONDS", 0.0)
    left_out, is_known = find_copies(photos, UNWATCHED)
    assert len(left_out) == 1 and not is_known


def test_who_cancels_the_demo_stops_it(photos):
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        find_copies(photos, Watch(cancel=token))


def test_pictures_of_a_kind_are_all_shown(photos, monkeypatch):
    monkeypatch.setattr(copies, "MOST_COMPARED", 0)
    monkeypatch.setattr(copies, "near_hashes", lambda ids, hashes: frozenset(ids[1:].tolist()))
    assert find_copies(photos, UNWATCHED) == (frozenset(), False)


def test_near_hashes_are_those_within_six_bits_of_one_that_stays():
    bits = [0, 0b111111, 0b1111111, 0b1111111 << 20, (1 << 64) - 1]
    left_out = near_hashes(np.arange(5), np.array(bits, np.uint64))
    assert left_out == {1}
