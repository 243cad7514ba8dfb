"""One picture is laid on another, whatever was done to it; strangers are not."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from edited_pictures import bordered, captioned, encoded, in_a_screenshot, letterboxed, page, scene
from lookalike.duplicates.evidence import EVIDENCE, detail
from lookalike.duplicates.looks import Look
from lookalike.duplicates.verifying import align, verify
from pictures import STORED_AS

PICTURE = scene(0)

EDITS = {
    "encoded": lambda image: Image.open(io.BytesIO(encoded(image, 30))),
    "small": lambda image: image.resize((80, 60)),
    "stretched": lambda image: image.resize((380, 240)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "grey": lambda image: image.convert("L"),
    "cropped": lambda image: image.crop((10, 20, 300, 230)),
    "cropped much": lambda image: image.crop((100, 20, 310, 180)),
    "bordered": bordered,
    "letterboxed": letterboxed,
    "captioned": captioned,
    "in a screenshot": in_a_screenshot,
    "straightened": lambda image: image.rotate(3, Image.Resampling.BICUBIC).crop((12, 12, 308, 228)),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_picture_is_laid_on_its_own(edit):
    row = verify(Look.of(PICTURE), Look.of(EDITS[edit](PICTURE)))
    assert row.dtype == EVIDENCE
    assert len(row) == 1
    assert row["score"][0] > 0.8
    assert row["turn"][0] == 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_turned_and_cropped_picture_is_laid_on_its_own_by_its_turn(turn):
    stored = PICTURE.crop((20, 10, 310, 230))
    if STORED_AS[turn] is not None:
        stored = stored.transpose(STORED_AS[turn])
    row = verify(Look.of(PICTURE), Look.of(stored), turn)
    assert row["turn"][0] == turn
    assert row["score"][0] > 0.95


@pytest.mark.parametrize("turn", range(2, 9))
def test_picture_that_stands_upright_needs_no_turn_though_one_was_told(turn):
    assert verify(Look.of(PICTURE), Look.of(bordered(PICTURE)), turn)["turn"][0] == 1


def test_strangers_are_not_alike():
    looks = [Look.of(scene(seed)) for seed in range(12)]
    rows = [verify(a, b) for i, a in enumerate(looks) for b in looks[:i]]
    scores = [float(row["score"][0]) for row in rows if len(row)]
    assert max(scores, default=0) < 0.65


@pytest.mark.parametrize("turn", [1, 2, 3, 5, 6, 8])
def test_evidence_is_the_same_in_either_order(turn):
    other = captioned(PICTURE).crop((0, 0, 290, 240))
    other = other if STORED_AS[turn] is None else other.transpose(STORED_AS[turn])
    back = {6: 8, 8: 6}.get(turn, turn)
    one, two = Look.of(PICTURE), Look.of(other)
    forth, reverse = verify(one, two, turn)[0], verify(two, one, back)[0]
    assert forth["score"] == reverse["score"]
    assert (forth["details"] == reverse["details"]).all()
    assert (forth["cells_a"] == reverse["cells_b"]).all()
    assert forth["turn"] == turn
    assert reverse["turn"] == back


def test_evidence_is_the_same_again():
    looks = Look.of(PICTURE), Look.of(captioned(PICTURE))
    assert verify(*looks).tobytes() == verify(*looks).tobytes()


def test_evidence_has_the_ids_that_were_given():
    row = verify(Look.of(PICTURE), Look.of(PICTURE), 1, (7, 9))[0]
    assert (row["a"], row["b"]) == (7, 9)


def test_only_the_cells_below_a_caption_differ():
    row = verify(Look.of(page(0)), Look.of(captioned(page(0))))
    cells = np.unpackbits(row["cells_a"][0], bitorder="little").reshape(16, 16)
    assert cells[13:15].any()
    assert not cells[:12].any()


def test_pages_of_one_layout_differ_in_their_words_and_a_caption_leaves_them():
    first = Look.of(page(0))
    other, with_caption = verify(first, Look.of(page(1))), verify(first, Look.of(captioned(page(0))))
    assert detail(other, "textured_50")[0] < 0.9
    assert detail(with_caption, "textured_10")[0] > 0.98


def test_flat_pictures_are_alike_to_nothing():
    grey, black = (Look.of(Image.new("RGB", (200, 100), color)) for color in ("gray", "black"))
    assert len(verify(grey, black)) == 0
    assert len(verify(grey, Look.of(PICTURE))) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1)])
def test_tiny_and_long_pictures_are_compared(size):
    odd = Look.of(Image.new("RGB", size, "red"))
    assert len(verify(odd, Look.of(PICTURE), 6)) == 0
    assert len(verify(odd, odd)) == 0


def test_transparent_drawing_is_laid_on_itself_on_white():
    drawing = PICTURE.convert("RGBA")
    drawing.putalpha(Image.linear_gradient("L").resize(drawing.size).point(lambda x: 255 if x > 99 else 0))
    white = Image.new("RGBA", drawing.size, "white")
    row = verify(Look.of(drawing), Look.of(Image.alpha_composite(white, drawing).convert("RGB")))
    assert row["score"][0] > 0.99


def test_alignment_leads_from_shares_of_the_one_to_shares_of_the_other():
    crop = PICTURE.crop((80, 60, 320, 240))  # from a quarter on, along and down
    found = align(Look.of(PICTURE), Look.of(crop))
    assert found.matrix == pytest.approx(
        np.array([[4 / 3, 0, -1 / 3], [0, 4 / 3, -1 / 3], [0, 0, 1]]), abs=0.01
    )
    assert found.overlap == pytest.approx(9 / 16, abs=0.02)
    assert found.gain == pytest.approx(1, abs=0.03)


def test_alignment_of_a_turned_picture_is_to_it_as_turned():
    crop = PICTURE.crop((80, 60, 320, 240)).transpose(Image.Transpose.ROTATE_90)
    found = align(Look.of(PICTURE), Look.of(crop), 6)
    assert found.turn == 6
    assert found.matrix == pytest.approx(
        np.array([[4 / 3, 0, -1 / 3], [0, 4 / 3, -1 / 3], [0, 0, 1]]), abs=0.01
    )


def test_strangers_have_no_alignment_to_speak_of():
    found = align(Look.of(scene(3)), Look.of(scene(4)))
    assert found is None or found.score < 0.65
