import io
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rawpy
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from camera_files import SHORT, dng, jpeg, text, tiff
from lookalike.errors import ImageError
from lookalike.images import scan
from lookalike.images.decode import decode, decode_here
from lookalike.images.decoders.raw import RawImageFile, is_cut_short
from lookalike.images.formats import FORMATS, recognize_file
from pictures import STORED_AS, corner_names, corners, stored

UPRIGHT = ["red", "green", "white", "blue"]


def sensor(width=600, height=400):
    """A picture as large as a camera's, so that its preview is smaller."""
    return corners(width, height)


def reason(data, name="it", *arguments):
    with pytest.raises(ImageError) as caught:
        decode(data, name, *arguments)
    return caught.value.reason


# --- which way up, and what of


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("side", [None, 100])
def test_a_developed_picture_is_turned_as_the_camera_says(orientation, side):
    decoded = decode(dng(stored(sensor(), orientation), orientation), "it", side)
    assert (decoded.format, decoded.width, decoded.height) == ("DNG", 600, 400)
    assert corner_names(decoded.image) == UPRIGHT
    assert decoded.note == ""


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("side", [None, 100])
def test_a_preview_is_turned_as_the_camera_says_once(orientation, side):
    picture = stored(sensor(), orientation)
    small = picture.resize((picture.width // 2, picture.height // 2))
    decoded = decode(dng(picture, orientation, small), "it", side)
    assert (decoded.width, decoded.height) == (600, 400)
    assert decoded.image.size in ((300, 200), (150, 100))
    assert corner_names(decoded.image) == UPRIGHT


def test_what_a_preview_says_of_itself_does_not_count(monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 3
    preview = jpeg(corners(300, 200), exif=exif)
    monkeypatch.setattr("camera_files.jpeg", lambda picture: preview)
    decoded = decode(dng(sensor(), 1, corners(300, 200)), "it")
    assert decoded.image.size == (300, 200)
    assert corner_names(decoded.image) == UPRIGHT


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_preview_that_was_turned_already_is_not_turned_again(orientation):
    upright = corners(400, 600)
    decoded = decode(dng(stored(upright, orientation), orientation, upright.resize((200, 300))), "it")
    assert (decoded.width, decoded.height) == (400, 600)
    assert decoded.image.size == (200, 300)
    assert corner_names(decoded.image) == UPRIGHT


def test_the_preview_is_taken_rather_than_the_sensor():
    grey = Image.new("RGB", (300, 200), (90, 90, 90))
    assert decode(dng(sensor(), preview=grey), "it").image.getpixel((10, 10)) == (90, 90, 90)


def test_a_preview_too_small_for_what_is_asked_is_passed_over():
    data = dng(sensor(), preview=Image.new("RGB", (150, 100), (90, 90, 90)))
    assert corner_names(decode(data, "it").image) == UPRIGHT
    assert decode(data, "it", 101).image.size == (300, 200)
    assert decode(data, "it", 100).image.getpixel((10, 10)) == (90, 90, 90)


def test_an_icon_is_no_preview():
    data = dng(sensor(), preview=Image.new("RGB", (60, 40), (90, 90, 90)))
    assert corner_names(decode(data, "it", 16).image) == UPRIGHT


def test_a_developed_picture_has_the_colours_of_the_scene():
    # The camera's primaries are those of sRGB, and the brightest hundredth is white, as the scene's.
    ramp = Image.linear_gradient("L").resize((256, 256)).convert("RGB")
    found = np.asarray(decode(dng(ramp), "it").image, dtype=float)
    assert np.abs(found - np.asarray(ramp, dtype=float))[8:-8, 8:-8].mean() < 10
    assert np.abs(found - found.mean(axis=2, keepdims=True)).max() < 4


def test_what_is_half_the_size_looks_like_the_whole():
    whole = decode(dng(sensor()), "it").image.reduce(2)
    half = decode(dng(sensor()), "it", 200).image
    difference = np.abs(np.asarray(whole, dtype=float) - np.asarray(half, dtype=float))
    assert np.median(difference) < 3


# --- which kind


def plain_tiff(**options):
    stream = io.BytesIO()
    sensor().save(stream, "TIFF", **options)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["a.dng", "a.nef", "a.arw", "a.tif", "a"])
def test_a_plain_tiff_is_one_whatever_it_is_called(name):
    decoded = decode(plain_tiff(), name)
    assert (decoded.format, decoded.width) == ("TIFF", 600)
    assert corner_names(decoded.image) == UPRIGHT


@pytest.mark.parametrize(("name", "maker"), [("a.nef", "NIKON CORPORATION"), ("a.arw", "SONY")])
def test_a_tiff_of_a_cameras_maker_is_read_as_tiff_if_it_is_no_camera_file(name, maker):
    decoded = decode(plain_tiff(tiffinfo={271: maker}), name)
    assert decoded.format == "TIFF"
    assert corner_names(decoded.image) == UPRIGHT


@pytest.mark.parametrize("name", ["a.dng", "a.tif", "a.jpg", "a"])
@pytest.mark.parametrize("preview", [None, corners(300, 200)])
def test_a_dng_is_one_whatever_it_is_called(name, preview):
    decoded = decode(dng(sensor(), preview=preview), name)
    assert (decoded.format, decoded.width) == ("DNG", 600)


@pytest.mark.parametrize(("maker", "kind"), [("NIKON CORPORATION", "NEF"), ("NIKON", "NEF"), ("SONY", "ARW")])
def test_makers_own_files_are_told_by_their_sensor_data(maker, kind):
    data = dng(sensor(), preview=corners(300, 200), make=maker, version=False)
    assert decode(data, "a.tif").format == kind


def test_a_tiff_that_was_made_from_a_dng_is_a_tiff():
    data = plain_tiff(tiffinfo={50706: b"\1\4\0\0"})
    assert recognize_file(data, "a.tif").name == "TIFF"


def test_a_scan_takes_up_camera_files(tmp_path):
    endings = ["cr2", "CR3", "nef", "ARW", "dng", "orf", "raf", "rw2", "jxl"]
    for ending in endings:
        (tmp_path / f"photo.{ending}").write_bytes(b"x")
    assert sorted(scan(tmp_path).files) == sorted(f"photo.{ending}" for ending in endings)


# --- what is wrong with it


def test_a_kind_that_libraw_does_not_know_is_not_called_damaged():
    for row in FORMATS:
        for offset, magic in row.signatures if row.reader.endswith("RawImageFile") else ():
            said = reason((b"\0" * offset + magic).ljust(4000, b"\0"))
            assert said == f"a kind of {row.name} that lookalike does not read"


def test_a_camera_file_cut_short_is_an_error_without_a_preview():
    data = dng(sensor())
    assert reason(data[: len(data) // 2]) == "the DNG file is cut short"


def test_of_a_camera_file_cut_short_the_preview_is_read_with_a_note():
    data = dng(sensor(), preview=corners(300, 200))
    decoded = decode(data[: len(data) - 100_000], "it")
    assert corner_names(decoded.image) == UPRIGHT
    assert decoded.note == "cut short: only its preview is read"


def test_what_cannot_be_developed_has_its_small_preview_and_a_note(monkeypatch):
    class Fails:
        def __init__(self, raw):
            self._raw = raw

        def __getattr__(self, name):
            return getattr(self._raw, name)

        def postprocess(self, **options):
            raise rawpy.LibRawDataError("data error")

    read = rawpy.imread
    monkeypatch.setattr("rawpy.imread", lambda stream: Fails(read(stream)))
    decoded = decode_here(dng(sensor(), preview=corners(150, 100)), "it")
    assert decoded.image.size == (150, 100)
    assert decoded.note == "only its preview of 150 × 100 pixels could be read"
    with pytest.raises(ImageError, match="damaged DNG file"):
        decode_here(dng(sensor()), "it")


def test_too_little_memory_is_not_the_files_fault(monkeypatch):
    def read(stream):
        raise rawpy.LibRawUnsufficientMemoryError("out of memory")

    monkeypatch.setattr("rawpy.imread", read)
    with pytest.raises(ImageError, match="not enough memory") as caught:
        decode_here(dng(sensor()), "it")
    assert not caught.value.is_permanent


def test_a_missing_reader_is_named_and_not_the_files_fault(monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(ImageError, match="pip install rawpy") as caught:
        decode_here(dng(sensor()), "it")
    assert not caught.value.is_permanent


def test_too_many_pixels_are_refused_before_anything_is_developed(monkeypatch):
    monkeypatch.setattr(RawImageFile, "load", lambda image: pytest.fail("loaded"))
    assert "too large: 600 × 400" in reason(dng(sensor()), "it", None, 1000)


def test_cuts_are_told_from_the_boxes_of_newer_files():
    whole = (16).to_bytes(4) + b"ftypcrx " + bytes(4) + (1000).to_bytes(4) + b"mdat" + bytes(992)
    assert not is_cut_short(whole)
    assert is_cut_short(whole[:-1])
    raf = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + (200).to_bytes(4) + (100).to_bytes(4)
    assert not is_cut_short(raf.ljust(300, b"\0"))
    assert is_cut_short(raf.ljust(299, b"\0"))


SAMPLES = [dng(corners(64, 48)), dng(corners(64, 48), 6, corners(300, 200))]


@pytest.mark.parametrize("sample", SAMPLES, ids=["sensor", "preview"])
@settings(max_examples=100, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 8), st.binary(max_size=8)),
        min_size=1,
        max_size=8,
    )
)
def test_no_bytes_get_past_the_decoder(sample, changes):
    data = bytearray(sample)
    for where, gone, instead in changes:
        at = int(where**3 * len(data))
        data[at : at + gone] = instead
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            decoded = decode(bytes(data), "it", 16, 1_000_000)
        except ImageError as error:
            assert error.reason.isprintable()
        else:
            assert decoded.image.mode == "RGB"


def test_threads_do_not_disturb_each_other():
    files = [dng(stored(sensor(), way), way) for way in STORED_AS] * 3
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda data: corner_names(decode(data, "it", 100).image), files))
    assert found == [UPRIGHT] * len(files)


def test_a_maker_without_sensor_data_makes_no_camera_file():
    assert recognize_file(tiff({271: text("NIKON"), 330: [{}] * 50}), "a.tif").name == "TIFF"
    assert recognize_file(tiff({256: (SHORT, [1]), 330: [{262: (SHORT, [32803])}]}), "a.nef").name == "TIFF"
