"""Two pictures compared: what one is to the other, how it lies there, where they differ."""

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from lookalike import InvalidInputError, QueryError, QueryInputError, QueryNotFoundError
from lookalike.duplicates import compare
from lookalike.images.own import is_own_picture

SIDE = 320, 240


def scene(seed: int) -> Image.Image:
    """A picture with as much detail as a photo has: blots of all sizes, in colors."""
    random = np.random.default_rng(seed)
    shown = np.zeros((SIDE[1], SIDE[0], 3))
    for size in (4, 8, 16, 32, 64):
        blots = random.uniform(0, 255, (SIDE[1] // size + 2, SIDE[0] // size + 2, 3)).astype(np.uint8)
        shown += np.asarray(Image.fromarray(blots).resize(SIDE, Image.Resampling.BICUBIC)) * size**0.5
    shown = 128 + 55 * (shown - shown.mean()) / shown.std()
    return Image.fromarray(np.clip(shown, 0, 255).astype(np.uint8))


def saved(image: Image.Image, form: str = "JPEG", **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def photo():
    return scene(1)


@pytest.fixture
def folder(tmp_path, photo):
    """A picture, and an edited one: the middle, turned, with a white bar on it."""
    edited = photo.crop((32, 24, 288, 216))
    ImageDraw.Draw(edited).rectangle((20, 150, 200, 170), fill="white")
    photo.save(tmp_path / "one.png")
    edited.rotate(90, expand=True).save(tmp_path / "edited.jpg", quality=92)
    scene(2).save(tmp_path / "other.png")
    return tmp_path


def test_the_same_file_is_identical(photo):
    data = saved(photo)
    found = compare(data, data)
    assert (found.kind, found.probability, found.turn) == ("identical", 1.0, 1)
    assert found.has_same_bytes and found.has_same_pixels
    assert found.words == "the second is the first, byte by byte: identical, 100 %"


def test_the_same_pixels_in_another_file_are_the_same_picture(photo):
    found = compare(saved(photo, "PNG"), saved(photo, "BMP"))
    assert (found.kind, found.probability) == ("same", 1.0)
    assert found.has_same_pixels and not found.has_same_bytes
    assert found.differing == 0 and not np.nansum(found.differences())


def test_a_picture_encoded_anew_is_the_same(photo):
    found = compare(photo, saved(photo.resize((160, 120)), quality=80))
    assert found.kind == "same" and found.probability > 0.9
    assert found.changes == ["scaled to 50 %", "as JPEG"]


def test_a_crop_is_found_where_it_was_taken_from(photo):
    found = compare(photo, photo.crop((32, 24, 288, 216)))  # 80 % each way
    assert found.kind in ("same", "edited") and found.probability > 0.9
    assert found.share_of_a == pytest.approx(0.64, abs=0.01) and found.share_of_b > 0.99
    assert "cropped to 64 % of it" in found.relation
    corners = found.alignment.matrix @ np.array([[0.1, 0.1, 1], [0.9, 0.9, 1]]).T
    np.testing.assert_allclose(corners[:2] / corners[2], [[0, 1], [0, 1]], atol=0.01)
    laid = np.asarray(found.laid())
    assert laid.shape == (240, 320, 4)
    inside = (slice(40, 200), slice(50, 270))
    assert np.abs(laid[inside][..., :3].astype(int) - np.asarray(photo)[inside]).mean() < 4
    assert not laid[:20, :, 3].any() and laid[inside][..., 3].all()


def test_the_other_way_round_it_lies_within_a_larger_picture(photo):
    found = compare(photo.crop((32, 24, 288, 216)), photo)
    assert found.share_of_a > 0.99 and found.share_of_b == pytest.approx(0.64, abs=0.02)
    assert "within a picture of which it fills 64 %" in found.relation


@pytest.mark.parametrize(
    "turn, how, words",
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT, "mirrored"),
        (3, Image.Transpose.ROTATE_180, "turned by 180°"),
        (4, Image.Transpose.FLIP_TOP_BOTTOM, "mirrored upside down"),
        (5, Image.Transpose.TRANSPOSE, "mirrored and turned by 90°"),
        (6, Image.Transpose.ROTATE_90, "turned by 90° to the left"),
        (7, Image.Transpose.TRANSVERSE, "mirrored and turned by 90°"),
        (8, Image.Transpose.ROTATE_270, "turned by 90° to the right"),
    ],
)
def test_a_turned_picture_is_told_with_its_turn(photo, turn, how, words):
    found = compare(photo, photo.transpose(how))
    assert found.turn == turn and found.probability > 0.9
    assert found.relation == f"the second is the first, {words}"
    assert found.differing == 0
    assert np.nanmax(found.differences()) < 0.1
    assert np.abs(np.asarray(found.laid())[..., :3].astype(int) - np.asarray(photo)).mean() < 2


def test_what_was_put_on_a_picture_is_where_they_differ(photo):
    edited = photo.copy()
    ImageDraw.Draw(edited).rectangle((100, 80, 179, 119), fill="white")
    found = compare(photo, edited)
    assert found.differing == pytest.approx(80 * 40 / (320 * 240), rel=0.25)
    assert "something else on" in found.relation
    differs = found.differences() > 0.16
    assert differs[84:116, 104:176].mean() > 0.9
    differs[78:122, 98:182] = False
    assert differs.mean() < 0.001
    shown = np.asarray(found.difference()).astype(int)
    assert shown[100, 140, 0] - shown[100, 140, 1] > 80
    assert np.ptp(shown[20, 20]) < 30


@pytest.mark.parametrize("change, words", [(40, "lighter"), (-40, "darker")])
def test_other_brightness_is_said_and_is_no_difference(photo, change, words):
    found = compare(photo, photo.point(lambda level: level + change))
    assert words in found.changes
    assert found.differing < 0.01


def test_a_picture_without_its_colors_is_said_to_be_so(photo):
    found = compare(photo, photo.convert("L"))
    assert "without its colors" in found.changes
    assert found.differing < 0.01


def test_a_border_is_no_part_of_the_picture(photo):
    found = compare(photo, ImageOps.expand(photo, 40, "white"))
    assert found.kind in ("same", "edited")
    assert found.share_of_a > 0.97
    assert found.share_of_b == pytest.approx(320 * 240 / (400 * 320), abs=0.03)


def test_different_pictures_are_different(photo):
    found = compare(photo, scene(2))
    assert found.kind is None and found.alignment is None and found.probability < 0.5
    assert found.laid() is None and np.isnan(found.differences()).all()
    assert found.relation == "the second and the first are different pictures"
    assert found.to_dict()["alignment"] is None
    assert found.draw().get_axes()


@pytest.mark.parametrize("level", [0, 128, 255])
def test_pictures_of_one_color_are_compared_by_their_pixels(level):
    one = Image.new("RGB", (64, 48), (level,) * 3)
    assert compare(one, one).kind == "same"
    assert compare(one, Image.new("RGB", (64, 48), (level // 2 + 9,) * 3)).kind is None


def test_shots_within_seconds_were_taken_together(photo):
    def taken(image, seconds):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2024:05:01 12:00:{seconds:02d}"
        return saved(image, exif=exif)

    shifted = photo.crop((6, 0, 320, 240))
    assert compare(taken(photo, 1), taken(shifted, 3)).kind == "together"
    assert compare(taken(photo, 1), saved(shifted)).kind != "together"


def test_paths_bytes_images_and_arrays_are_the_same_pictures(folder, photo):
    ways = [folder / "one.png", str(folder / "one.png"), saved(photo, "PNG"), photo, np.asarray(photo)]
    for way in ways:
        assert compare(way, photo).has_same_pixels
        assert compare(photo, way).a.width == 320
    assert compare(ways[0], ways[2]).has_same_bytes
    assert compare(ways[0], ways[3]).a.name == "one.png"


def test_what_is_no_picture_is_refused_by_its_side(folder, photo):
    (folder / "no.jpg").write_bytes(b"no picture")
    for wrong, error in [
        ("missing.jpg", QueryNotFoundError),
        (folder / "missing.jpg", QueryNotFoundError),
        ("a red car", QueryNotFoundError),
        (folder, QueryInputError),
        (folder / "no.jpg", QueryInputError),
        (7, QueryInputError),
        ([0.5, 1.0], QueryInputError),
    ]:
        with pytest.raises(error):
            compare(photo, wrong)
        with pytest.raises(QueryError) as raised:
            compare(wrong, photo)
        assert raised.value.field in ("a", None)


def test_a_notebook_shows_the_picture_of_the_difference(folder):
    found = compare(folder / "one.png", folder / "edited.jpg")
    html = found._repr_html_()
    assert "edited.jpg is one.png" in html and "data:image/png;base64," in html
    assert repr(found).startswith(
        "<Comparison: edited.jpg is one.png, cropped to 64 % of it, turned by 90° to the left"
    )


def test_the_command_says_it_in_a_sentence(folder, call):
    code, out, _ = call("compare", "one.png", "edited.jpg", cwd=folder)
    assert code == 0
    assert out.startswith(
        "edited.jpg is one.png, cropped to 64 % of it, turned by 90° to the left, with something"
    )
    assert out.rstrip().rsplit(": ", 1)[1].startswith("edited, ")
    code, out, _ = call("compare", "one.png", "other.png", cwd=folder)
    assert code == 0 and "are different pictures" in out


def test_the_command_prints_a_document(folder, call):
    _, out, _ = call("compare", "one.png", "./edited.jpg", "--json", cwd=folder)
    document = json.loads(out)
    assert document["kind"] == "edited" and document["turn"] == 6
    assert document["a"]["path"] == "one.png" and document["b"]["path"] == "./edited.jpg"
    assert (document["b"]["width"], document["b"]["height"], document["b"]["format"]) == (192, 256, "JPEG")
    assert len(document["alignment"]["matrix"]) == 3


def test_the_command_draws_the_difference(folder, call):
    code, _, err = call("compare", "one.png", "edited.jpg", "--plot", "difference.png", "--dark", cwd=folder)
    assert code == 0 and "saved difference.png" in err
    assert is_own_picture((folder / "difference.png").read_bytes())
    with Image.open(folder / "difference.png") as drawn:
        assert drawn.getpixel((1, 1))[:3] == (0x15, 0x18, 0x1C)
    code, _, err = call("compare", "one.png", "edited.jpg", "--plot", "one.png", "--force", cwd=folder)
    assert code != 0 and "one of the two" in err


def test_the_command_refuses_what_is_no_picture(folder, call):
    code, _, err = call("compare", "one.png", "nothing.png", cwd=folder)
    assert code != 0 and "there is no file 'nothing.png'" in err


def test_comparisons_are_refused_with_what_is_wrong(photo):
    from lookalike.plots import draw_difference

    pixels = np.asarray(photo)
    with pytest.raises(InvalidInputError, match="differences"):
        draw_difference(pixels, pixels, np.zeros((3, 3), np.float32))
    with pytest.raises(InvalidInputError, match="second"):
        draw_difference(pixels, pixels[..., 0], None)
