import io
import itertools

import pytest
from PIL import Image

from lookalike.images.formats import EXTENSIONS, FORMATS, UnreadKindError, recognize


def iso_head(major, *compatible):
    """The first box of an ISO base media file (HEIC, AVIF, MP4)."""
    brands = b"".join(compatible)
    return (16 + len(brands)).to_bytes(4) + b"ftyp" + major + bytes(4) + brands


def test_the_formats_are_these():
    assert {row.name: row.extensions for row in FORMATS} == {
        "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
        "PNG": (".png", ".apng"),
        "WEBP": (".webp",),
        "GIF": (".gif",),
        "BMP": (".bmp", ".dib"),
        "TIFF": (".tif", ".tiff"),
        "AVIF": (".avif",),
        "HEIC": (".heic", ".heif", ".hif"),
        "CR2": (".cr2",),
        "CR3": (".cr3",),
        "NEF": (".nef",),
        "ARW": (".arw",),
        "DNG": (".dng",),
        "ORF": (".orf",),
        "RAF": (".raf",),
        "RW2": (".rw2",),
        "JXL": (".jxl",),
    }


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif", "JPEG"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "WEBP"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"BM\x46\x00\x00\x00", "BMP"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF"),
        (b"MM\x00*\x00\x00\x00\x08", "TIFF"),
        (b"II+\x00\x08\x00\x00\x00", "TIFF"),
        (iso_head(b"avif", b"mif1"), "AVIF"),
        (iso_head(b"avis", b"avif", b"msf1"), "AVIF"),
        (iso_head(b"mif1", b"avif", b"miaf"), "AVIF"),
        (iso_head(b"mif1", b"miaf", b"MA1B", b"avif"), "AVIF"),
        (iso_head(b"heic", b"mif1", b"heic"), "HEIC"),
        (iso_head(b"mif1", b"mif1", b"heic"), "HEIC"),
        (iso_head(b"msf1", b"hevc"), "HEIC"),
        (b"II*\x00\x10\x00\x00\x00CR\x02\x00", "CR2"),
        (iso_head(b"crx ", b"crx ", b"isom"), "CR3"),
        (b"IIRO\x08\x00\x00\x00", "ORF"),
        (b"IIRS\x08\x00\x00\x00", "ORF"),
        (b"MMOR\x00\x00\x00\x08", "ORF"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"IIU\x00\x18\x00\x00\x00", "RW2"),
        (b"\xff\x0a\xfa\x7f", "JXL"),
        (bytes.fromhex("0000000c4a584c200d0a870a"), "JXL"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(head, name):
    assert recognize(head.ljust(32, b"\0")).name == name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG",
        b"RIFF\x10\x00\x00\x00WAVEfmt ",
        b"<svg xmlns=",
        b"%PDF-1.7",
        b"GIF88a",
        iso_head(b"mp42", b"isom"),
        bytes(32),
    ],
)
def test_other_files_are_no_images(head):
    assert recognize(head) is None


def test_each_ending_belongs_to_one_format_and_is_lower_case_with_its_dot():
    endings = list(itertools.chain.from_iterable(row.extensions for row in FORMATS))
    assert sorted(endings) == sorted(EXTENSIONS)
    assert all(ending.startswith(".") and ending == ending.lower() for ending in endings)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_reader_is_there_and_refuses_what_is_not_its_own(row):
    with pytest.raises((SyntaxError, OSError, UnreadKindError)):
        row.open(io.BytesIO(b"nothing of the kind" * 10))


def test_opening_does_not_decode():
    stream = io.BytesIO()
    Image.new("RGB", (300, 200)).save(stream, "PNG")
    header_and_no_pixels = stream.getvalue()[:60]
    row = recognize(header_and_no_pixels)
    assert row.open(io.BytesIO(header_and_no_pixels)).size == (300, 200)
