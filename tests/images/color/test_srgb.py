"""The conversion to sRGB itself: what is kept, what costs nothing, and the table against LittleCMS."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageCms

from icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    SRGB_CURVE,
    all_profiles,
    curve_table,
    gamma_v2,
    matrix_profile,
    profile,
    srgb_light,
)
from lookalike.images.color import srgb
from lookalike.images.color.h273 import space
from lookalike.images.color.icc import profile as made_of_numbers
from lookalike.images.color.srgb import conversion
from lookalike.images.palette import rgb_to_lab

P3 = matrix_profile(4, DISPLAY_P3, SRGB_CURVE)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(srgb, "_conversions", srgb._Conversions())


def noise(width=64, height=48, seed=0, most=256):
    pixels = np.random.default_rng(seed).integers(0, most, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def by_littlecms(image, data):
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), renderingIntent=1)


def off(one, other):
    return np.abs(np.asarray(one, int) - np.asarray(other, int))


def apart(one, other):
    """How far pixels are apart in CIELAB: a few levels of a dark channel are nothing beside a bright one."""
    rows = [rgb_to_lab(np.asarray(each).reshape(-1, 3)) for each in (one, other)]
    return np.linalg.norm(rows[0] - rows[1], axis=1)


def test_a_colour_comes_out_as_littlecms_has_it():
    for made in all_profiles():
        if made.mode == "RGB":
            found, exact = conversion(made.data, "RGB")(noise()), by_littlecms(noise(), made.data)
            assert off(found, exact).mean() < 1, made
            assert apart(found, exact).max() < 4, made


def test_a_colour_comes_out_the_same_whatever_was_converted_before():
    first = conversion(P3, "RGB")(noise())
    for seed in range(1, 9):
        conversion(P3, "RGB")(noise(800, 600, seed))
    assert conversion(P3, "RGB")(noise()).tobytes() == first.tobytes()


@pytest.mark.parametrize(
    "data",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        matrix_profile(4, SRGB, SRGB_CURVE),
        matrix_profile(2, SRGB, curve_table(srgb_light(np.linspace(0, 1, 1024)))),
        made_of_numbers(space(1, 13)),
    ],
)
def test_what_is_srgb_under_another_name_is_left_alone(data):
    image = noise()
    assert conversion(data, "RGB")(image) is image


def test_grey_of_srgbs_curve_is_left_alone():
    curve = curve_table(srgb_light(np.linspace(0, 1, 1024)))
    grey = Image.frombytes("L", (256, 1), bytes(range(256)))
    converted = conversion(profile(2, b"GRAY", b"XYZ ", {b"kTRC": curve}), "L")(grey)
    assert converted.tobytes() == grey.convert("RGB").tobytes()


def test_srgb_with_a_plain_power_is_not_srgb():
    image = noise(most=64)
    assert off(conversion(matrix_profile(2, SRGB, gamma_v2(2.2)), "RGB")(image), image).max() > 3


def test_the_table_is_near_littlecms():
    convert = conversion(P3, "RGB")
    assert isinstance(convert, srgb._Table)
    for seed, most in ((1, 256), (2, 100), (3, 30)):
        image = noise(200, 200, seed, most)
        found, exact = convert(image), by_littlecms(image, P3)
        assert off(found, exact).mean() < 1  # 0.5 for all colours of P3, 0.2 on photos
        assert apart(found, exact).max() < 4  # 2.5


def test_a_pixel_gets_the_middle_of_its_cell_and_its_own_place_in_that():
    pixels = np.random.default_rng(1).integers(0, 256, (500, 200, 3), np.uint8)
    cells, within = pixels & 0xFC, pixels & 3
    below, above = (
        np.asarray(by_littlecms(Image.fromarray(cells + np.uint8(place)), P3), int) for place in (1, 2)
    )
    expected = np.clip((below + above - 2) >> 1, 0, 252) + within
    assert np.array_equal(np.asarray(conversion(P3, "RGB")(Image.fromarray(pixels))), expected)


def test_a_table_is_no_larger_than_its_colours():
    assert conversion(P3, "RGB")._table.nbytes == 64**3 * 4


def test_white_black_and_the_greys_keep_their_places_in_the_table():
    convert = conversion(P3, "RGB")
    greys = Image.frombytes("L", (256, 1), bytes(range(256))).convert("RGB")
    found = np.asarray(convert(greys))[0]
    assert found[0].tolist() == [0, 0, 0] and found[255].tolist() == [255, 255, 255]
    assert off(found, np.asarray(greys)[0]).max() <= 1


@pytest.mark.parametrize(
    "data",
    [
        matrix_profile(2, ADOBE_RGB, gamma_v2(2.2)),
        made_of_numbers(space(9, 8)),
        made_of_numbers(space(9, 16)),
        made_of_numbers(space(9, 18)),
    ],
)
def test_what_no_table_follows_stays_with_littlecms(data):
    convert = conversion(data, "RGB")
    assert isinstance(convert, srgb._Exact)
    assert off(convert(noise()), by_littlecms(noise(), data)).max() <= 1


def test_images_longer_than_a_piece_are_looked_up_whole(monkeypatch):
    convert = conversion(P3, "RGB")
    image = noise(333, 211)
    whole = np.asarray(convert(image))
    monkeypatch.setattr(srgb, "_AT_ONCE", 1000)
    assert np.array_equal(whole, np.asarray(convert(image)))


def test_threads_get_what_one_alone_gets():
    profiles = [made.data for made in all_profiles() if made.mode == "RGB"]
    images = [noise(seed=seed) for seed in range(8)]
    jobs = [(data, image) for image in images for data in profiles]
    wanted = [by_littlecms(image, data) for data, image in jobs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda job: conversion(job[0], "RGB")(job[1]), jobs * 3))
    assert max(off(one, other).mean() for one, other in zip(found, wanted * 3, strict=True)) < 1.2


def test_a_conversion_is_made_once_and_only_so_many_are_kept(monkeypatch):
    monkeypatch.setattr(srgb, "_KEPT", 6)
    monkeypatch.setattr(srgb, "_TABLES_KEPT", 2)
    assert conversion(P3, "RGB") is conversion(bytes(bytearray(P3)), "RGB")
    first = conversion(P3, "RGB")
    for number in range(3):
        like_p3 = [(0.67 - number / 200, 0.32), *DISPLAY_P3[1:]]
        conversion(matrix_profile(4, like_p3, SRGB_CURVE), "RGB")
    kept = srgb._conversions._kept
    assert sum(isinstance(each, srgb._Table) for each in kept.values()) == 2
    assert conversion(P3, "RGB") is not first
    for number in range(8):
        conversion(bytes([number]), "RGB")
    assert len(kept) == 6


def test_profile_beyond_all_measure_is_not_looked_at(monkeypatch):
    monkeypatch.setattr(srgb, "_LARGEST", len(P3) - 1)
    assert conversion(P3, "RGB") is None


def test_image_given_is_not_changed():
    image = noise()
    before = image.tobytes()
    conversion(P3, "RGB")(image)
    assert image.tobytes() == before
