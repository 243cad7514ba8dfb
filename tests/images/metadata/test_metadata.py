import datetime
import hashlib
import io
import struct
import zlib

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from camera_files import BYTE, LONG, RATIONAL, SHORT, UNDEFINED, dng, jpeg, text, tiff
from lookalike.images.metadata.metadata import NO_METADATA, Metadata
from lookalike.images.metadata.reading import MAX_CAPTION, MAX_KEYWORDS, read_metadata

PICTURE = Image.new("RGB", (64, 48), (200, 30, 60))
TAKEN = datetime.datetime(2019, 5, 1, 12, 30, 15)

EXIF, GPS = 0x8769, 0x8825


def exif(image=None, photo=None, gps=None, order="<"):
    """A block of Exif with these tags in its three directories."""
    first = dict(image or {})
    if photo is not None:
        first[EXIF] = photo
    if gps is not None:
        first[GPS] = gps
    return tiff(first, order)


def date(value="2019:05:01 12:30:15"):
    return {0x9003: text(value)}


def segment(marker, data):
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2) + data


def jpeg_with(*segments):
    data = jpeg(PICTURE)
    return data[:2] + b"".join(segments) + data[2:]


def app1(block):
    return segment(0xE1, b"Exif\0\0" + block)


def xmp_segment(packet):
    return segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def record(key, data):
    return bytes([0x1C, *key]) + len(data).to_bytes(2) + data


def photoshop(iptc, digest=b""):
    """Image resources of Photoshop's: IPTC, and its checksum."""
    resources = [(0x0404, iptc)] + ([(0x0425, digest)] if digest else [])
    packed = b"".join(
        b"8BIM" + kind.to_bytes(2) + b"\0\0" + len(data).to_bytes(4) + data + bytes(len(data) % 2)
        for kind, data in resources
    )
    return segment(0xED, b"Photoshop 3.0\0" + packed)


NAMES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    ' xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"'
)


def xmp(content="", attributes=""):
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMES}>'
        f'<rdf:Description rdf:about="" {attributes}>{content}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def array(name, kind, *items):
    inner = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
    return f"<{name}><rdf:{kind}>{inner}</rdf:{kind}></{name}>"


def of(**blocks):
    """The metadata of a JPEG with these blocks."""
    segments = [
        *([app1(blocks["exif"])] if "exif" in blocks else []),
        *([xmp_segment(blocks["xmp"])] if "xmp" in blocks else []),
        *([photoshop(blocks["iptc"], blocks.get("digest", b""))] if "iptc" in blocks else []),
    ]
    return read_metadata(jpeg_with(*segments))


# --- by hand: everything at once


def test_a_photo_with_everything():
    block = exif(
        {
            271: text("Canon"),
            272: text("Canon EOS 5D"),
            270: text("Evening at the lake"),
            0x4746: (SHORT, [4]),
        },
        {
            **date(),
            0x9011: text("+02:00"),
            0x9291: text("25"),
            0xA433: text("Canon"),
            0xA434: text("EF50mm f/1.8"),
        },
        {
            1: text("N"),
            2: (RATIONAL, [(48, 1), (51, 1), (2960, 100)]),
            3: text("W"),
            4: (RATIONAL, [(2, 1), (17, 1), (40, 1)]),
        },
    )
    found = of(exif=block, xmp=xmp(array("dc:subject", "Bag", "lake", "evening")))
    assert found == Metadata(
        taken=TAKEN.replace(microsecond=250_000),
        offset=120,
        camera="Canon EOS 5D",
        lens="Canon EF50mm f/1.8",
        latitude=pytest.approx(48 + 51 / 60 + 29.6 / 3600),
        longitude=pytest.approx(-(2 + 17 / 60 + 40 / 3600)),
        keywords=("lake", "evening"),
        rating=4,
        caption="Evening at the lake",
    )


def test_a_photo_without_says_nothing():
    assert read_metadata(jpeg(PICTURE)) == NO_METADATA
    assert read_metadata(b"") == NO_METADATA
    assert read_metadata(b"a diary, not a picture") == NO_METADATA


# --- every container


BLOCK = exif({272: text("Box")}, date(), order=">")
PACKET = xmp(array("dc:subject", "Bag", "hill"))


def chunked(*chunks):
    """A PNG with these chunks before its pixels."""
    stream = io.BytesIO()
    PICTURE.save(stream, "PNG")
    data = stream.getvalue()
    packed = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return data[:33] + packed + data[33:]


def saved(kind, **options):
    stream = io.BytesIO()
    if kind == "HEIC":
        pillow_heif.from_pillow(PICTURE).save(stream, **options)
    else:
        PICTURE.save(stream, kind, **options)
    return stream.getvalue()


def raw_profile(kind, data):
    return (
        b"Raw profile type "
        + kind
        + b"\0\0"
        + zlib.compress(b"\n%s\n%8d\n%s\n" % (kind, len(data), data.hex().encode()))
    )


def box(name, content):
    return (8 + len(content)).to_bytes(4) + name + content


CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def cr3():
    canon = box(b"uuid", CANON + box(b"CMT1", tiff({272: text("Box")})) + box(b"CMT2", tiff(date())))
    return box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", canon) + box(b"uuid", XMP_BOX + PACKET)


def raf():
    inner = jpeg_with(app1(BLOCK), xmp_segment(PACKET))
    return b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 92, len(inner)) + inner


def jxl():
    start = bytes.fromhex("0000000c4a584c200d0a870a")
    return (
        start
        + box(b"ftyp", b"jxl \0\0\0\0jxl ")
        + box(b"Exif", bytes(4) + BLOCK)
        + box(b"xml ", PACKET)
        + box(b"jxlc", b"\xff\x0a")
    )


OF_TIFF = {272: text("Box"), EXIF: date(), 700: (BYTE, PACKET)}

CONTAINERS = {
    "JPEG": jpeg_with(app1(BLOCK), xmp_segment(PACKET)),
    "JPEG, XMP first": jpeg_with(xmp_segment(PACKET), app1(BLOCK)),
    "PNG": chunked((b"eXIf", BLOCK), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)),
    "PNG, compressed": chunked(
        (b"eXIf", BLOCK), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET))
    ),
    "PNG, by ImageMagick": chunked(
        (b"zTXt", raw_profile(b"exif", b"Exif\0\0" + BLOCK)), (b"zTXt", raw_profile(b"xmp", PACKET))
    ),
    "WEBP": saved("WEBP", exif=BLOCK, xmp=PACKET),
    "WEBP, with JPEG's prefix": saved("WEBP", exif=b"Exif\0\0" + BLOCK, xmp=PACKET),
    "AVIF": saved("AVIF", exif=b"Exif\0\0" + BLOCK, xmp=PACKET),
    "HEIC": saved("HEIC", exif=b"Exif\0\0" + BLOCK, xmp=PACKET),
    "TIFF": tiff(OF_TIFF),
    "TIFF, the other order": tiff(OF_TIFF, ">"),
    "DNG": dng(Image.new("RGB", (64, 48)), more=OF_TIFF),
    "CR2": tiff(OF_TIFF, gap=b"CR\2\0\0\0\0\0"),
    "ORF": tiff(OF_TIFF, magic=0x4F52),
    "RW2": tiff(OF_TIFF, magic=0x55),
    "CR3": cr3(),
    "RAF": raf(),
    "JXL": jxl(),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_metadata_is_found_in_every_kind_of_file(name):
    found = read_metadata(CONTAINERS[name])
    assert found.taken == TAKEN
    assert (found.camera or "").endswith("Box")
    assert found.keywords == ("hill",)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_says_the_same_as_its_bytes(name, tmp_path):
    (tmp_path / "file").write_bytes(CONTAINERS[name])
    with (tmp_path / "file").open("rb") as stream:
        assert read_metadata(stream) == read_metadata(CONTAINERS[name])


def test_bigtiff_is_walked_too():
    entry = struct.pack("<HHQ", 0x0110, 2, 4) + b"Box\0".ljust(8, b"\0")
    far = struct.pack("<HHQQ", 0x010F, 2, 100, 2**64 - 1)
    data = b"II+\0" + struct.pack("<HHQ", 8, 0, 16) + struct.pack("<Q", 2) + far + entry + bytes(8)
    assert read_metadata(data).camera == "Box"


def test_iptc_of_a_tiff_is_found_as_bytes_and_as_numbers():
    iptc = record((2, 25), b"hill")
    assert read_metadata(tiff({0x83BB: (UNDEFINED, iptc)})).keywords == ("hill",)
    padded = iptc.ljust(12, b"\0")
    assert read_metadata(tiff({0x83BB: (LONG, struct.unpack("<3I", padded))})).keywords == ("hill",)


def test_photoshop_data_go_on_in_the_next_segment():
    whole = photoshop(record((2, 120), b"x" * 100))[18:]
    parts = [segment(0xED, b"Photoshop 3.0\0" + part) for part in (whole[:40], whole[40:])]
    assert read_metadata(jpeg_with(*parts)).caption == "x" * 100


# --- when


@pytest.mark.parametrize(
    ("photo", "taken"),
    [
        (date(), TAKEN),
        ({0x9004: text("2019:05:01 12:30:15")}, TAKEN),
        ({**date(), 0x9004: text("2020:01:01 00:00:00")}, TAKEN),
        ({**date("0000:00:00 00:00:00"), 0x9004: text("2019:05:01 12:30:15")}, TAKEN),
        (date("2019-05-01T12:30:15"), TAKEN),
        (date("2019/05/01 12:30:15"), TAKEN),
        (date("2019:05:01 12:30:60"), TAKEN.replace(second=59)),
        (date("2019:05:01"), datetime.datetime(2019, 5, 1)),
        (date("0000:00:00 00:00:00"), None),
        (date("    :  :     :  :  "), None),
        (date("2019:13:01 12:30:15"), None),
        (date("2019:02:30 12:30:15"), None),
        (date("2019:05:01 99:30:15"), None),
        (date(""), None),
        (date("yesterday"), None),
        (date(b"\xff\xfe\x80"), None),
    ],
)
def test_the_time_is_that_of_the_shutter(photo, taken):
    assert of(exif=exif(photo=photo)).taken == taken


@pytest.mark.parametrize(
    ("said", "micro"),
    [("25", 250_000), ("2", 200_000), ("123456789", 123_456), ("007", 7000), ("", 0), ("x", 0), ("  ", 0)],
)
def test_fractions_are_digits_after_the_point(said, micro):
    assert of(exif=exif(photo={**date(), 0x9291: text(said)})).taken.microsecond == micro


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("+02:00", 120),
        ("-03:30", -210),
        ("+05:45", 345),
        ("Z", 0),
        ("+00:00", 0),
        ("   :  ", None),
        ("+99:00", None),
        ("", None),
    ],
)
def test_the_offset_is_in_minutes_east(said, minutes):
    assert of(exif=exif(photo={**date(), 0x9011: text(said)})).offset == minutes


def test_the_time_of_the_last_change_is_not_when_a_picture_was_taken():
    assert of(exif=exif({0x0132: text("2019:05:01 12:30:15")})).taken is None


def test_xmp_and_iptc_tell_the_time_where_exif_does_not():
    said = xmp(attributes='photoshop:DateCreated="2019-05-01T12:30:15.5+02:00"')
    assert of(xmp=said).taken == TAKEN.replace(microsecond=500_000)
    assert of(xmp=said).offset == 120
    iptc = record((2, 55), b"20190501") + record((2, 60), b"123015-0500")
    assert (of(iptc=iptc).taken, of(iptc=iptc).offset) == (TAKEN, -300)
    assert of(exif=exif(photo=date("2001:02:03 04:05:06")), xmp=said, iptc=iptc).taken.year == 2001


# --- with what


@pytest.mark.parametrize(
    ("maker", "model", "camera"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("OLYMPUS IMAGING CORP.", "E-M1", "OLYMPUS E-M1"),
        ("OLYMPUS OPTICAL CO.,LTD", "C2000Z", "OLYMPUS C2000Z"),
        ("EASTMAN KODAK COMPANY", "KODAK DX4900", "KODAK DX4900"),
        ("SONY", "ILCE-7M3", "SONY ILCE-7M3"),
        ("Apple", "iPhone 12 Pro", "Apple iPhone 12 Pro"),
        ("FUJIFILM  ", " X-T3 ", "FUJIFILM X-T3"),
        ("", "X100", "X100"),
        ("Canon", "", None),
    ],
)
def test_the_maker_is_named_once(maker, model, camera):
    assert of(exif=exif({271: text(maker), 272: text(model)})).camera == camera


def test_the_lens_of_xmp_is_taken_where_exif_has_none():
    said = xmp(attributes='aux:Lens="18-55 mm" tiff:Make="Canon" tiff:Model="EOS 1"')
    assert (of(xmp=said).lens, of(xmp=said).camera) == ("18-55 mm", "Canon EOS 1")
    assert of(xmp=said, exif=exif(photo={0xA434: text("EF50mm")})).lens == "EF50mm"


# --- where


def place(north, east, signs=("N", "E")):
    gps = {1: text(signs[0]), 2: (RATIONAL, north), 3: text(signs[1]), 4: (RATIONAL, east)}
    found = of(exif=exif(gps=gps))
    return found.latitude, found.longitude


@pytest.mark.parametrize(
    ("signs", "expected"),
    [("NE", (10.5, 20)), ("SE", (-10.5, 20)), ("NW", (10.5, -20)), ("sw", (-10.5, -20))],
)
def test_south_and_west_are_negative(signs, expected):
    assert place([(10, 1), (30, 1), (0, 1)], [(20, 1), (0, 1), (0, 1)], signs) == expected


def test_minutes_and_seconds_may_be_left_out():
    assert place([(105, 10)], [(20, 1), (1800, 60)]) == (10.5, 20.5)


@pytest.mark.parametrize(
    ("north", "east"),
    [
        ([(10, 0), (0, 1), (0, 1)], [(20, 1), (0, 1), (0, 1)]),
        ([(10, 1), (0, 0), (0, 1)], [(20, 1), (0, 1), (0, 1)]),
        ([(91, 1), (0, 1), (0, 1)], [(20, 1), (0, 1), (0, 1)]),
        ([(10, 1), (0, 1), (0, 1)], [(181, 1), (0, 1), (0, 1)]),
        ([(0, 1), (0, 1), (0, 1)], [(0, 1), (0, 1), (0, 1)]),
    ],
)
def test_places_that_cannot_be_are_none(north, east):
    assert place(north, east) == (None, None)


def test_a_place_without_its_signs_is_none():
    assert place([(10, 1)], [(20, 1)], ("", "")) == (None, None)
    assert place([(10, 1)], [(20, 1)], ("E", "N")) == (None, None)


def test_the_place_of_xmp_is_taken_where_exif_has_none():
    said = xmp(attributes='exif:GPSLatitude="48,30.0N" exif:GPSLongitude="2,15,36W"')
    found = of(xmp=said)
    assert (found.latitude, found.longitude) == (48.5, pytest.approx(-2.26))
    nonsense = xmp(attributes='exif:GPSLatitude="98,30.0N" exif:GPSLongitude="2,15,36W"')
    assert of(xmp=nonsense).latitude is None


# --- what people said


def test_keywords_of_all_places_are_there_each_once():
    windows = "lake;Boat".encode("utf-16-le") + b"\0\0"
    found = of(
        exif=exif({0x9C9E: (BYTE, windows)}),
        xmp=xmp(array("dc:subject", "Bag", "Lake", " hill ", "Lake")),
        iptc=record((2, 25), b"hill") + record((2, 25), b"sea"),
    )
    assert found.keywords == ("Lake", "hill", "sea", "Boat")


def test_the_character_set_of_iptc_is_heeded():
    utf8 = record((1, 90), b"\x1b%G") + record((2, 25), "Straße".encode())
    assert of(iptc=utf8).keywords == ("Straße",)
    assert of(iptc=record((2, 25), "Straße".encode("latin-1"))).keywords == ("Straße",)
    assert of(iptc=record((2, 25), "Straße".encode())).keywords == ("Straße",)


def test_a_long_record_of_iptc_is_read():
    long = b"\x1c\x02\x78" + (0x8004).to_bytes(2) + (5).to_bytes(4) + b"hello"
    assert of(iptc=long + record((2, 25), b"hill")) == Metadata(keywords=("hill",), caption="hello")


@pytest.mark.parametrize(
    ("said", "stars"),
    [
        ("5", 5),
        ("1", 1),
        ("0", None),
        ("-1", -1),
        ("3.0", 3),
        ("6", None),
        ("x", None),
        ("nan", None),
        ("1e999", None),
    ],
)
def test_the_rating_is_stars_or_rejected(said, stars):
    assert of(xmp=xmp(attributes=f'xmp:Rating="{said}"')).rating == stars
    assert of(xmp=xmp(f"<xmp:Rating>{said}</xmp:Rating>")).rating == stars


def test_the_rating_of_xmp_holds_over_that_of_exif():
    block = exif({0x4746: (SHORT, [2])})
    assert of(exif=block).rating == 2
    assert of(exif=block, xmp=xmp(attributes='xmp:Rating="5"')).rating == 5
    assert of(exif=block, xmp=xmp(attributes='xmp:Rating="0"')).rating is None


def languages(**texts):
    inner = "".join(
        f'<rdf:li xml:lang="{lang.replace("_", "-")}">{said}</rdf:li>' for lang, said in texts.items()
    )
    return xmp(f"<dc:description><rdf:Alt>{inner}</rdf:Alt></dc:description>")


def test_the_caption_is_that_of_the_default_language():
    assert of(xmp=languages(de="Abend", x_default="Evening")).caption == "Evening"
    assert of(xmp=languages(de="Abend")).caption == "Abend"


def test_captions_are_taken_from_exif_then_xmp_then_iptc():
    said = {
        "exif": exif({270: text("of Exif")}),
        "xmp": languages(x_default="of XMP"),
        "iptc": record((2, 120), b"of IPTC"),
    }
    assert of(**said).caption == "of Exif"
    del said["exif"]
    assert of(**said).caption == "of XMP"
    assert of(**said, digest=hashlib.md5(said["iptc"]).digest()).caption == "of XMP"
    assert of(**said, digest=bytes(16)).caption == "of IPTC"
    del said["xmp"]
    assert of(**said).caption == "of IPTC"


@pytest.mark.parametrize(
    "constant",
    [
        "OLYMPUS DIGITAL CAMERA         ",
        "SONY DSC",
        "SAMSUNG DIGITAL CAMERA",
        "KONICA MINOLTA DIGITAL CAMERA",
        "Digital StillCamera",
        "DCIM\\100GOPRO\\GOPR0482.JPG",
        "ImageJ=1.53a\nimages=3",
        '{"shape": [3, 4]}',
        "<?xml version='1.0'?><OME/>",
        "cof",
        "          ",
        "---",
    ],
)
def test_what_a_camera_writes_into_every_picture_is_no_caption(constant):
    assert of(exif=exif({270: text(constant)})).caption is None
    assert of(exif=exif({270: text(constant)}), xmp=languages(x_default="Evening")).caption == "Evening"


@pytest.mark.parametrize(
    "caption", ["A digital camera", "Cofounders", "Sony DSCs on a table"[:4], "default settings"]
)
def test_what_only_resembles_it_is_one(caption):
    assert of(exif=exif({270: text(caption)})).caption == caption


# --- what cannot be read says nothing, and costs nothing else


def test_a_document_type_is_refused():
    packet = PACKET.replace(
        b"<x:xmpmeta", b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x:xmpmeta'
    ).replace(b"hill", b"&b;")
    assert of(xmp=packet) == NO_METADATA


def test_a_broken_packet_says_nothing():
    assert of(xmp=PACKET[:-60]) == NO_METADATA
    assert of(xmp=b"") == NO_METADATA
    assert of(xmp=b"<a>" * 5000) == NO_METADATA


def test_xmp_in_utf_16_is_read():
    assert of(xmp=PACKET.decode().encode("utf-16")).keywords == ("hill",)
    assert of(xmp=PACKET.decode().encode("utf-16-be")).keywords == ("hill",)


def test_a_broken_entry_of_exif_costs_only_itself():
    block = bytearray(exif({271: text("Canon"), 272: text("Canon EOS 5D")}, date()))
    at = bytes(block).index(struct.pack("<HHI", 271, 2, 6))
    block[at + 8 : at + 12] = b"\xff" * 4
    assert of(exif=bytes(block)) == Metadata(taken=TAKEN, camera="Canon EOS 5D")
    block[at + 2 : at + 4] = b"\xff" * 2  # a type that does not exist
    assert of(exif=bytes(block)).camera == "Canon EOS 5D"


def test_texts_are_one_clean_line_of_bounded_length():
    caption = "A\tb\r\nc\x1b[31m\u202ed" + "é" * 3000
    found = of(
        exif=exif({270: text(caption)}), xmp=xmp(array("dc:subject", "Bag", *(f"w{n}" for n in range(999))))
    )
    assert found.caption.startswith("A b c[31mdéé")
    assert len(found.caption) == MAX_CAPTION
    assert len(found.keywords) == MAX_KEYWORDS
    assert all(c.isprintable() for c in found.caption)


def test_texts_that_are_not_utf_8_are_western():
    assert of(exif=exif({270: text("Café".encode("latin-1"))})).caption == "Café"
    assert of(exif=exif({270: text("Cafe\u0301")})).caption == "Caf\u00e9"


def test_the_first_part_of_a_file_will_do():
    data = CONTAINERS["JPEG"]
    assert read_metadata(data[: data.index(b"\xff\xdb")]).keywords == ("hill",)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_cut_anywhere_raises_nothing(name):
    data = CONTAINERS[name]
    for at in range(0, min(len(data), 4000), 7):
        assert isinstance(read_metadata(data[:at]), Metadata)


@pytest.mark.parametrize("name", CONTAINERS)
@settings(max_examples=60, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 8), st.binary(max_size=8)),
        min_size=1,
        max_size=8,
    )
)
def test_no_bytes_make_it_raise(name, changes):
    data = bytearray(CONTAINERS[name])
    for where, gone, instead in changes:
        at = int(where**2 * min(len(data), 3000))
        data[at : at + gone] = instead
    found = read_metadata(bytes(data))
    assert len(found.keywords) <= MAX_KEYWORDS
    assert found.latitude is None or -90 <= found.latitude <= 90
