import io

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.decode import decode
from lookalike.images.decoders.jpeg import _read_scans, _without_padding

WIDTH, HEIGHT = 320, 240
Y, X = np.mgrid[:HEIGHT, :WIDTH]
NOISE = np.random.default_rng(0).integers(0, 60, (HEIGHT, WIDTH))  # as much code in each row
PICTURE = Image.fromarray(
    np.stack([X * 180 // WIDTH + NOISE, Y * 180 // HEIGHT + NOISE, 60 + NOISE], -1).astype(np.uint8)
)
ENCODINGS = {
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "4:2:0": {"subsampling": 2},
    "with restarts": {"subsampling": 2, "restart_marker_rows": 1},
    "grey": {},
    "CMYK": {},
}
MODES = {"grey": "L", "CMYK": "CMYK"}
COARSE = "cut short: all of its rows are there, not all of their detail"


def jpeg(encoding="4:2:0", **options):
    stream = io.BytesIO()
    PICTURE.convert(MODES.get(encoding, "RGB")).save(stream, "JPEG", **ENCODINGS[encoding], **options)
    return stream.getvalue()


def pixels(data, *arguments):
    return np.asarray(decode(data, "it", *arguments).image).astype(int)


def reason(data, *arguments):
    with pytest.raises(ImageError) as caught:
        decode(data, "it", *arguments)
    return caught.value.reason


@pytest.mark.parametrize(
    "tail", [b"", b"\0", bytes(5000), b"\xff"], ids=["nothing", "a zero", "zeros", "half"]
)
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_jpeg_without_its_end_marker_is_a_picture_like_any_other(encoding, progressive, tail):
    data = jpeg(encoding, progressive=progressive)
    decoded = decode(data[:-2] + tail, "it")
    assert decoded.note == ""
    assert np.array_equal(np.asarray(decoded.image), pixels(data))


@pytest.mark.parametrize("shorter_side", [None, 60, 120])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_jpeg_with_95_percent_of_its_rows_is_a_picture_with_a_note(encoding, shorter_side):
    data = jpeg(encoding)
    whole = pixels(data, shorter_side)
    decoded = decode(data[: int(len(data) * 0.97)], "it", shorter_side)
    assert decoded.note in {f"cut short: the last {n} % of its rows are missing" for n in (3, 4, 5)}
    assert (decoded.width, decoded.height, decoded.image.size) == (
        WIDTH,
        HEIGHT,
        (whole.shape[1], whole.shape[0]),
    )
    found = np.asarray(decoded.image).astype(int)
    there = int(len(whole) * 0.92)  # the row of blocks that the cut goes through begins at 224 of 240 rows
    assert np.array_equal(found[:there], whole[:there])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_is_missing_is_the_last_row_once_more(encoding):
    data = jpeg(encoding)
    found = pixels(data[: int(len(data) * 0.97)])
    assert np.array_equal(found[-1, -16:], found[-2, -16:])
    assert np.abs(found[-1] - pixels(data)[-1]).mean() < 25


@pytest.mark.parametrize("kept", [0.5, 0.8, 0.92])
@pytest.mark.parametrize("shorter_side", [None, 60])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_jpeg_with_fewer_rows_is_cut_short(encoding, shorter_side, kept):
    data = jpeg(encoding)
    assert reason(data[: int(len(data) * kept)], shorter_side) == "the JPEG file is cut short"


def test_the_same_is_missing_whatever_size_is_asked_for():
    data = jpeg()
    notes = {decode(data[: int(len(data) * 0.98)], "it", side).note for side in (None, 30, 60, 120, 240)}
    assert len(notes) == 1


@pytest.mark.parametrize("kept", [0.92, 0.97])
def test_a_tail_of_zeros_is_missing_though_libjpeg_decodes_it(kept):
    data = jpeg()
    cut = int(len(data) * kept)
    blank = data[:cut] + bytes(10 * (len(data) - cut))
    if kept < 0.95:
        assert reason(blank) == "the JPEG file is cut short"
    else:
        assert "cut short" in decode(blank, "it").note


def test_zeros_behind_the_end_marker_are_no_damage():
    data = jpeg()
    decoded = decode(data + bytes(5000), "it")
    assert decoded.note == ""
    assert np.array_equal(np.asarray(decoded.image), pixels(data))


def test_a_progressive_jpeg_with_all_its_frequencies_is_a_picture_with_a_note():
    data = jpeg(progressive=True)
    for kept in (0.6, 0.8, 0.95, 0.99):
        decoded = decode(data[: int(len(data) * kept)], "it")
        assert decoded.note == COARSE
        assert np.abs(np.asarray(decoded.image).astype(int) - pixels(data)).mean() < 12


@pytest.mark.parametrize("n_scans", [0, 1, 2, 3, 4])
def test_a_progressive_jpeg_without_its_first_scans_is_cut_short(n_scans):
    data = jpeg(progressive=True)
    starts = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert reason(data[: starts[n_scans] + 100]) == "the JPEG file is cut short"


def test_what_the_scans_bring_is_told_from_their_headers():
    scans = _read_scans(jpeg(progressive=True))
    assert scans.has_end and scans.is_progressive and scans.has_all_components and scans.has_all_detail
    assert (scans.lines, len(scans.missing)) == (16, 3)
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    scans = _read_scans(data[:last])
    assert not scans.has_end and scans.has_all_components and not scans.has_all_detail


@pytest.mark.parametrize("at", [20, 100, 300])
def test_a_jpeg_that_ends_in_its_header_is_no_picture(at):
    assert "JPEG" in reason(jpeg()[:at])


def test_an_orientation_is_undone_of_a_jpeg_cut_short_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = jpeg(exif=exif.tobytes())
    decoded = decode(data[: int(len(data) * 0.98)], "it")
    assert (decoded.width, decoded.height) == (HEIGHT, WIDTH)


@pytest.mark.parametrize("before", [0, 1, 32_766, 32_767, 32_768, 65_535])
def test_runs_of_fill_bytes_are_taken_out_wherever_they_begin(before):
    head, tail = b"x" * before, b"y" * 70_000
    padded = io.BytesIO(head + b"\xff" * 65_536 + tail)
    assert _without_padding(padded).read() == head + b"\xff" + tail
    short = io.BytesIO(head + b"\xff" * 65_535 + tail)
    assert _without_padding(short) is short
