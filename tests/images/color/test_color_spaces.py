"""Every format with every kind of colour space that it can carry: the colours that come out.

The same seven colours of sRGB, as the space writes them, have to come back within a ΔE2000 of 3.
"""

import io
import struct
import zlib
from itertools import pairwise

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from icc_profiles import (
    BT2020,
    D65,
    DISPLAY_P3,
    PROPHOTO,
    PROPHOTO_WHITE,
    SRGB,
    all_profiles,
    gamma_v2,
    gamma_v4,
    levels_of,
    matrix_profile,
    power,
    profile,
    srgb_light,
    srgb_value,
)
from lookalike.images.color.hdr import GREY_SIGNAL, hlg, pq
from lookalike.images.decode import decode, upright_rgb
from lookalike.images.palette import difference, rgb_to_lab

RED, GREEN, BLUE, YELLOW = (204, 34, 34), (40, 120, 60), (50, 70, 180), (230, 190, 60)
COLOURS = np.array([RED, GREEN, BLUE, YELLOW, (118, 118, 118), (250, 250, 250), (30, 28, 40)])
GREYS = np.array([(level,) * 3 for level in (20, 60, 118, 160, 200, 230, 255)])
SIDE = 32  # of each colour's square, pixels

LOSSLESS = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "HEIC": {"quality": -1, "chroma": 444},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}
MODES = {
    "JPEG": {"L", "RGB", "CMYK"},
    "PNG": {"L", "RGB"},
    "TIFF": {"L", "RGB", "CMYK"},
    "WEBP": {"L", "RGB"},  # greys are written as RGB
    "HEIC": {"L", "RGB"},
    "AVIF": {"L", "RGB"},
}
PROFILES = {made.name: made for made in all_profiles()}


def squares(levels):
    """A row of squares of these levels, (n, channels) uint8; wide enough for any chroma subsampling."""
    pixels = np.repeat(np.repeat(np.asarray(levels, np.uint8)[None], SIDE, 0), SIDE, 1)
    modes = {1: "L", 3: "RGB", 4: "CMYK"}
    mode = modes[pixels.shape[2]]
    return Image.frombytes(mode, pixels.shape[1::-1], pixels.tobytes())


def encode(image, name, **options):
    stream = io.BytesIO()
    options = {**LOSSLESS[name], **options}
    if name == "HEIC":
        pillow_heif.from_pillow(image).save(stream, **options)
    else:
        image.save(stream, name, **options)
    return stream.getvalue()


def colours_of(data, shorter_side=None):
    return colours_in(decode(data, "it", shorter_side).image)


def colours_in(image):
    """Return the colour in the middle of each square, (n, 3)."""
    assert image.mode == "RGB"
    side = image.height
    pixels = np.asarray(image, float)[side // 4 : -side // 4]
    return np.array(
        [pixels[:, x + side // 4 : x + 3 * side // 4].mean((0, 1)) for x in range(0, image.width, side)]
    )


def apart(found, wanted):
    """ΔE2000 of each pair of colours."""
    pairs = zip(rgb_to_lab(found), rgb_to_lab(wanted), strict=True)
    return np.array([difference(one[None], other)[0] for one, other in pairs])


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(levels, *chunks):
    """A PNG of squares with these chunks before its pixels."""
    data = encode(squares(levels), "PNG")
    return data[:33] + b"".join(png_chunk(kind, content) for kind, content in chunks) + data[33:]


def cicp(primaries, transfer, matrix=0, is_full=1):
    return b"cICP", bytes([primaries, transfer, matrix, is_full])


def iccp(data):
    return b"iCCP", b"it\0\0" + zlib.compress(data)


def gama(exponent):
    return b"gAMA", struct.pack(">I", round(100_000 / exponent))


def chrm(primaries, white=D65):
    numbers = [number for pair in (white, *primaries) for number in pair]
    return b"cHRM", struct.pack(">8I", *(round(100_000 * number) for number in numbers))


# --- the table


@pytest.mark.parametrize(
    ("name", "made"),
    [
        pytest.param(name, made, id=f"{name}-{made}")
        for name in LOSSLESS
        for made in PROFILES.values()
        if made.mode in MODES[name]
    ],
)
def test_colours_of_a_profile_come_out_as_srgb(name, made):
    wanted = GREYS if made.mode == "L" else COLOURS
    plain = squares(made.encode(wanted))
    data = encode(plain, name, icc_profile=made.data)
    assert apart(colours_of(data), wanted).max() < 3
    # Without the profile they are others, so that it was the profile that did it.
    assert apart(colours_of(encode(plain, name)), wanted).max() > 3


def in_p3(colours):
    return levels_of(colours, DISPLAY_P3)


def in_pq(colours):
    return hdr_levels(colours, BT2020, pq_by_hand)


def in_hlg(colours):
    return hdr_levels(colours, BT2020, hlg_by_hand)


def with_gamma(primaries=SRGB, white=D65):
    return lambda colours: levels_of(colours, primaries, power(1.8), white)


def unchanged(colours):
    return colours


@pytest.mark.parametrize(
    ("chunks", "levels"),
    [
        pytest.param([cicp(12, 13)], in_p3, id="cICP-P3"),
        pytest.param([cicp(9, 16)], in_pq, id="cICP-PQ"),
        pytest.param([cicp(9, 18)], in_hlg, id="cICP-HLG"),
        pytest.param([cicp(12, 13, 0, 0)], lambda c: 16 + in_p3(c) / 255 * 219, id="cICP-narrow"),
        pytest.param([cicp(12, 8)], lambda c: levels_of(c, DISPLAY_P3, power(1)), id="cICP-linear"),
        pytest.param([(b"sRGB", b"\0")], unchanged, id="sRGB"),
        pytest.param([gama(2.2)], unchanged, id="gAMA-of-sRGB"),
        pytest.param([gama(1.8)], with_gamma(), id="gAMA"),
        pytest.param([gama(1.8), chrm(DISPLAY_P3)], with_gamma(DISPLAY_P3), id="gAMA+cHRM-P3"),
        pytest.param(
            [gama(1.8), chrm(PROPHOTO, PROPHOTO_WHITE)],
            with_gamma(PROPHOTO, PROPHOTO_WHITE),
            id="gAMA+cHRM-ProPhoto",
        ),
    ],
)
def test_colours_of_a_png_come_out_as_srgb(chunks, levels):
    within = COLOURS[:-1] if chunks == [cicp(12, 8)] else COLOURS  # 8 bits of light do not hold the darks
    assert apart(colours_of(png(levels(within), *chunks)), within).max() < 3


@pytest.mark.parametrize("name", ["HEIC", "AVIF"])
@pytest.mark.parametrize(
    ("numbers", "levels"),
    [
        pytest.param((12, 13), in_p3, id="P3"),
        pytest.param((1, 1), unchanged, id="BT.709"),
        pytest.param((2, 2), unchanged, id="unspecified"),
        pytest.param((9, 16), in_pq, id="PQ"),
        pytest.param((9, 18), in_hlg, id="HLG"),
    ],
)
def test_colours_of_nclx_come_out_as_srgb(name, numbers, levels):
    # What AVIF rounds in luma and chroma of 8 bits is more than that in the darks of PQ.
    wanted = COLOURS[:-1] if numbers[1] in (16, 18) else COLOURS
    assert apart(colours_of(with_nclx(squares(levels(wanted)), name, *numbers)), wanted).max() < 3


@pytest.mark.parametrize(
    "data", [lambda g: png(g[:, :1], cicp(1, 16)), lambda g: png(g[:, :1], cicp(12, 18))]
)
def test_grey_png_in_high_dynamic_range_is_tone_mapped(data):
    curve = pq if data(GREYS).find(bytes([1, 16, 0, 1])) > 0 else hlg
    wanted = srgb_value(curve(GREYS / 255)) * 255
    assert np.abs(colours_of(data(GREYS)) - wanted).max() <= 2


@pytest.mark.parametrize("exponent", [1.0, 1.8])
def test_grey_png_with_gamma_is_brought_to_srgb(exponent):
    levels = np.rint(srgb_light(GREYS[2:] / 255) ** (1 / exponent) * 255)
    assert apart(colours_of(png(levels[:, :1], gama(exponent), chrm(DISPLAY_P3))), GREYS[2:]).max() < 3


def with_nclx(image, name, primaries, transfer, **options):
    if name == "HEIC":
        options |= {"color_primaries": primaries, "transfer_characteristics": transfer}
        options |= {"matrix_coefficients": 6, "full_range_flag": 1}
        return encode(image, name, **options)
    data = encode(image, name, **options)
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


# --- high dynamic range


def tone_mapped_by_hand(light, grey, peak):
    """As docs/colour.md says."""
    unit = 0.82 * grey / (0.18 - (grey / peak) ** 2)
    x, w = light / unit, peak / unit
    return x * (1 + x / w**2) / (1 + x)


def pq_by_hand(signal):
    def light(value):
        root = np.asarray(value, float) ** (1 / 78.84375)
        return 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (
            1 / 0.1593017578125
        )

    return tone_mapped_by_hand(light(signal), light(0.38), 10_000)


def hlg_by_hand(signal):
    def light(value):
        value = np.asarray(value, float)
        above = (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        return 1000 * np.where(value <= 0.5, value**2 / 3, above) ** 1.2

    return tone_mapped_by_hand(light(signal), light(0.38), 1000)


def hdr_levels(colours, primaries, curve):
    signals = np.linspace(0, 1, 20_001)
    return levels_of(colours, primaries, lambda light: np.interp(light, curve(signals), signals))


@pytest.mark.parametrize(("curve", "by_hand"), [(pq, pq_by_hand), (hlg, hlg_by_hand)])
def test_tone_curve_rises_all_the_way_and_is_the_documented_one(curve, by_hand):
    signals = np.linspace(0, 1, 4096)
    light = curve(signals)
    assert np.allclose(light, by_hand(signals), atol=1e-6)
    assert (np.diff(light) > 0).all()
    assert light[0] == pytest.approx(0, abs=1e-6) and light[-1] == pytest.approx(1)


@pytest.mark.parametrize("curve", [pq, hlg])
def test_grey_of_bt_2408_is_the_grey_of_srgb(curve):
    level = srgb_value(curve(np.array([GREY_SIGNAL])))[0] * 255
    assert GREY_SIGNAL == 0.38 and abs(level / 118 - 1) < 0.05


@pytest.mark.parametrize("transfer", [16, 18])
def test_grey_of_bt_2408_in_a_file_is_the_grey_of_srgb(transfer):
    grey = [(97, 97, 97)] * 2  # 38 % of 255
    for data in (png(grey, cicp(9, transfer)), with_nclx(squares(grey), "AVIF", 9, transfer)):
        assert np.abs(colours_of(data) / 118 - 1).max() < 0.05


# --- which counts


GREY = [(100, 100, 100)] * 2
LIGHTER = {
    "cICP": cicp(1, 8),  # light itself: grey comes out at 168
    "iCCP": iccp(matrix_profile(2, SRGB, gamma_v2(1.5))),
    "sRGB": (b"sRGB", b"\0"),
    "gAMA": gama(1.8),
}
ALONE = {name: colours_of(png(GREY, chunk)).mean() for name, chunk in LIGHTER.items()}


def test_the_four_ways_of_a_png_are_told_apart():
    assert min(a - b for a, b in pairwise(sorted(ALONE.values(), reverse=True))) > 10


@given(st.permutations(list(LIGHTER)).flatmap(lambda names: st.integers(1, 4).map(lambda n: names[:n])))
@settings(deadline=None, max_examples=40)
def test_of_what_a_png_says_the_first_in_the_order_counts(names):
    found = colours_of(png(GREY, *(LIGHTER[name] for name in names))).mean()
    first = next(name for name in LIGHTER if name in names)
    assert found == pytest.approx(ALONE[first], abs=0.5), names


@pytest.mark.parametrize(
    "unusable",
    [cicp(200, 13), cicp(1, 255), cicp(12, 13, 9), (b"cICP", b"\x0c\x0d"), iccp(b"no profile" * 30)],
)
def test_what_is_unusable_gives_way_to_the_next(unusable):
    assert np.array_equal(colours_of(png(GREY, unusable, gama(1.8))), colours_of(png(GREY, gama(1.8))))


@pytest.mark.parametrize("chunks", [[gama(1e4)], [(b"gAMA", bytes(4))], [chrm(DISPLAY_P3)]])
def test_gamma_that_is_nonsense_or_missing_changes_nothing(chunks):
    assert np.array_equal(colours_of(png(COLOURS, *chunks)), COLOURS)


@pytest.mark.parametrize("chromaticity", [bytes(32), b"\xff" * 32, chrm([(0.3, 0.3)] * 3)[1]])
def test_primaries_that_are_none_change_nothing(chromaticity):
    assert np.array_equal(colours_of(png(COLOURS, gama(1.8), (b"cHRM", chromaticity))), COLOURS)


def exif_of_a_camera(space, index):
    """Exif data, big-endian, of three directories, each with the one before it in front."""
    entry = struct.Struct(">HHI4s")

    def directory(*entries):
        return len(entries).to_bytes(2) + b"".join(entries) + bytes(4)

    camera, interoperability = 8 + 18, 8 + 18 + 30
    return (
        b"Exif\0\0MM\0*\0\0\0\x08"
        + directory(entry.pack(0x8769, 4, 1, camera.to_bytes(4)))
        + directory(
            entry.pack(0xA001, 3, 1, space.to_bytes(2) + bytes(2)),
            entry.pack(0xA005, 4, 1, interoperability.to_bytes(4)),
        )
        + directory(entry.pack(1, 2, 4, index))
    )


def test_camera_that_says_adobe_rgb_by_its_tags_is_believed():
    levels = squares(COLOURS)

    def read(space, index, **more):
        return colours_of(encode(levels, "JPEG", exif=exif_of_a_camera(space, index), **more))

    plain = colours_of(encode(levels, "JPEG"))
    by_profile = colours_of(encode(levels, "JPEG", icc_profile=PROFILES["rgb-matrix-v2"].data))
    by_tags = read(0xFFFF, b"R03\0")
    assert apart(by_tags, by_profile).max() < 1
    assert apart(by_tags, plain).max() > 5
    for space, index in ((1, b"R98\0"), (0xFFFF, b"R98\0"), (1, b"R03\0")):
        assert np.array_equal(read(space, index), plain)
    p3 = PROFILES["rgb-matrix-v4"].data
    with_both = read(0xFFFF, b"R03\0", icc_profile=p3)
    assert np.array_equal(with_both, colours_of(encode(levels, "JPEG", icc_profile=p3)))  # the profile counts


def test_profile_of_an_avif_counts_before_its_numbers():
    made = PROFILES["rgb-matrix-v4"]
    data = with_nclx(squares(made.encode(COLOURS)), "AVIF", 9, 16, icc_profile=made.data)
    assert data.count(b"colr") == 2
    assert apart(colours_of(data), COLOURS).max() < 3
    broken = with_nclx(squares(levels_of(COLOURS, DISPLAY_P3)), "AVIF", 12, 13, icc_profile=b"none" * 40)
    assert apart(colours_of(broken), COLOURS).max() < 3


def test_colour_of_another_item_is_not_that_of_the_picture():
    """As of a gain map: both stand in the list of properties, and the picture owns the second."""
    data = with_nclx(squares(levels_of(COLOURS, DISPLAY_P3)), "AVIF", 12, 13)
    assert data.count(b"\x01\x04\x01\x02\x83\x04") == 1  # item 1 has four properties, the last is the colour
    data = data.replace(b"\x01\x04\x01\x02\x83\x04", b"\x01\x04\x01\x02\x83\x05")
    other = struct.pack(">I", 19) + b"colrnclx" + struct.pack(">HHH", 9, 16, 6) + b"\x80"
    at = data.index(b"colr") - 4
    places = [data.index(name) - 4 for name in (b"meta", b"iprp", b"ipco")]
    places.append(data.index(b"iloc") + 18)  # where the pixels begin
    data = bytearray(data)
    for place in places:
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + len(other))
    assert apart(colours_of(bytes(data[:at] + other + data[at:])), COLOURS).max() < 3


# --- what cannot be used


BROKEN = {
    "empty": b"",
    "text": b"this is no profile" * 20,
    "cut short": PROFILES["rgb-matrix-v4"].data[:200],
    "only a header": PROFILES["rgb-matrix-v4"].data[:128],
    "no tags": profile(4, b"RGB ", b"XYZ ", {}),
    "two primaries": matrix_profile(2, DISPLAY_P3, gamma_v2(2.2)).replace(b"bXYZ", b"xXYZ"),
    "of grey": PROFILES["grey-v2"].data,
    "of inks": PROFILES["cmyk-table-8-v2"].data,
    "a link of devices": PROFILES["rgb-matrix-v4"].data.replace(b"mntr", b"link"),
    "named colours": PROFILES["rgb-matrix-v4"].data.replace(b"mntr", b"nmcl"),
    "a curve that is too long": PROFILES["rgb-curve-table-v2"].data.replace(b"\0\0\x04\0", b"\x7f\0\x04\0"),
    "a table that is too large": PROFILES["rgb-table-16-v2"].data.replace(
        b"\x03\x03\x02\0", b"\x0f\x03\xff\0"
    ),
}


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_unusable_profile_leaves_the_picture_as_it_is(name, broken):
    plain = squares(COLOURS)
    assert np.array_equal(
        colours_of(encode(plain, name, icc_profile=broken)), colours_of(encode(plain, name))
    )


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_profile_of_rgb_is_none_of_greys_or_inks(mode):
    plain = squares(COLOURS).convert(mode)
    found = colours_of(encode(plain, "TIFF", icc_profile=PROFILES["rgb-matrix-v4"].data))
    assert np.array_equal(found, colours_of(encode(plain, "TIFF")))


@pytest.mark.parametrize("exponent", [0.0, -1.0, 100.0, 32767.0])
def test_absurd_curve_costs_the_colours_and_not_the_picture(exponent):
    data = encode(squares(COLOURS), "PNG", icc_profile=matrix_profile(4, DISPLAY_P3, gamma_v4(exponent)))
    assert colours_of(data).shape == COLOURS.shape


def test_absurd_primaries_cost_the_colours_and_not_the_picture():
    good = PROFILES["rgb-matrix-v4"].data
    for wrong in (bytes(12), b"\x80" + bytes(11), b"\x7f\xff\xff\xff" * 3):
        at = good.index(b"XYZ \0\0\0\0", 200)
        data = encode(squares(COLOURS), "PNG", icc_profile=good[: at + 8] + wrong + good[at + 20 :])
        assert colours_of(data).shape == COLOURS.shape


@given(
    st.sampled_from([made for made in PROFILES.values() if len(made.data) < 5000]),
    st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6),
    st.integers(0, 5000),
)
@settings(deadline=None, max_examples=300)
def test_damaged_profile_is_never_an_error(made, changes, length):
    data = bytearray(made.data[: max(length, 128)])
    for at, new in changes:
        place = at % len(data)
        data[place : place + len(new)] = new
    image = squares(made.encode(COLOURS))
    image.info["icc_profile"] = bytes(data)
    assert upright_rgb(image).size == image.size


@given(st.binary(max_size=400), st.integers(0, 300))
@settings(deadline=None, max_examples=200)
def test_damaged_boxes_are_never_an_error_of_the_search(noise, at):
    from lookalike.images.color.nclx import read_nclx

    data = encode(squares(COLOURS[:1]), "AVIF")
    read_nclx(data[:at] + noise + data[at:])
    read_nclx(data[:at] + noise + data[at + len(noise) :])
    read_nclx(data[:at])


# --- what else an image may be


def test_colours_are_converted_after_the_image_is_shrunk():
    made = PROFILES["rgb-matrix-v4"]
    large = squares(made.encode(COLOURS)).resize((7 * 256, 256), Image.Resampling.NEAREST)
    for name in ("JPEG", "PNG"):
        data = encode(large, name, icc_profile=made.data)
        assert decode(data, "it", 32).image.height < 256
        assert apart(colours_of(data, 32), COLOURS).max() < 3
    inks = PROFILES["cmyk-table-16-v2"]
    large = squares(inks.encode(COLOURS)).resize((7 * 256, 256), Image.Resampling.NEAREST)
    for name in ("JPEG", "TIFF"):
        assert apart(colours_of(encode(large, name, icc_profile=inks.data), 32), COLOURS).max() < 3


@pytest.mark.parametrize("side", [None, 16])
def test_what_is_transparent_keeps_its_opacity(side):
    made = PROFILES["rgb-matrix-v4"]
    image = squares(made.encode(COLOURS)).resize((7 * 64, 64), Image.Resampling.NEAREST)
    image.putalpha(128)
    over_white = COLOURS * 128 / 255 + 127
    found = colours_of(encode(image, "PNG", icc_profile=made.data), side)
    assert np.abs(found - over_white).max() <= 3


def test_palette_has_the_colours_of_the_profile():
    made = PROFILES["rgb-matrix-v4"]
    image = squares(made.encode(COLOURS)).quantize(16)
    assert apart(colours_of(encode(image, "PNG", icc_profile=made.data)), COLOURS).max() < 3
    image.info["transparency"] = 15
    assert apart(colours_of(encode(image, "PNG", icc_profile=made.data, transparency=15)), COLOURS).max() < 3


def test_grey_with_opacity_has_the_greys_of_the_profile():
    made = PROFILES["grey-v2"]
    image = squares(made.encode(GREYS))
    image.putalpha(255)
    assert image.mode == "LA"
    assert apart(colours_of(encode(image, "PNG", icc_profile=made.data)), GREYS).max() < 3


def test_grey_of_16_bits_has_the_greys_of_the_profile():
    made = PROFILES["grey-v4"]
    levels = np.asarray(squares(made.encode(GREYS)), np.uint16) * 257
    data = encode(Image.fromarray(levels), "PNG", icc_profile=made.data)
    assert apart(colours_of(data), GREYS).max() < 3


def test_tiff_in_cielab_has_its_colours():
    image = squares(COLOURS)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    in_lab = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    in_lab.info.clear()
    assert apart(colours_of(encode(in_lab, "TIFF")), COLOURS).max() < 3


def test_saturated_red_in_prophoto_is_that_red():
    made = PROFILES["rgb-prophoto-v2"]
    red = made.encode([(204, 34, 34)] * 2)
    assert red[0].tolist() != [204, 34, 34]
    found = colours_of(encode(squares(red), "PNG", icc_profile=made.data))
    assert np.abs(found - [204, 34, 34]).max() <= 2


def test_image_of_pillows_is_read_by_its_profile():
    made = PROFILES["rgb-matrix-v4"]
    image = squares(made.encode(COLOURS))
    before = image.tobytes()
    image.info["icc_profile"] = made.data
    assert apart(colours_in(upright_rgb(image)), COLOURS).max() < 3
    assert image.tobytes() == before  # it is the caller's
    image.info["icc_profile"] = None
    assert np.array_equal(colours_in(upright_rgb(image)), colours_in(image))


def test_opened_image_is_read_as_its_file_is(tmp_path):
    for name, chunks in (("gamma", [gama(1.8)]), ("profile", [iccp(PROFILES["rgb-matrix-v4"].data)])):
        file = tmp_path / f"{name}.png"
        file.write_bytes(png(COLOURS, *chunks))
        with Image.open(file) as image:
            assert np.array_equal(colours_in(upright_rgb(image)), colours_of(file.read_bytes()))
