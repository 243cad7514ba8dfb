"""Pictures that take too long: named, left alone, and tried again when they are given more time."""

import io
import math

import pytest
from PIL import Image

from lookalike import Collection, InvalidInputError
from lookalike.images import apart


def picture(form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((900, 700)).convert("RGB").save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "quick.jpg").write_bytes(picture("JPEG"))
    (tmp_path / "slow.tif").write_bytes(picture("TIFF", compression="tiff_lzw"))
    return Collection.create(tmp_path, model="pixels-8-grey")


def test_a_slow_picture_is_a_failure_and_tried_again_only_with_more_time(photos, monkeypatch):
    monkeypatch.setattr(apart, "is_far_too_slow", lambda cost, seconds: cost.is_apart and seconds < 1)
    first = photos.sync(picture_seconds=0.5)
    assert (first.embedded, first.failed) == (1, 1)
    assert first.failures[0].reason == "to decode it would take longer than 0.5 s"
    monkeypatch.setattr(apart, "is_far_too_slow", lambda cost, seconds: pytest.fail("tried again"))
    for seconds in (0.5, 0.1):
        assert len(photos.sync(picture_seconds=seconds).failures) == 1
    monkeypatch.undo()
    again = photos.sync()
    assert (again.embedded, again.failures) == (1, ())


def test_what_is_added_is_bounded_too(photos, monkeypatch):
    monkeypatch.setattr(apart, "is_far_too_slow", lambda cost, seconds: cost.is_apart and seconds < 1)
    content = picture("TIFF", compression="tiff_lzw")
    report = photos.add([(content, "one")], picture_seconds=0.5)
    assert "longer than 0.5 s" in report.failures[0].reason
    assert photos.add([(content, "one")]).added == 1


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, "30", True, None])
def test_absurd_times_are_refused(photos, seconds):
    with pytest.raises(InvalidInputError, match="picture_seconds"):
        photos.sync(picture_seconds=seconds)
    with pytest.raises(InvalidInputError, match="picture_seconds"):
        photos.add([], picture_seconds=seconds)
