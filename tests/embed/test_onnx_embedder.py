from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_st
from PIL import Image

from lookalike.embed import Compute, OnnxEmbedder, get_model, load_model, unit_rows
from lookalike.errors import ModelError


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOOKALIKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def lite0(cache):
    return load_model("lite0")


def gradient(width=400, height=300):
    y, x = np.mgrid[:height, :width]
    values = np.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x + y) % 256], -1)
    return Image.fromarray(values.astype(np.uint8))


def noise(count):
    return np.random.default_rng(0).integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)


# --- the known value


def test_lite0_gives_the_known_vector(lite0):
    # Its six largest features of that picture, and where they stand; measured once, and checked on
    # Caltech-101 as a whole (tests/evaluate/test_claims_retrieval.py).
    vector = lite0.embed(lite0.prepare(gradient())[None])[0]
    assert np.argsort(-vector)[:6].tolist() == [897, 113, 901, 265, 747, 755]
    expected = [0.32258, 0.25465, 0.24152, 0.23527, 0.19611, 0.19543]
    assert np.sort(vector)[::-1][:6] == pytest.approx(expected, abs=1e-3)
    assert vector[:6] == pytest.approx([0, 0, 0.02621, 0.00746, 0, 0], abs=1e-3)


def test_rows_are_unit_float32(lite0):
    vectors = lite0.embed(noise(3))
    assert vectors.shape == (3, lite0.model.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_like_images_are_nearer_than_unlike_ones(lite0):
    image = gradient()
    pictures = [
        image,
        image.resize((200, 150)),
        Image.fromarray(noise(1)[0]),
    ]
    one, smaller, other = lite0.embed(np.stack([lite0.prepare(picture) for picture in pictures]))
    assert one @ smaller > 0.9
    assert one @ other < 0.5


def test_a_vector_does_not_depend_on_what_it_was_batched_with(lite0):
    images = noise(5)
    alone = np.concatenate([lite0.embed(image[None]) for image in images])
    for count in (2, 3, 5):
        assert np.array_equal(lite0.embed(images[:count]), alone[:count])
    assert np.array_equal(lite0.embed(images[::-1]), alone[::-1])


def test_no_images_give_no_rows(lite0):
    assert lite0.embed(noise(0)).shape == (0, 1280)


def test_threads_may_embed_at_once(lite0):
    images = noise(6)
    one_by_one = [lite0.embed(image[None]) for image in images]
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(lambda image: lite0.embed(image[None]), images))
    assert np.array_equal(one_by_one, at_once)


def test_more_cores_give_the_same_vectors(lite0):
    assert load_model("lite0", Compute(threads=2)).embed(noise(2)) == pytest.approx(
        lite0.embed(noise(2)), abs=1e-5
    )


def test_what_is_no_model_file_is_a_model_error():
    with pytest.raises(ModelError, match="the model lite0 cannot be loaded"):
        OnnxEmbedder(get_model("lite0"), b"not a graph")


# --- prepare


def test_the_network_sees_the_centre_of_the_image(lite0):
    # By hand: of 256 × 256, the 224 × 224 in the middle are taken, unscaled.
    pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    assert np.array_equal(lite0.prepare(Image.fromarray(pixels)), pixels[16:240, 16:240])


@pytest.mark.parametrize("size", [(400, 300), (300, 400), (256, 1000), (1600, 1200), (90, 70)])
def test_preparing_is_scaling_the_shorter_side_then_cropping(lite0, size):
    image = gradient(*size)
    scale = 256 / min(size)
    scaled = image.resize((round(size[0] * scale), round(size[1] * scale)), Image.Resampling.BICUBIC)
    left, top = (scaled.width - 224) // 2, (scaled.height - 224) // 2
    expected = np.asarray(scaled.crop((left, top, left + 224, top + 224)), dtype=float)[..., :2]
    assert np.abs(lite0.prepare(image)[..., :2] - expected).mean() < 1.5


@pytest.mark.parametrize("size", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_the_smallest_and_thinnest_images_can_be_prepared(lite0, size):
    prepared = lite0.prepare(Image.new("RGB", size, (9, 200, 30)))
    assert prepared.shape == (224, 224, 3)
    assert prepared.dtype == np.uint8
    assert (prepared == [9, 200, 30]).all()


# --- unit rows


def test_unit_rows_by_hand():
    rows = unit_rows(np.array([[3, 4], [0, 0], [-2, 0]], np.float32))
    assert rows.tolist() == [pytest.approx([0.6, 0.8]), [0, 0], [-1, 0]]
    assert rows.dtype == np.float32


def test_unit_rows_of_the_smallest_and_largest_numbers():
    tiny, huge = np.float32(1e-45), np.float32(3e38)
    rows = unit_rows(np.array([[tiny, 0], [0, -huge], [huge, huge]], np.float32))
    assert rows == pytest.approx(np.array([[1, 0], [0, -1], [0.5**0.5, 0.5**0.5]]))


def test_unit_rows_of_none():
    assert unit_rows(np.zeros((0, 5), np.float32)).shape == (0, 5)


def test_unit_rows_does_not_change_what_it_was_given():
    vectors = np.array([[3, 4]], np.float32)
    unit_rows(vectors)
    assert vectors.tolist() == [[3, 4]]


@given(
    numpy_st.arrays(
        np.float32,
        numpy_st.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_each_row_has_length_one_or_was_zero(vectors):
    lengths = np.linalg.norm(unit_rows(vectors).astype(np.float64), axis=1)
    assert lengths == pytest.approx(np.where(vectors.any(axis=1), 1, 0), abs=1e-6)
