import hashlib
import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from lookalike.images.hashing import content_id, perceptual_hash


def scene(seed, width=320, height=240):
    """A smooth picture with shapes in it: what photographs look like at 32 × 32."""
    rng = np.random.default_rng(seed)
    rough = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    picture = rough.resize((width, height), Image.Resampling.BICUBIC)
    for _ in range(5):
        x, y = int(rng.integers(0, width - 60)), int(rng.integers(0, height - 60))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        picture.paste(colour, (x, y, x + 60, y + 60))
    return picture


def distance(one, other):
    return (perceptual_hash(one) ^ perceptual_hash(other)).bit_count()


def recompressed(image, quality):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def test_an_id_is_the_first_63_bits_of_the_sha256():
    image, sha256 = content_id(b"abc")
    assert sha256.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert image == 0xBA7816BF8F01CFEA >> 1


def test_an_id_fits_a_signed_64_bit_column():
    ids = [content_id(bytes([number]))[0] for number in range(256)]
    assert all(0 <= image < 2**63 for image in ids)
    assert len(set(ids)) == 256


def test_the_same_bytes_have_the_same_id_and_others_another():
    assert content_id(b"cat") == content_id(b"cat")
    assert content_id(b"cat")[0] != content_id(b"cats")[0]
    assert content_id(b"")[1] == hashlib.sha256().digest()


def test_a_single_wave_sets_the_bits_of_its_frequency_alone():
    # Grey = 128 + 100 cos(π (x + ½) 2 / 32): the mean, and the horizontal frequency 2. Every other
    # frequency is 0 but for what rounding to whole greys leaves, so vertical ones are 0 exactly.
    x = np.arange(32) + 0.5
    row = np.rint(128 + 100 * np.cos(np.pi * x * 2 / 32)).astype(np.uint8)
    bits = perceptual_hash(Image.fromarray(np.tile(row, (32, 1))))
    first_row, rest = bits >> 56, bits & (2**56 - 1)
    assert first_row & 0b1010_0000 == 0b1010_0000
    assert rest == 0


@pytest.mark.parametrize("grey", [1, 77, 128, 200, 255])
def test_flat_pictures_have_one_hash_whatever_their_grey(grey):
    # Nothing but a mean: rounding errors must not become 63 random bits.
    assert perceptual_hash(Image.new("RGB", (64, 48), (grey,) * 3)) == 1 << 63


def test_two_implementations_of_the_transform_agree():
    image = scene(0)
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float64)
    n = np.arange(32)
    low = np.empty((8, 8))
    for v in range(8):
        for u in range(8):
            along_y = np.cos(np.pi * v * (2 * n + 1) / 64)[:, None]
            along_x = np.cos(np.pi * u * (2 * n + 1) / 64)[None, :]
            low[v, u] = (grey * along_y * along_x).sum()
    bits = "".join("1" if value > np.median(low) else "0" for value in low.ravel())
    assert perceptual_hash(image) == int(bits, 2)


@pytest.mark.parametrize("seed", range(10))
def test_copies_differ_in_few_bits(seed):
    image = scene(seed)
    assert distance(image, image.resize((160, 120))) <= 4
    assert distance(image, image.resize((800, 600))) <= 4
    assert distance(image, recompressed(image, 60)) <= 4
    assert distance(image, recompressed(image.resize((200, 150)), 40)) <= 8
    assert distance(image, ImageEnhance.Brightness(image).enhance(0.8)) <= 6
    assert distance(image, image.convert("L").convert("RGB")) <= 2


def test_different_pictures_differ_in_many_bits():
    hashes = [perceptual_hash(scene(seed)) for seed in range(20)]
    apart = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > 10
    assert 25 < np.mean(apart) < 39  # 32 for hashes that have nothing in common


def test_a_mirrored_picture_is_another_picture():
    image = scene(3)
    assert distance(image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 10


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_the_smallest_and_thinnest_pictures_have_a_hash(size):
    assert 0 <= perceptual_hash(Image.new("RGB", size, (200, 100, 0))) < 2**64
