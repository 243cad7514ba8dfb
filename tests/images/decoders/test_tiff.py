import io
import itertools

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images import read_image
from lookalike.images.decode import decode, decode_here
from tiff_files import assemble, tiff

HEIGHT, WIDTH = 37, 61
Y, X = np.mgrid[:HEIGHT, :WIDTH]
RED = (X * 255 // (WIDTH - 1)).astype(np.float64)  # from 0 to 255, as are the others
GREEN = (Y * 255 // (HEIGHT - 1)).astype(np.float64)
BLUE = (X * Y % 256).astype(np.float64)
GREY = BLUE
COLOURS = np.dstack([RED, GREEN, BLUE])
ORDERS = ["<", ">"]


def pixels(data):
    decoded = decode(data, "it")
    assert (decoded.format, decoded.width, decoded.height, decoded.note) == ("TIFF", WIDTH, HEIGHT, "")
    return np.asarray(decoded.image).astype(int)


def reason(data):
    with pytest.raises(ImageError) as caught:
        decode(data, "it")
    return caught.value.reason


def unsigned(values, bits):
    """Values of 0 to 255 as integers of so many bits."""
    size = next(size for size in (1, 2, 4, 8) if 8 * size >= bits)
    top = 2**bits - 1
    return (
        np.rint(np.asarray(values) / 255 * top)
        .clip(0, np.nextafter(float(top), 0) if bits > 53 else top)
        .astype(f"u{size}")
    )


def of_bits(values, bits):
    """What is left of 8-bit values that were stored in so few bits."""
    top = 2**bits - 1
    return np.rint(np.rint(values / 255 * top) / top * 255)


def assert_close(found, expected, within=1):
    assert np.abs(found - expected).max() <= within


def three(grey):
    return np.dstack([grey] * 3)


# --- depths


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 24, 32, 64])
def test_greys_of_every_depth_are_scaled_by_their_bits_and_white_may_be_0(bits, photometric, order):
    values = 255 - GREY if photometric == 0 else GREY
    data = tiff(unsigned(values, bits)[..., None], photometric, bits, order)
    expected = of_bits(values, bits) if bits < 8 else values
    assert_close(pixels(data), three(255 - expected if photometric == 0 else expected))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("bits", [4, 8, 10, 12, 16, 32])
def test_rgb_of_every_depth_is_scaled_by_its_bits(bits, order):
    data = tiff(unsigned(COLOURS, bits), 2, bits, order)
    assert_close(pixels(data), of_bits(COLOURS, bits) if bits < 8 else COLOURS)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("photometric", [0, 1, 2])
def test_floats_from_0_to_1_are_read(photometric, kind, order):
    if photometric == 2:
        assert_close(pixels(tiff((COLOURS / 255).astype(kind), 2, order=order)), COLOURS)
    else:
        expected = three(GREY if photometric else 255 - GREY)
        assert_close(pixels(tiff((GREY / 255).astype(kind)[..., None], photometric, order=order)), expected)


def test_highlights_beyond_1_do_not_darken_a_float_image():
    values = COLOURS / 255
    values[0, :5] = 7.5
    expected = COLOURS.copy()
    expected[0, :5] = 255
    assert_close(pixels(tiff(values.astype("f4"), 2)), expected)


def test_floats_of_another_range_are_stretched_over_all_channels_together():
    assert_close(pixels(tiff((COLOURS * 40 - 3000).astype("f4"), 2)), COLOURS)
    assert_close(pixels(tiff((COLOURS / 2 + 100).astype("f4"), 2)), COLOURS / 2 + 100)


def test_small_numbers_in_wide_integers_are_what_they_are():
    assert_close(pixels(tiff(COLOURS.astype("u4"), 2)), COLOURS, 0)
    assert_close(pixels(tiff((COLOURS * 257).astype("u4"), 2)), COLOURS)
    assert_close(pixels(tiff((255 - GREY).astype("u4")[..., None], 0)), three(GREY), 0)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "i8"])
def test_signed_integers_that_are_negative_are_stretched_over_their_range(kind):
    top = np.iinfo(kind).max
    values = np.rint((GREY / 127.5 - 1) * min(top, 2**53)).astype(np.int64).clip(-top, top)
    assert_close(pixels(tiff(values.astype(kind)[..., None], 1)), three(GREY), 2 if kind == "i1" else 1)


def test_signed_integers_that_hold_8_bits_are_those():
    assert_close(pixels(tiff(GREY.astype("i2")[..., None], 1)), three(GREY), 0)
    assert_close(pixels(tiff(COLOURS.astype("i4"), 2)), COLOURS, 0)


# --- alpha, on white


def on_white(colours, opacity):
    share = opacity[..., None] / 255
    return colours * share + 255 * (1 - share)


OPACITY = np.full((HEIGHT, WIDTH), 255.0)
OPACITY[:, :20] = 0
OPACITY[:, 20:40] = 102


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("extra", [1, 2])
@pytest.mark.parametrize("bits", [8, 12, 16, 32])
@pytest.mark.parametrize("photometric", [0, 1, 2])
def test_alpha_is_heeded_multiplied_or_not(photometric, bits, extra, order):
    colours = COLOURS if photometric == 2 else GREY[..., None]
    stored = 255 - colours if photometric == 0 else colours
    if extra == 1:
        stored = stored * OPACITY[..., None] / 255
    data = tiff(unsigned(np.dstack([stored, OPACITY]), bits), photometric, bits, order, extras=[extra])
    assert_close(pixels(data), on_white(colours, OPACITY) * np.ones(3), 3)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("extra", [1, 2])
def test_float_rgb_with_alpha_is_read(extra, kind):
    stored = COLOURS * OPACITY[..., None] / 255 if extra == 1 else COLOURS
    data = tiff((np.dstack([stored, OPACITY]) / 255).astype(kind), 2, extras=[extra])
    assert_close(pixels(data), on_white(COLOURS, OPACITY), 3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [1, 2, 5])
def test_unspecified_extra_samples_are_no_alpha(photometric, bits):
    colours = {1: GREY[..., None], 2: COLOURS, 5: np.dstack([255 - COLOURS, 0 * GREY])}[photometric]
    plain = pixels(tiff(unsigned(colours, bits), photometric, bits))
    for n_extras in (1, 2, 5):
        extra = np.repeat(OPACITY[..., None], n_extras, axis=2)
        data = tiff(unsigned(np.dstack([colours, extra]), bits), photometric, bits, extras=[0] * n_extras)
        assert_close(pixels(data), plain)


def test_of_several_extra_samples_the_one_that_is_alpha_counts():
    mask = 255 - OPACITY
    data = tiff(unsigned(np.dstack([COLOURS, mask, OPACITY, mask]), 16), 2, 16, extras=[0, 2, 0])
    assert_close(pixels(data), on_white(COLOURS, OPACITY), 2)


def test_a_fourth_sample_of_which_nothing_is_said_is_alpha():
    for bits in (8, 16, 32):
        data = tiff(unsigned(np.dstack([COLOURS, OPACITY]), bits), 2, bits)
        assert_close(pixels(data), on_white(COLOURS, OPACITY), 2)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", [1, 2])
def test_cmyk_with_alpha_is_laid_on_paper(extra, bits):
    inks = np.dstack([255 - COLOURS, 0 * GREY])
    stored = inks * OPACITY[..., None] / 255 if extra == 1 else inks
    data = tiff(unsigned(np.dstack([stored, OPACITY]), bits), 5, bits, extras=[extra])
    assert_close(pixels(data), on_white(COLOURS, OPACITY), 3)


def test_white_cmyk_on_transparency_can_be_seen():
    paper = np.zeros((HEIGHT, WIDTH, 4))
    found = pixels(tiff(unsigned(np.dstack([paper, OPACITY]), 8), 5, 8, extras=[2]))
    assert found[5, 50].min() == 255
    assert found[5, 5].max() < 80


@pytest.mark.parametrize("bits", [8, 12, 16, 32])
def test_cmyk_is_read_at_every_depth(bits):
    data = tiff(unsigned(np.dstack([255 - COLOURS, 0 * GREY]), bits), 5, bits)
    assert_close(pixels(data), COLOURS, 2)


# --- palettes, YCbCr, L*a*b*


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
def test_palettes_are_looked_up(bits, order):
    random = np.random.default_rng(0)
    palette = random.integers(0, 65536, (3, 2**bits))
    index = unsigned(GREY, bits)
    data = tiff(index[..., None], 3, bits, order, tags={320: palette.ravel().tolist()}.items())
    assert_close(pixels(data), (palette.T >> 8)[index], 0)


def test_a_palette_with_alpha_is_laid_on_white():
    palette = np.arange(256) * 257
    tags = {320: [*palette, *palette[::-1], *palette]}.items()
    data = tiff(np.dstack([GREY, OPACITY]).astype("u1"), 3, extras=[2], tags=tags)
    assert_close(pixels(data), on_white(np.dstack([GREY, 255 - GREY, GREY]), OPACITY))


@pytest.mark.parametrize("compression", [1, 5, 8])
@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (1, 2)])
def test_ycbcr_whose_pixels_share_colours_is_read(across, down, compression):
    even = (
        Image.fromarray(COLOURS.astype(np.uint8)).resize((16, 10)).resize((64, 40), Image.Resampling.NEAREST)
    )
    planes = np.asarray(even.convert("YCbCr"))
    units = planes.reshape(40 // down, down, 64 // across, across, 3).transpose(0, 2, 1, 3, 4)
    shared = units[:, :, 0, 0, 1:]
    stored = np.concatenate([units[..., 0].reshape(*units.shape[:2], -1), shared], axis=2)
    rows = stored.reshape(len(stored), -1)
    chunks = [tiff_chunk(rows[:5], compression), tiff_chunk(rows[5:], compression)]
    tags = {256: [64], 257: [40], 258: [8] * 3, 259: [compression], 262: [6], 277: [3], 278: [5 * down]}
    if len(rows) > 10:
        chunks = [tiff_chunk(rows[at : at + 5], compression) for at in range(0, len(rows), 5)]
    found = decode(assemble(tags | {530: [across, down]}, chunks), "it").image
    assert np.abs(np.asarray(found).astype(int) - np.asarray(even)).max() <= 3


def tiff_chunk(rows, compression):
    """Rows of bytes as one strip."""
    from tiff_files import _compress

    return _compress(np.ascontiguousarray(rows), compression)


def test_ycbcr_of_16_bits_and_of_a_narrow_range_is_read():
    planes = np.asarray(Image.fromarray(COLOURS.astype(np.uint8)).convert("YCbCr")).astype(float)
    data = tiff(unsigned(planes, 16), 6, 16, tags={530: [1, 1]}.items())
    assert_close(pixels(data), COLOURS, 3)


def test_lab_of_16_bits_is_read_as_its_8_bit_twin():
    signed = np.dstack([GREY, RED - 128, GREEN - 128])
    twin = np.dstack(
        [
            GREY.astype("i1").view("u1"),
            (RED - 128).astype("i1").view("u1"),
            (GREEN - 128).astype("i1").view("u1"),
        ]
    )
    twin[..., 0] = GREY
    deep = np.dstack(
        [
            GREY * 257,
            (signed[..., 1] * 256).astype("i2").view("u2"),
            (signed[..., 2] * 256).astype("i2").view("u2"),
        ]
    )
    expected = pixels(tiff(twin, 8))
    assert_close(pixels(tiff(deep.astype("u2"), 8)), expected)
    assert_close(pixels(tiff((np.dstack([GREY, RED, GREEN])).astype("u1"), 9)), expected)


# --- how it lies in the file


LAID_OUT = {
    "in strips": {"rows": 5},
    "in tiles": {"tile": (16, 32)},
    "planar": {"is_planar": True},
    "planar, in strips": {"is_planar": True, "rows": 7},
    "planar, in tiles": {"is_planar": True, "tile": (32, 16)},
    "bits reversed": {"is_reversed": True, "rows": 9},
    "BigTIFF": {"is_big": True, "rows": 9},
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compression", [1, 5, 8, 32946, 32773, 34925, 50000])
@pytest.mark.parametrize("laid_out", LAID_OUT)
def test_every_way_to_lay_samples_out_is_read(laid_out, compression, order):
    for bits, values in ((8, COLOURS), (12, COLOURS), (16, COLOURS)):
        data = tiff(unsigned(values, bits), 2, bits, order, compression=compression, **LAID_OUT[laid_out])
        assert_close(pixels(data), COLOURS)
    data = tiff((COLOURS / 255).astype("f4"), 2, order=order, compression=compression, **LAID_OUT[laid_out])
    assert_close(pixels(data), COLOURS)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compression", [5, 8, 50000])
@pytest.mark.parametrize("laid_out", LAID_OUT)
def test_predictors_are_undone(laid_out, compression, order):
    options = {"order": order, "compression": compression, **LAID_OUT[laid_out]}
    for bits in (8, 16, 32, 64):
        assert_close(pixels(tiff(unsigned(COLOURS, bits), 2, bits, predictor=2, **options)), COLOURS)
    for kind in ("f2", "f4", "f8"):
        data = tiff((COLOURS / 255).astype(kind), 2, predictor=3, **options)
        assert_close(pixels(data), COLOURS)
    assert_close(pixels(tiff((COLOURS / 255).astype("f4"), 2, predictor=2, **options)), COLOURS)


def test_a_strip_larger_than_what_is_read_at_once_is_read_in_pieces(monkeypatch):
    monkeypatch.setattr("lookalike.images.decoders.tiff_samples._BYTES_AT_ONCE", 1000)
    for laid_out in ({}, *LAID_OUT.values()):
        assert_close(pixels(tiff(unsigned(COLOURS, 16), 2, 16, ">", **laid_out)), COLOURS)
        assert_close(pixels(tiff(unsigned(COLOURS, 12), 2, 12, compression=8, **laid_out)), COLOURS)


def test_samples_are_turned_into_bytes_some_rows_at_a_time(monkeypatch):
    monkeypatch.setattr("lookalike.images.decoders.tiff_samples._SAMPLES_AT_ONCE", 500)
    for laid_out in ({}, *LAID_OUT.values()):
        for bits in (12, 32):
            data = tiff(unsigned(COLOURS, bits), 2, bits, ">", compression=5, **laid_out)
            assert_close(pixels(data), COLOURS)


def test_tiles_that_were_left_out_are_black():
    data = tiff(unsigned(GREY, 16)[..., None], 1, 16, tile=(16, 16))
    image = Image.open(io.BytesIO(data))
    offsets, sizes = list(image.tag_v2[324]), list(image.tag_v2[325])
    chunks = [data[at : at + size] for at, size in zip(offsets, sizes, strict=True)]
    tags = {256: [WIDTH], 257: [HEIGHT], 258: [16], 259: [1], 262: [1], 277: [1], 322: [16], 323: [16]}
    whole = assemble(tags, chunks, offsets_tag=324)
    assert_close(pixels(whole), three(GREY))
    at = whole.index(np.array(image_offsets(whole), "<u4").tobytes())
    sparse = bytearray(whole)
    sparse[at : at + 4] = bytes(4)
    at = whole.index(np.array([512] * len(chunks), "<u4").tobytes())
    sparse[at : at + 4] = bytes(4)
    expected = GREY.copy()
    expected[:16, :16] = 0
    assert_close(pixels(bytes(sparse)), three(expected))


def image_offsets(data):
    return Image.open(io.BytesIO(data)).tag_v2[324]


def test_what_tifffile_writes_is_read(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    written = itertools.product(
        (">", "<"), (False, True), ("u1", "u2", "u4", "f2", "f4", "f8"), (None, "zlib")
    )
    for number, (order, is_big, kind, compression) in enumerate(written):
        scaled = COLOURS / 255 * (1 if kind[0] == "f" else np.iinfo(kind).max)
        file = tmp_path / f"{number}.tif"
        options = (
            {"tile": (16, 16)} if number % 3 == 0 else {"planarconfig": "separate"} if number % 3 == 1 else {}
        )
        image = scaled.astype(kind)
        if "planarconfig" in options:
            image = np.moveaxis(image, 2, 0)
        tifffile.imwrite(
            file,
            image,
            byteorder=order,
            bigtiff=is_big,
            photometric="rgb",
            compression=compression,
            **options,
        )
        found = np.asarray(read_image(file).image).astype(int)
        assert np.abs(found - COLOURS).max() <= 1, (order, is_big, kind, compression, options)


# --- what goes with the picture


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("bits", [8, 12])
def test_deep_tiffs_are_turned_and_keep_their_profile(bits, orientation, monkeypatch):
    data = tiff(unsigned(COLOURS, bits), 2, bits, tags={274: [orientation], 34675: b"a profile"}.items())
    decoded = decode(data, "it")
    expected = COLOURS if orientation == 1 else np.rot90(COLOURS, -1)
    assert (decoded.height, decoded.width) == expected.shape[:2]
    assert_close(np.asarray(decoded.image).astype(int), expected)
    from lookalike.images.decoders.tiff import TiffFile

    image = TiffFile(io.BytesIO(data))
    image.load()
    assert image.info["icc_profile"] == b"a profile"
    assert image.getexif()[274] == orientation


# --- what is not read, and what is damaged


UNREAD = {
    "complex numbers": (tiff((COLOURS / 255).astype("c8"), 2), "complex"),
    "sensor data": (tiff(unsigned(GREY, 16)[..., None], 32803, 16), "raw data of a camera's sensor"),
    "LogLuv": (tiff(unsigned(COLOURS, 16), 32845, 16), "LogLuv"),
    "JPEG 2000": (tiff(unsigned(COLOURS, 8), 2, 8, tags={259: [34712]}.items()), "JPEG 2000 compression"),
    "LERC": (tiff(unsigned(COLOURS, 8), 2, 8, tags={259: [34887]}.items()), "LERC compression"),
    "old JPEG": (tiff(unsigned(COLOURS, 8), 6, 8, tags={259: [6]}.items()), "old-style JPEG compression"),
    "an unknown compression": (
        tiff(unsigned(COLOURS, 8), 2, 8, tags={259: [4711]}.items()),
        "unknown (4711)",
    ),
    "depths that differ": (tiff(unsigned(COLOURS, 8), 2, 8, tags={258: [5, 6, 5]}.items()), "5-6 bits"),
    "other inks": (tiff(unsigned(np.dstack([COLOURS, GREY]), 8), 5, 8, "<", tags={332: [2]}.items()), "CMYK"),
    "12-bit JPEG": (tiff(unsigned(GREY, 12)[..., None], 1, 12, tags={259: [7]}.items()), "12 bits, JPEG"),
    "a fax in grey": (tiff(unsigned(GREY, 8)[..., None], 1, 8, tags={259: [4]}.items()), "CCITT"),
    "an unknown predictor": (
        tiff(unsigned(COLOURS, 8), 2, 8, compression=8, predictor=34892),
        "predictor 34892",
    ),
}


@pytest.mark.parametrize("kind", UNREAD)
def test_a_kind_that_is_not_read_is_called_so_and_not_damaged(kind):
    data, what = UNREAD[kind]
    said = reason(data)
    assert said.startswith("a kind of TIFF that lookalike does not read (")
    assert what in said
    assert "damaged" not in said


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("compression", [1, 5, 8, 50000])
def test_a_tiff_that_ends_before_its_samples_is_cut_short(compression, bits):
    data = tiff(unsigned(COLOURS, bits), 2, bits, compression=compression, rows=8)
    assert reason(data[:-200]) == "the TIFF file is cut short"


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("compression", [5, 8, 50000])
def test_a_strip_that_cannot_be_decompressed_is_damage(compression, bits):
    data = tiff(unsigned(COLOURS, bits), 2, bits, ">", compression=compression, rows=8, is_planar=True)
    assert "damaged TIFF file" in reason(data[:-500] + b"\xff" * 500)


@pytest.mark.parametrize(
    "tags", [{257: [0]}, {277: [0]}, {278: [0]}, {256: b"abcd"}], ids=["height", "samples", "rows", "text"]
)
def test_nonsense_in_the_tags_is_damage(tags):
    said = reason(tiff(unsigned(COLOURS, 16), 2, 12, tags=tags.items()))
    assert "damaged TIFF file" in said


@pytest.mark.parametrize(("bits", "predictor"), [(8, 1), (8, 2), (12, 1), (16, 2), (32, 1), (32, 2)])
def test_long_strips_are_inflated_row_by_row_to_the_same(bits, predictor, monkeypatch):
    samples = np.random.default_rng(0).integers(0, 1 << min(bits, 16), (61, 47, 3))
    samples = samples.astype(np.float32) if bits == 32 else samples.astype("u1" if bits == 8 else "u2")
    data = tiff(samples, 2, bits, compression=8, predictor=predictor, is_planar=False, extras=())
    whole = np.asarray(decode_here(data, "it").image)
    monkeypatch.setattr("lookalike.images.decoders.tiff_samples._BYTES_AT_ONCE", 1500)
    assert np.array_equal(np.asarray(decode_here(data, "it").image), whole)
