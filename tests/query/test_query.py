"""What a search may start from. The model is replaced by one whose vectors are worked by hand."""

import io
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from lookalike.embed import get_model, unit_rows
from lookalike.errors import QueryError, QueryNotFoundError
from lookalike.images import content_id
from lookalike.images.color import icc
from lookalike.images.color.h273 import SRGB, Power
from lookalike.images.color.icc import Space
from lookalike.query.embedding import NEGATIVE_WEIGHT, EmbeddedQuery, combine, cut, embed_query
from lookalike.query.reading import read_query
from lookalike.query.terms import ImageFile, Vector, Words

MODEL = get_model("lite0")


class MeanColour:
    """Embeds an image as its mean colour: (n, 3)."""

    model = replace(MODEL, metric="euclidean")  # a black image is no direction

    def prepare(self, image):
        assert image.mode == "RGB"
        return np.asarray(image.resize((4, 4), Image.Resampling.BOX))

    def embed(self, images):
        return images.reshape(len(images), -1, 3).mean(axis=1).astype(np.float32)


class Images:
    """A collection of images, which has vectors of some."""

    models = ()

    def __init__(self, vector_of):
        self.vector_of = vector_of


def embed(query, stored=lambda image: None, load=MeanColour, **options):
    return embed_query(read_query(query), MODEL, load, Images(stored), **options)


def never(*arguments):
    raise AssertionError("this was not to be called")


def asked(*vector):
    return EmbeddedQuery("", np.array(vector, np.float32))


@pytest.fixture
def red(tmp_path):
    file = tmp_path / "red.png"
    Image.new("RGB", (300, 200), (255, 0, 0)).save(file)
    return file


def test_file_is_embedded_and_named_and_has_a_thumbnail(red):
    for query in (red, str(red)):
        result = embed(query)
        assert result.vector.tolist() == [255, 0, 0]
        assert result.name == "red.png"
        assert result.id == content_id(red.read_bytes())[0]
        assert result.thumbnail.size == (300, 200)


def test_relative_path_is_a_file(red, monkeypatch):
    monkeypatch.chdir(red.parent)
    assert embed("red.png").vector.tolist() == [255, 0, 0]
    assert embed(os.path.join(".", "red.png")).name == "red.png"


def test_stored_image_does_not_load_the_model(red):
    vector = np.float32([1, 2, 3])
    identity = content_id(red.read_bytes())[0]
    result = embed(red, stored={identity: vector}.get, load=never)
    assert result.vector is vector
    assert result.id == identity
    assert result.thumbnail is None


def test_pixels_are_embedded_without_an_id():
    pixels = np.zeros((20, 10, 3), np.uint8)
    pixels[..., 2] = 200
    for query in (pixels, pixels[::-1, ::2], np.asfortranarray(pixels)):
        result = embed(query, stored=never)
        assert result.vector.tolist() == [0, 0, 200]
        assert result.name == "pixels"
        assert result.id is None
    assert (pixels[..., 2] == 200).all()
    assert result.thumbnail.size == (10, 20)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((9, 9), np.int64),
        np.zeros((9, 9, 5), np.uint8),
        np.zeros((3, 9, 9), np.uint8),
        np.full((9, 9, 3), 255.0),
        np.full((9, 9), np.nan),
        np.zeros((9, 9, 3), np.complex64),
        np.zeros((0, 9, 3), np.uint8),
        np.zeros((2, 9, 9, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_an_error_that_says_what_is(pixels):
    with pytest.raises(QueryError, match=r"expected uint8 of shape \(height, width, 3\)"):
        embed(pixels)


@pytest.mark.parametrize("query", [None, 0.5, True, np.zeros(3, np.uint8), [[1, 2], [3, 4]], {"id": "0"}])
def test_what_is_no_query_is_an_error_that_says_what_may_be_one(query):
    with pytest.raises(QueryError, match="expected an image file, a URL, words, a hit"):
        embed(query)


@pytest.mark.parametrize(
    ("image", "colour"),
    [
        (Image.new("RGB", (8, 8), (10, 20, 30)), (10, 20, 30)),
        (Image.new("L", (8, 8), 40), (40, 40, 40)),
        (Image.new("1", (8, 8), 1), (255, 255, 255)),
        (Image.new("P", (8, 8), 0), (0, 0, 0)),
        (Image.new("CMYK", (8, 8), (0, 0, 0, 255)), (0, 0, 0)),
        (Image.new("HSV", (8, 8), (0, 0, 90)), (90, 90, 90)),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 0)), (255, 255, 255)),
        (Image.new("RGBA", (8, 8), (10, 20, 30, 255)), (10, 20, 30)),
        (Image.new("LA", (8, 8), (0, 0)), (255, 255, 255)),
        (Image.new("I;16", (8, 8), 128 * 257), (128, 128, 128)),
        (Image.new("I", (8, 8), 200), (200, 200, 200)),
        (Image.new("F", (8, 8), 1.0), (255, 255, 255)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)
def test_image_of_any_mode_is_embedded_as_its_file_would_be(image, colour):
    assert embed(image).vector.tolist() == list(colour)


def test_opened_image_is_embedded_as_its_file(tmp_path):
    """The right way up, and white where it is transparent."""
    upper = Image.new("RGB", (40, 20), (255, 255, 0))
    upper.paste((0, 0, 255), (0, 0, 40, 10))
    exif = upper.getexif()
    exif[0x0112] = 6
    upper.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as opened:
        query = embed(opened)
    assert query.thumbnail.size == embed(tmp_path / "turned.png").thumbnail.size == (20, 40)
    assert query.thumbnail.tobytes() == embed(tmp_path / "turned.png").thumbnail.tobytes()
    with Image.open(tmp_path / "turned.png") as opened:  # turned once, not twice
        assert embed(ImageOps.exif_transpose(opened)).thumbnail.tobytes() == query.thumbnail.tobytes()


def test_image_is_read_by_the_profile_in_its_info():
    lab = ImageCms.createProfile("LAB")
    image = Image.new("RGB", (8, 8), (200, 40, 40))
    in_lab = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert np.abs(embed(in_lab).vector - [200, 40, 40]).max() <= 3
    grey = Image.new("L", (8, 8), 100)
    grey.info["icc_profile"] = icc.profile(Space(SRGB.primaries, Power(1.0)), is_grey=True)
    assert np.abs(embed(grey).vector - 168).max() <= 1  # as much light as 100 / 255 is
    grey.info["icc_profile"] = b"no profile"
    assert embed(grey).vector.tolist() == [100, 100, 100]


def test_image_that_turns_out_damaged_is_an_error_of_ours():
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "PNG")
    cut = Image.open(io.BytesIO(stream.getvalue()[:1500]))
    with cut, pytest.raises(QueryError, match="the query cannot be read"):
        embed(cut)


def test_image_without_pixels_is_an_error_of_ours():
    with pytest.raises(QueryError, match="0 × 5 pixels"):
        embed(Image.new("RGB", (0, 5)))


def test_folder_is_no_query(tmp_path):
    with pytest.raises(QueryError, match="is a folder; expected an image file or a URL"):
        embed(tmp_path)


@pytest.mark.parametrize(
    "words", ["a red car", "no-such-file.jpg", "", "w" * 300, "many words " * 1000, "a\0b"]
)
def test_words_are_refused_by_a_model_that_knows_only_images(words):
    with pytest.raises(QueryError, match=r"there is no file .*the model lite0 knows only images"):
        embed(words, load=never)


def test_file_that_is_no_image_is_an_error_that_names_it(tmp_path):
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    (tmp_path / "dangling.png").symlink_to("nowhere")
    for name, words in (
        ("notes.txt", "not an image"),
        ("empty.png", "the file is empty"),
        ("dangling.png", "no such file"),
    ):
        with pytest.raises(QueryError, match=rf"the query cannot be read: .*{name}: {words}"):
            embed(tmp_path / name, load=never)


def test_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(QueryNotFoundError, match=r"there is no file .*gone\.png"):
        embed(ImageFile(tmp_path / "gone.png"), load=never)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/cat.jpg",
        "file:///etc/hostname",
        "http://127.0.0.1:9/cat.jpg",
        "http://[::1]/cat.jpg",
        "http://",
        "://",
    ],
)
def test_url_that_is_refused_is_an_error_of_ours(url):
    with pytest.raises(QueryError, match="the query cannot be fetched"):
        embed(url, load=never)


def test_url_of_the_local_network_is_fetched_only_if_allowed(red, monkeypatch):
    def fetch(url, allow_private):
        assert url == "http://nas.local/red.png"
        assert allow_private
        return red.read_bytes()

    monkeypatch.setattr("lookalike.images.fetch.fetch", fetch)
    result = embed("http://nas.local/red.png", allow_private=True)
    assert result.vector.tolist() == [255, 0, 0]
    assert result.name == "red.png"


def test_one_query_is_its_own_direction():
    combined = combine([asked(3, 4)])
    assert combined.dtype == np.float32
    np.testing.assert_allclose(combined, [[0.6, 0.8]], rtol=1e-6)


def test_several_queries_are_their_mean():
    np.testing.assert_allclose(combine([asked(1, 0), asked(0, 1)]), [[2**-0.5, 2**-0.5]], rtol=1e-6)


def test_what_is_not_wanted_pushes_by_half():
    combined = combine([asked(1, 0)], [asked(0, 1), asked(0, 1)])
    np.testing.assert_allclose(combined, [np.array([1, -NEGATIVE_WEIGHT]) / 1.25**0.5], rtol=1e-6)


def test_order_of_the_queries_does_not_matter():
    one, two, three = asked(1, 0, 0), asked(0, 1, 0), asked(0, 0, 1)
    np.testing.assert_allclose(combine([one, two], [three]), combine([two, one], [three]), rtol=1e-6)


@pytest.mark.parametrize("length", [1, 1e-3, 1e3])
def test_queries_that_cancel_out_are_an_error_and_not_noise(length):
    direction = np.random.default_rng(0).standard_normal(1280)
    direction *= length / np.linalg.norm(direction)
    with pytest.raises(QueryError, match="cancel each other out"):
        combine([asked(*direction), asked(*-direction)])
    with pytest.raises(QueryError, match="cancel each other out"):
        combine([asked(*direction), asked(*(-direction * (1 + 1e-7)))])
    with pytest.raises(QueryError, match="cancel each other out"):
        combine([asked(*direction / 2)], [asked(*direction)])
    assert np.isfinite(combine([asked(*direction)], [asked(*direction)])).all()


def test_equal_weights_change_no_bit():
    vectors = np.random.default_rng(1).standard_normal((5, 300)).astype(np.float32)
    plain = [EmbeddedQuery("", vector) for vector in vectors]
    for metric in ("cosine", "euclidean"):
        pushed = vectors[:3].mean(axis=0)
        push = vectors[3:].mean(axis=0)
        pushed = pushed - NEGATIVE_WEIGHT * (push if metric == "cosine" else push - pushed)
        expected = unit_rows(pushed[None]) if metric == "cosine" else pushed[None]
        for weight in (1.0, 4.0):
            weighed = [replace(each, weight=weight) for each in plain]
            assert (combine(weighed[:3], weighed[3:], metric) == expected).all()


def test_the_mean_is_by_weight():
    heavy, light = replace(asked(1, 0), weight=3.0), asked(0, 1)
    np.testing.assert_allclose(combine([heavy, light], metric="euclidean"), [[0.75, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(combine([heavy, light]), [np.array([3, 1]) / 10**0.5], rtol=1e-6)
    assert (combine([heavy]) == [[1, 0]]).all()


def test_what_is_not_wanted_pushes_by_its_weight_against_that_of_what_is():
    wanted, unwanted = replace(asked(1, 0), weight=4.0), replace(asked(0, 1), weight=2.0)
    np.testing.assert_allclose(combine([wanted], [unwanted], "euclidean"), [[1.25, -0.25]], rtol=1e-6)
    least, most = replace(wanted, weight=1e-6), replace(unwanted, weight=1e6)
    for metric in ("cosine", "euclidean"):
        assert np.isfinite(combine([least], [most], metric)).all()
        assert np.isfinite(combine([most], [least], metric)).all()


def test_a_region_is_cut_from_the_whole_picture_the_right_way_up(tmp_path):
    """Of a JPEG of 12 megapixels, which is otherwise decoded smaller, and lies on its side."""
    picture = Image.new("RGB", (4000, 3000), (0, 0, 255))
    picture.paste((255, 0, 0), (0, 0, 40, 3000))
    exif = picture.getexif()
    exif[0x0112] = 6  # a quarter to the right: the red edge is at the top
    picture.save(tmp_path / "turned.jpg", exif=exif, quality=95)
    query = embed_query(
        ImageFile(tmp_path / "turned.jpg", region=(0, 0, 1, 0.008)), MODEL, MeanColour, Images(never)
    )
    assert query.vector.tolist() == pytest.approx([254, 0, 0], abs=3)
    assert query.cut_from == "picture"
    assert query.thumbnail.width > 10 * query.thumbnail.height
    assert query.id == content_id((tmp_path / "turned.jpg").read_bytes())[0]


def test_a_region_has_a_pixel_at_least():
    pixels = np.arange(4 * 3 * 3, dtype=np.uint8).reshape(4, 3, 3)
    picture = Image.fromarray(pixels)
    for region, expected in (
        ((0, 0, 1, 1), pixels),
        ((1 / 3, 0.25, 1 / 3, 0.5), pixels[1:3, 1:2]),
        ((0.9999, 0.9999, 1e-9, 1e-9), pixels[3:, 2:]),
        ((0.7, 0, 0.3, 1), pixels[:, 2:]),
    ):
        assert np.array_equal(np.asarray(cut(picture, region)), expected)


def test_a_vector_is_a_unit_row_where_the_model_gives_such():
    vector = np.zeros(1280)
    vector[:2] = 3e-30, 4e-30
    for scale in (1, 1e30, 1e60):
        query = embed_query(Vector(vector * scale, weight=2), MODEL, never, Images(never))
        assert query.vector[:2].tolist() == pytest.approx([0.6, 0.8])
        assert (query.vector.dtype, query.name, query.weight) == (np.float32, "vector", 2.0)
    euclidean = get_model("pixels-28-grey")
    query = embed_query(Vector(np.full(784, 7)), euclidean, never, Images(never))
    assert (query.vector == 7).all()
    with pytest.raises(QueryError, match=r"the vector has 3 dimensions; the model lite0 has 1,280"):
        embed_query(Vector([1, 2, 3]), MODEL, never, Images(never))
    with pytest.raises(QueryError, match="all zeros"):
        embed_query(Vector(np.zeros(1280)), MODEL, never, Images(never))


def test_words_that_are_said_to_be_words_are_no_file_with_a_slip_of_the_pen():
    with pytest.raises(QueryError, match=r"^words cannot be searched for: the model lite0"):
        embed_query(Words("beach.jpg"), MODEL, never, Images(never))


def test_no_queries_are_an_error():
    with pytest.raises(QueryError, match="nothing to search for"):
        combine([])
